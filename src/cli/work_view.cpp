#include "cli/work_view.h"

#include <algorithm>

#include "base/time.h"
#include "cli/task_view.h"

namespace contextcore::cli {
namespace {

std::string minute(const Json& object, std::string_view key) {
  const std::string text = text_of(object, key);
  const auto time = parse_rfc3339(text);
  return time.ok() ? format_local_minute(*time) : text;
}

// "3 of 10; --limit for more" where not all is shown.
std::string more_text(const Json& answer, const Terminal& terminal) {
  const Json* total = answer.find("total");
  const size_t shown = items_of(answer).size();
  if (!total || !total->is_number() || static_cast<size_t>(total->number()) <= shown) return {};
  return terminal.paint(Style::dim,
                        std::to_string(shown) + " of " + to_string(*total) + "; --limit for more") +
         "\n";
}

std::string heading(const Json& task, const Terminal& terminal) {
  std::string out = terminal.paint(Style::bold, text_of(task, "id"));
  const std::string status = text_of(task, "status");
  if (!status.empty()) out += "  " + terminal.paint(status_style(status), status);
  return out + "  " + text_of(task, "title");
}

std::string event_row(const Json& event, const Terminal& terminal) {
  std::string who = text_of(event, "actor");
  if (who.empty()) who = text_of(event, "agent_id");
  const std::string time = minute(event, "time");
  const int room =
      terminal.columns > 60 ? terminal.columns - 6 - display_width(time) - display_width(who) : 0;
  return "  " + terminal.paint(Style::dim, time) + "  " +
         (who.empty() ? "" : terminal.paint(Style::cyan, who) + "  ") +
         fit(text_of(event, "words"), room) + "\n";
}

std::string change_row(const Json& change, const Terminal& terminal) {
  const std::string from = text_of(change, "from"), to = text_of(change, "to");
  return "  " + text_of(change, "field") + ": " +
         terminal.paint(Style::dim, from.empty() ? "none" : fit(from, 60)) + " → " +
         (to.empty() ? "none" : fit(to, 60)) + "\n";
}

}  // namespace

std::string history_text(const Json& answer, const Terminal& terminal, int64_t) {
  std::string out = heading(answer, terminal) + "\n";
  for (const Json& event : items_of(answer)) out += event_row(event, terminal);
  return out + more_text(answer, terminal);
}

std::string diff_text(const Json& answer, const Terminal& terminal, int64_t) {
  const JsonArray& items = items_of(answer);
  std::string out =
      terminal.paint(Style::dim, minute(answer, "from") + " to " + minute(answer, "to") + ": " +
                                     text_of(answer, "total") + " tasks, " +
                                     text_of(answer, "events_total") + " events") +
      "\n";
  for (const Json& task : items) {
    const bool created = text_of(task, "created") == "true";
    out += (created ? terminal.paint(Style::green, "+ ") : "  ") + heading(task, terminal) + "\n";
    const Json* changes = task.find("changes");
    if (changes && changes->as_array()) {
      for (const Json& change : *changes->as_array()) out += "  " + change_row(change, terminal);
    }
    if (const std::string comments = text_of(task, "comments"); comments != "0")
      out += "    " + comments + (comments == "1" ? " comment\n" : " comments\n");
  }
  return out + more_text(answer, terminal);
}

std::string tree_text(const Json& answer, const Terminal& terminal, int64_t) {
  if (items_of(answer).empty()) return "No tasks.\n";
  std::string out;
  for (const Json& task : items_of(answer)) {
    const Json* depth = task.find("depth");
    const auto level = depth && depth->as_int()
                           ? static_cast<size_t>(std::clamp<int64_t>(*depth->as_int(), 0, 40))
                           : 0;
    out += std::string(level * 2, ' ') + heading(task, terminal);
    const std::string count = text_of(task, "subtask_count");
    if (count != "0") {
      out += terminal.paint(Style::dim, "  " + text_of(task, "percent_complete") + "%, " +
                                            text_of(task, "subtask_completed") + " of " + count);
    } else if (const std::string percent = text_of(task, "percent_complete");
               percent != "0" && percent != "100") {
      out += terminal.paint(Style::dim, "  " + percent + "%");
    }
    if (const std::string who = text_of(task, "assignee"); !who.empty())
      out += "  " + terminal.paint(Style::cyan, who);
    out += "\n";
  }
  return out + more_text(answer, terminal);
}

std::string critical_path_text(const Json& answer, const Terminal& terminal, int64_t) {
  const JsonArray& items = items_of(answer);
  if (items.empty()) return "No open task waits for another.\n";
  Table table({"", "ID", "STATUS", "WEIGHT", "ASSIGNEE", "TITLE"});
  int64_t step = 0;
  for (const Json& task : items) {
    const std::string status = text_of(task, "status");
    table.row({std::to_string(++step), text_of(task, "id"), status, text_of(task, "weight"),
               text_of(task, "assignee"), text_of(task, "title")},
              {Style::dim, Style::bold, status_style(status)});
  }
  std::string unit = text_of(answer, "by");
  if (unit == "estimate") unit = "minutes";
  if (unit == "count") unit = "tasks";
  std::string summary = text_of(answer, "weight") + " " + unit;
  if (const std::string without = text_of(answer, "without_weight"); without != "0")
    summary += "; " + without + " without one of their own";
  return table.render(terminal) + terminal.paint(Style::dim, summary) + "\n";
}

std::string workload_text(const Json& answer, const Terminal& terminal, int64_t) {
  if (items_of(answer).empty()) return "No open work.\n";
  Table table({"ASSIGNEE", "OPEN", "ACTIVE", "BLOCKED", "READY", "OVERDUE", "POINTS"});
  for (const Json& load : items_of(answer)) {
    const std::string who = text_of(load, "assignee");
    const std::string blocked = text_of(load, "blocked"), overdue = text_of(load, "overdue");
    table.row({who.empty() ? "(nobody)" : who, text_of(load, "open"), text_of(load, "active"),
               blocked, text_of(load, "ready"), overdue, text_of(load, "story_points")},
              {Style::bold, Style::plain, Style::plain, blocked == "0" ? Style::plain : Style::red,
               Style::plain, overdue == "0" ? Style::plain : Style::red});
  }
  return table.render(terminal);
}

std::string search_text(const Json& answer, const Terminal& terminal, int64_t) {
  if (items_of(answer).empty()) return "Nothing found.\n";
  std::string out;
  for (const Json& task : items_of(answer)) {
    out += heading(task, terminal) + "\n";
    const Json* matches = task.find("matches");
    if (!matches || !matches->as_array()) continue;
    for (const Json& match : *matches->as_array()) {
      const std::string where = text_of(match, "in");
      if (where == "title") continue;
      std::string origin = where;
      if (const std::string author = text_of(match, "author"); !author.empty())
        origin += " by " + author;
      out +=
          "    " + terminal.paint(Style::dim, origin + ": ") +
          fit(text_of(match, "text"), std::max(0, terminal.columns - 6 - display_width(origin))) +
          "\n";
    }
  }
  return out + more_text(answer, terminal);
}

std::string foreign_text(const Json& answer, const Terminal& terminal, int64_t now_ns) {
  if (items_of(answer).empty()) return "No received span looks like a task.\n";
  Table table({"ID", "STATUS", "SERVICE", "SPAN", "STARTED", "TITLE"});
  for (const Json& span : items_of(answer)) {
    const std::string status = text_of(span, "status");
    table.row({text_of(span, "id"), status, text_of(span, "service"), text_of(span, "span_id"),
               age_text(text_of(span, "start"), now_ns), text_of(span, "title")},
              {Style::bold, status_style(status)});
  }
  return table.render(terminal) + more_text(answer, terminal);
}

std::string projects_text(const Json& answer, const Terminal& terminal, int64_t now_ns) {
  if (items_of(answer).empty()) return "No projects.\n";
  Table table({"PROJECT", "TASKS", "OPEN", "READY", "OVERDUE", "INSIGHTS", "CHANGED"});
  for (const Json& project : items_of(answer)) {
    table.row({text_of(project, "project"), text_of(project, "tasks"), text_of(project, "open"),
               text_of(project, "ready"), text_of(project, "overdue"), text_of(project, "insights"),
               age_text(text_of(project, "updated"), now_ns)},
              {Style::bold});
  }
  return table.render(terminal);
}

}  // namespace contextcore::cli
