#include "work/read.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/time.h"
#include "work/args.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/questions.h"
#include "work/ready.h"
#include "work/task.h"
#include "work/view_json.h"

namespace contextcore::work {
namespace {

using store::WorkRow;

constexpr std::array<std::string_view, 3> kGetFields = {"id", "events", "comments"};
constexpr std::array<std::string_view, 8> kListFields = {"status",  "type",   "assignee", "label",
                                                         "project", "parent", "open",     "limit"};
constexpr std::array<std::string_view, 6> kReadyFields = {
    "type", "priority", "label", "include_backlog", "assignee", "limit"};
constexpr std::array<std::string_view, 1> kWhyFields = {"id"};
constexpr std::span<const std::string_view> kNoFields;
constexpr std::array<std::string_view, 12> kInsightQueryFields = {
    "type",   "subject", "min_confidence", "agent",    "task_id",  "since",
    "status", "text",    "limit",          "category", "audience", "applies_to"};
constexpr std::array<std::string_view, 1> kInsightGetFields = {"id"};

struct QuestionSpec {
  std::string_view name;
  std::span<const std::string_view> fields;
  Result<Json> (*ask)(const store::WorkView& view, const Question& question, const Args& args);
};

Result<Task> read_task(const store::WorkView& view, const WorkRow& row) {
  CC_ASSIGN(const std::optional<store::JournalSpan> span, view.span(row.span_id));
  if (!span) {
    return Error{Code::corruption,
                 "the span of task " + row.id + " is missing",
                 "run contextcore rebuild",
                 {},
                 {}};
  }
  return task_from_span(*span);
}

Result<Json> task_page(const store::WorkView& view, const std::vector<const WorkRow*>& rows,
                       int64_t total) {
  JsonArray items;
  for (const WorkRow* row : rows) {
    CC_ASSIGN(const Task task, read_task(view, *row));
    items.push_back(task_json(task, *row, view.now_ns()));
  }
  return Json(JsonObject{{"items", Json(std::move(items))}, {"total", Json(total)}});
}

Json phases_json(const store::WorkView& view, const WorkRow& row) {
  std::vector<const WorkRow*> phases;
  for (const WorkRow* child : view.index().children(row.span_id)) {
    if (child->kind == store::WorkKind::phase) phases.push_back(child);
  }
  const auto ordinal = [](const WorkRow* phase) { return std::pair(phase->id.size(), phase->id); };
  std::sort(phases.begin(), phases.end(),
            [&](const auto* a, const auto* b) { return ordinal(a) < ordinal(b); });
  JsonArray out;
  for (const WorkRow* phase : phases) {
    JsonObject one{{"status", Json(status_name(row_status(*phase)))},
                   {"from", Json(format_rfc3339(phase->start_ns))}};
    if (phase->end_ns != 0) one.emplace_back("to", Json(format_rfc3339(phase->end_ns)));
    out.emplace_back(std::move(one));
  }
  return Json(std::move(out));
}

Result<Json> ask_get(const store::WorkView& view, const Question& question, const Args& args) {
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_ASSIGN(const bool with_events, args.flag("events"));
  CC_ASSIGN(const bool with_comments, args.flag("comments"));
  CC_ASSIGN(const WorkRow* row, resolve_task(view, question.project, id));
  CC_ASSIGN(const Task task, read_task(view, *row));
  Json json = task_json(task, *row, view.now_ns());
  JsonObject& out = std::get<JsonObject>(json.data);
  out.emplace_back("phases", phases_json(view, *row));
  if (!with_events && !with_comments) return json;
  CC_ASSIGN(const auto records, view.events(row->span_id));
  JsonArray events, comments;
  for (const otlp::LogRecord& record : records) {
    CC_ASSIGN(const Event event, event_from_record(record, nullptr));
    if (event.name == names::event::kTaskCommented) {
      comments.push_back(Json(JsonObject{{"time", Json(format_rfc3339(event.time_ns))},
                                         {"author", Json(event.text(names::field::kAuthor))},
                                         {"text", Json(event.text(names::field::kText))}}));
    }
    if (with_events) events.push_back(event_json(event));
  }
  if (with_comments) out.emplace_back("comments", Json(std::move(comments)));
  if (with_events) out.emplace_back("events", Json(std::move(events)));
  return json;
}

struct ListFilter {
  std::vector<std::string> statuses, types;
  std::string project, label;
  std::optional<std::string> assignee;
  std::optional<otlp::SpanId> parent;
  std::optional<bool> open;
};

Result<ListFilter> list_filter(const store::WorkView& view, const Question& question,
                               const Args& args) {
  ListFilter filter;
  CC_ASSIGN(filter.statuses, args.choices("status", kTaskStatusNames));
  CC_ASSIGN(filter.types, args.choices("type", kTaskTypes));
  CC_ASSIGN(filter.label, args.text("label"));
  CC_ASSIGN(filter.project, args.text("project"));
  if (filter.project.empty()) filter.project = question.project;
  if (args.has("assignee")) {
    CC_ASSIGN(filter.assignee, args.text("assignee"));
  }
  if (args.has("open")) {
    CC_ASSIGN(filter.open, args.flag("open"));
  }
  CC_ASSIGN(const std::string parent, args.text("parent"));
  if (!parent.empty()) {
    CC_ASSIGN(const WorkRow* row, resolve_task(view, filter.project, parent));
    filter.parent = row->span_id;
  }
  return filter;
}

bool accepts(const ListFilter& filter, const WorkRow& row) {
  const auto one_of = [](const std::vector<std::string>& list, std::string_view value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
  };
  if (!is_task(row)) return false;
  if (!filter.project.empty() && row.project != filter.project) return false;
  if (filter.parent && row.parent_span_id != *filter.parent) return false;
  if (filter.open && *filter.open != (row.end_ns == 0)) return false;
  if (filter.assignee && row.assignee != *filter.assignee) return false;
  return one_of(filter.types, row.type) && one_of(filter.statuses, status_name(row_status(row)));
}

// Latest change first.
bool newer(const WorkRow* a, const WorkRow* b) {
  if (a->updated_ns != b->updated_ns) return a->updated_ns > b->updated_ns;
  return std::tie(a->project, a->id) < std::tie(b->project, b->id);
}

Result<Json> ask_list(const store::WorkView& view, const Question& question, const Args& args) {
  CC_ASSIGN(const ListFilter filter, list_filter(view, question, args));
  CC_ASSIGN(const size_t limit, limit_of(args));
  std::vector<const WorkRow*> found;
  view.index().scan([&](const WorkRow& row) {
    if (accepts(filter, row)) found.push_back(&row);
    return true;
  });
  if (!filter.label.empty()) {
    std::vector<const WorkRow*> labelled;
    for (const WorkRow* row : found) {
      CC_ASSIGN(const bool has, has_label(view, *row, filter.label));
      if (has) labelled.push_back(row);
    }
    found = std::move(labelled);
  }
  const auto total = static_cast<int64_t>(found.size());
  const size_t shown = std::min(limit, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(shown), found.end(),
                    newer);
  found.resize(shown);
  return task_page(view, found, total);
}

Result<Json> ask_ready(const store::WorkView& view, const Question& question, const Args& args) {
  CC_ASSIGN(ReadyFilter filter, ready_filter(args, question.project, question.actor));
  CC_ASSIGN(filter.limit, limit_of(args));
  CC_ASSIGN(const ReadyPage page, find_ready(view, filter));
  return task_page(view, page.rows, page.total);
}

struct ProjectCounts {
  std::array<int64_t, kTaskStatusNames.size()> by_status{};
  int64_t tasks = 0, open = 0, ready = 0, overdue = 0, insights = 0, updated_ns = 0;
};

Result<Json> ask_projects(const store::WorkView& view, const Question&, const Args&) {
  const int64_t now = view.now_ns();
  std::map<std::string, ProjectCounts> projects;
  view.index().scan([&](const WorkRow& row) {
    if (is_insight(row)) projects[row.project].insights++;
    if (!is_task(row) || row.status == 0 || row.status > kTaskStatusNames.size()) return true;
    ProjectCounts& counts = projects[row.project];
    counts.tasks++;
    counts.by_status[row.status - 1u]++;
    if (row.end_ns == 0) counts.open++;
    if (is_ready(row, now, false)) counts.ready++;
    if (row.end_ns == 0 && row.due_ns != 0 && row.due_ns < now) counts.overdue++;
    counts.updated_ns = std::max(counts.updated_ns, row.updated_ns);
    return true;
  });
  JsonArray items;
  for (const auto& [name, counts] : projects) {
    JsonObject statuses;
    for (size_t i = 0; i < counts.by_status.size(); i++) {
      statuses.emplace_back(kTaskStatusNames[i], Json(counts.by_status[i]));
    }
    JsonObject one{{"project", Json(name)},
                   {"tasks", Json(counts.tasks)},
                   {"open", Json(counts.open)},
                   {"ready", Json(counts.ready)},
                   {"overdue", Json(counts.overdue)},
                   {"insights", Json(counts.insights)},
                   {"by_status", Json(std::move(statuses))}};
    if (counts.updated_ns != 0)
      one.emplace_back("updated", Json(format_rfc3339(counts.updated_ns)));
    items.emplace_back(std::move(one));
  }
  const auto total = static_cast<int64_t>(items.size());
  return Json(JsonObject{{"items", Json(std::move(items))}, {"total", Json(total)}});
}

const std::array<QuestionSpec, 7> kQuestions = {{
    {"task.get", kGetFields, ask_get},
    {"task.list", kListFields, ask_list},
    {"task.ready", kReadyFields, ask_ready},
    {"task.why", kWhyFields, ask_why},
    {"project.list", kNoFields, ask_projects},
    {"insight.query", kInsightQueryFields, ask_insights},
    {"insight.get", kInsightGetFields, ask_insight},
}};

}  // namespace

Result<size_t> limit_of(const Args& args) {
  CC_ASSIGN(const auto limit, args.integer("limit", 1, 1'000'000));
  return static_cast<size_t>(limit.value_or(50));
}

Result<Json> ask(const store::WorkView& view, const Question& question) {
  std::vector<std::string_view> known;
  for (const QuestionSpec& spec : kQuestions) {
    if (spec.name == question.op) {
      CC_TRY(check_utf8(question.args));
      CC_ASSIGN(const Args args, Args::make(question.op, question.args, spec.fields));
      return spec.ask(view, question, args);
    }
    known.push_back(spec.name);
  }
  return unknown_name("question", question.op, known);
}

}  // namespace contextcore::work
