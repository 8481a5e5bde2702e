#include "cli/task_view.h"

#include <algorithm>

#include "base/time.h"

namespace contextcore::cli {
namespace {

const Json& task_of(const Json& answer) {
  const Json* task = answer.find("task");
  return task != nullptr ? *task : answer;
}

std::string title_line(const Json& task, const Terminal& terminal) {
  const std::string status = text_of(task, "status");
  return terminal.paint(Style::bold, text_of(task, "id")) + "  " +
         terminal.paint(status_style(status), status) + "  " + text_of(task, "title");
}

std::string flags_text(const Json& task, int64_t now_ns) {
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : ", ") + part; };
  if (const Json* claim = task.find("claim")) add("claimed by " + text_of(*claim, "claimed_by"));
  if (const std::string reason = text_of(task, "blocked_reason"); !reason.empty()) add(reason);
  if (const std::string by = text_of(task, "blocked_by"); !by.empty()) add("blocked by " + by);
  if (const std::string since = text_of(task, "blocked_since"); !since.empty())
    add("blocked " + age_text(since, now_ns));
  if (const std::string waiting = text_of(task, "waiting_on"); !waiting.empty())
    add("waits for " + waiting);
  const std::string due = text_of(task, "due_date");
  if (!due.empty()) {
    const auto when = parse_time(due, now_ns);
    const bool open = text_of(task, "open") != "false";
    add((when.ok() && *when < now_ns && open ? "overdue since " : "due ") + due.substr(0, 10));
  }
  return out;
}

void add_row(Table& table, const Json& task, int64_t now_ns) {
  const std::string status = text_of(task, "status");
  std::string title = text_of(task, "title");
  if (const std::string flags = flags_text(task, now_ns); !flags.empty())
    title += "  (" + flags + ")";
  const std::string percent = text_of(task, "percent_complete");
  table.row({text_of(task, "id"), status, text_of(task, "type"), text_of(task, "priority"),
             text_of(task, "assignee"), percent == "0" ? "" : percent + "%",
             age_text(text_of(task, "updated"), now_ns), title},
            {Style::bold, status_style(status)});
}

Table task_table() {
  return Table({"ID", "STATUS", "TYPE", "PRIORITY", "ASSIGNEE", "DONE", "CHANGED", "TITLE"});
}

std::string event_line(const Json& event, const Terminal& terminal) {
  const std::string name = text_of(event, "event");
  std::string details;
  static constexpr std::string_view kHidden[] = {
      "event", "time",       "revision", "seq",        "task_id", "task_type", "task_title",
      "actor", "actor_type", "agent_id", "session_id", "trigger", "schema",    "sprint_id"};
  if (const JsonObject* members = event.as_object()) {
    for (const auto& [key, value] : *members) {
      if (std::find(std::begin(kHidden), std::end(kHidden), key) != std::end(kHidden)) continue;
      details += (details.empty() ? "" : "  ") + key + "=" +
                 (value.as_string() ? *value.as_string() : to_string(value));
    }
  }
  const int room = terminal.columns > 60 ? terminal.columns - 45 : 0;
  const auto time = parse_rfc3339(text_of(event, "time"));
  std::string line =
      "  " +
      terminal.paint(Style::dim, time.ok() ? format_local_minute(*time) : text_of(event, "time")) +
      "  ";
  line += name + std::string(name.size() < 24 ? 24 - name.size() : 1, ' ');
  if (const std::string actor = text_of(event, "actor"); !actor.empty())
    line += terminal.paint(Style::cyan, actor) + "  ";
  return line + fit(details, room) + "\n";
}

}  // namespace

const JsonArray& items_of(const Json& answer) {
  static const JsonArray none;
  const Json* items = answer.find("items");
  return items != nullptr && items->as_array() != nullptr ? *items->as_array() : none;
}

std::string text_of(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  if (value == nullptr || value->is_null()) return {};
  if (const std::string* text = value->as_string()) return *text;
  if (const JsonArray* items = value->as_array()) {
    std::string out;
    for (const Json& item : *items) {
      out += (out.empty() ? "" : ", ") + (item.as_string() ? *item.as_string() : to_string(item));
    }
    return out;
  }
  return to_string(*value);
}

std::string age_text(std::string_view rfc3339, int64_t now_ns) {
  const auto time = parse_rfc3339(rfc3339);
  if (!time.ok()) return {};
  const int64_t age_ns = now_ns - *time;
  if (age_ns >= 0 && age_ns < kSecondNs) return "now";
  return age_ns >= 0 ? format_duration_short(age_ns) + " ago"
                     : "in " + format_duration_short(-age_ns);
}

std::string task_change_text(const std::string& op, const Json& answer, const Terminal& terminal) {
  const Json& task = task_of(answer);
  std::string out = title_line(task, terminal);
  const Json* changed = answer.find("changed");
  if (changed != nullptr && changed->as_bool() != nullptr && !*changed->as_bool()) {
    out += terminal.paint(Style::dim, "  (unchanged)");
  }
  out += "\n";
  if (op == "task.claim") {
    const Json* claim = task.find("claim");
    std::string token = text_of(answer, "token");
    if (token.empty() && claim != nullptr) token = text_of(*claim, "token");
    out += "  token " + terminal.paint(Style::bold, token);
    if (claim != nullptr) {
      const auto end = parse_rfc3339(text_of(*claim, "lease_end"));
      if (end.ok()) out += ", lease until " + format_local_minute(*end);
    }
    out += "\n";
  }
  if (const Json* warnings = answer.find("warnings");
      warnings != nullptr && warnings->as_array() != nullptr) {
    for (const Json& warning : *warnings->as_array()) {
      out += terminal.paint(Style::yellow, "  note: ") +
             (warning.as_string() ? *warning.as_string() : "") + "\n";
    }
  }
  return out;
}

std::span<const std::string_view> task_list_members() {
  static constexpr std::string_view kShown[] = {"id",       "status",   "type",    "priority",       "assignee",
                                                "percent_complete", "updated", "title", "claim",     "blocked_reason",
                                                "blocked_by", "waiting_on", "due_date", "open"};
  return kShown;
}

std::string task_list_text(const Json& answer, const Terminal& terminal, int64_t now_ns) {
  const JsonArray& items = items_of(answer);
  if (items.empty()) return "No tasks.\n";
  Table table = task_table();
  for (const Json& task : items) add_row(table, task, now_ns);
  std::string out = table.render(terminal);
  const Json* total = answer.find("total");
  if (total != nullptr && total->is_number() &&
      static_cast<size_t>(total->number()) > items.size()) {
    out += terminal.paint(Style::dim, std::to_string(items.size()) + " of " + to_string(*total) +
                                          "; --limit for more") +
           "\n";
  }
  return out;
}

std::string task_details_text(const Json& answer, const Terminal& terminal, int64_t now_ns) {
  const Json& task = task_of(answer);
  std::string out = title_line(task, terminal) + "\n";
  static constexpr std::pair<std::string_view, std::string_view> kFields[] = {
      {"project", "project"},
      {"type", "type"},
      {"priority", "priority"},
      {"assignee", "assignee"},
      {"percent_complete", "percent"},
      {"story_points", "points"},
      {"estimate_minutes", "estimate"},
      {"labels", "labels"},
      {"parent_id", "parent"},
      {"sprint_id", "sprint"},
      {"due_date", "due"},
      {"defer_until", "deferred to"},
      {"waiting_on", "waits for"},
      {"blocked_reason", "blocked"},
      {"blocked_by", "blocked by"},
      {"outcome", "outcome"},
      {"failure_reason", "failure"},
      {"url", "url"},
      {"acceptance_criteria", "accept when"},
      {"description", "description"},
      {"created", "created"},
      {"ended", "ended"},
      {"revision", "revision"},
      {"trace_id", "trace"},
      {"span_id", "span"}};
  const auto line = [&](std::string_view label, const std::string& value) {
    out +=
        "  " +
        terminal.paint(Style::dim, std::string(label) +
                                       std::string(13 - std::min<size_t>(12, label.size()), ' ')) +
        value + "\n";
  };
  for (const auto& [key, label] : kFields) {
    std::string value = text_of(task, key);
    if (value.empty()) continue;
    if (key == "created" || key == "ended") value += "  (" + age_text(value, now_ns) + ")";
    line(label, value);
  }
  if (const Json* claim = task.find("claim")) {
    line("claim", text_of(*claim, "claimed_by") + ", token " + text_of(*claim, "token") +
                      ", lease ends " + age_text(text_of(*claim, "lease_end"), now_ns));
  }
  if (const Json* attributes = task.find("attributes");
      attributes != nullptr && attributes->as_object() != nullptr) {
    for (const auto& [key, value] : *attributes->as_object())
      line(key, value.as_string() ? *value.as_string() : to_string(value));
  }
  const Json* events = answer.find("events");
  if (events != nullptr && events->as_array() != nullptr && !events->as_array()->empty()) {
    out += "\n";
    for (const Json& event : *events->as_array()) out += event_line(event, terminal);
  }
  return out;
}

namespace {

// Every reason with what stands behind it, down the whole chain.
void add_reasons(const Json* reasons, size_t indent, std::string& out) {
  if (reasons == nullptr || reasons->as_array() == nullptr) return;
  for (const Json& reason : *reasons->as_array()) {
    out += std::string(2 + indent * 2, ' ') + "- " + text_of(reason, "text") + "\n";
    add_reasons(reason.find("because"), indent + 1, out);
  }
}

}  // namespace

std::string why_text(const Json& answer, const Terminal& terminal) {
  const Json& task = task_of(answer);
  std::string out = title_line(task, terminal) + "\n";
  const Json* ready = answer.find("ready");
  if (ready != nullptr && ready->as_bool() != nullptr && *ready->as_bool()) {
    return out + "  " + terminal.paint(Style::green, "ready") + ": nothing is in its way\n";
  }
  add_reasons(answer.find("reasons"), 0, out);
  return out;
}

std::string overview_text(const Json& answer, const Terminal& terminal, int64_t now_ns) {
  static constexpr std::pair<std::string_view, std::string_view> kSections[] = {
      {"mine", "Mine"}, {"ready", "Ready"}, {"blocked", "Blocked"}, {"overdue", "Overdue"}};
  std::string out;
  for (const auto& [key, heading] : kSections) {
    const Json* page = answer.find(key);
    if (page == nullptr || items_of(*page).empty()) continue;
    std::string title(heading);
    const std::string total = text_of(*page, "total");
    if (total != std::to_string(items_of(*page).size()))
      title += " (" + std::to_string(items_of(*page).size()) + " of " + total + ")";
    Table table = task_table();
    for (const Json& task : items_of(*page)) add_row(table, task, now_ns);
    out += (out.empty() ? "" : "\n") + terminal.paint(Style::bold, title) + "\n" +
           table.render(terminal);
  }
  return out.empty() ? "No open work. Next: contextcore task create \"Title\"\n" : out;
}

}  // namespace contextcore::cli
