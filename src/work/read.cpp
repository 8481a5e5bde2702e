#include "work/read.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

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
// What every question takes that filters tasks.
constexpr std::array<std::string_view, 9> kFilterFields = {
    "type", "assignee", "label", "priority", "sprint", "project", "all_projects", "mine", "limit"};
constexpr std::array<std::string_view, 15> kListFields = {
    "status",     "open",       "deleted",      "parent",     "subtree",
    "text",       "sort",       "created_from", "created_to", "updated_from",
    "updated_to", "ended_from", "ended_to",     "due_from",   "due_to"};
constexpr std::array<std::string_view, 1> kStaleFields = {"days"};
constexpr std::array<std::string_view, 3> kTreeFields = {"id", "depth", "open"};
constexpr std::array<std::string_view, 1> kCriticalPathFields = {"by"};
constexpr std::array<std::string_view, 2> kSearchFields = {"text", "status"};
constexpr std::array<std::string_view, 6> kReadyFields = {
    "type", "priority", "label", "include_backlog", "assignee", "limit"};
constexpr std::array<std::string_view, 1> kWhyFields = {"id"};
constexpr std::span<const std::string_view> kNoFields;
constexpr std::array<std::string_view, 12> kInsightQueryFields = {
    "type",   "subject", "min_confidence", "agent",    "task_id",  "since",
    "status", "text",    "limit",          "category", "audience", "applies_to"};
constexpr std::array<std::string_view, 1> kInsightGetFields = {"id"};

constexpr std::array<std::string_view, 4> kHistoryFields = {"id", "from", "to", "limit"};
constexpr std::array<std::string_view, 5> kDiffFields = {"from", "to", "project", "all_projects",
                                                         "limit"};

constexpr std::array<std::string_view, 4> kExportFields = {"after", "limit", "project",
                                                           "all_projects"};

constexpr std::array<std::string_view, 2> kSprintListFields = {"open", "limit"};
constexpr std::array<std::string_view, 4> kForeignFields = {"id", "limit", "project",
                                                            "all_projects"};

struct QuestionSpec {
  std::string_view name;
  std::span<const std::string_view> fields;
  Result<Json> (*ask)(const Reading& reading, const Question& question, const Args& args);
  bool filters = false;  // kFilterFields besides
  bool of_past = true;   // can be asked as of an earlier moment
  Status (*write)(const Reading& reading, const Question& question, const Args& args, std::string& out) = nullptr;
};

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

Result<Json> ask_get(const Reading& reading, const Question& question, const Args& args) {
  const store::WorkView& view = reading.view;
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

Result<Json> ask_ready(const Reading& reading, const Question& question, const Args& args) {
  const store::WorkView& view = reading.view;
  const std::vector<std::string_view> own_types(question.vocabulary.types.begin(),
                                                question.vocabulary.types.end());
  CC_ASSIGN(ReadyFilter filter,
            ready_filter(view, args, question.project, question.actor, own_types));
  CC_ASSIGN(filter.limit, limit_of(args));
  CC_ASSIGN(const ReadyPage page, find_ready(view, filter));
  return task_page(view, page.rows, page.total);
}

struct ProjectCounts {
  std::array<int64_t, kTaskStatusNames.size()> by_status{};
  int64_t tasks = 0, open = 0, ready = 0, overdue = 0, insights = 0, updated_ns = 0;
};

Result<Json> ask_projects(const Reading& reading, const Question&, const Args&) {
  const store::WorkView& view = reading.view;
  const int64_t now = view.now_ns();
  std::map<std::string, ProjectCounts, std::less<>> projects;
  const store::WorkFilter wanted{store::WorkFilter::bit(store::WorkKind::task) |
                                     store::WorkFilter::bit(store::WorkKind::insight),
                                 false};
  const auto counts_of = [&](std::string_view project) -> ProjectCounts& {
    const auto known = projects.find(project);
    return known != projects.end() ? known->second : projects[std::string(project)];
  };
  view.index().scan_keys(wanted, [&](const store::WorkKey& row) {
    if (is_insight(row)) counts_of(row.project).insights++;
    if (!is_task(row) || row.status == 0 || row.status > kTaskStatusNames.size()) return true;
    ProjectCounts& counts = counts_of(row.project);
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

const std::array kQuestions = std::to_array<QuestionSpec>({
    {"task.get", kGetFields, ask_get},
    {"task.list", kListFields, ask_list, true, true, write_list},
    {"task.ready", kReadyFields, ask_ready},
    {"task.why", kWhyFields, ask_why},
    {"task.history", kHistoryFields, ask_history},
    {"task.blocked", kNoFields, ask_blocked, true},
    {"task.overdue", kNoFields, ask_overdue, true},
    {"task.stale", kStaleFields, ask_stale, true},
    {"task.tree", kTreeFields, ask_tree, true},
    {"task.search", kSearchFields, ask_search, true},
    {"task.foreign", kForeignFields, ask_foreign, false, false},
    {"task.overview", kNoFields, ask_overview, true},
    {"project.list", kNoFields, ask_projects},
    {"project.diff", kDiffFields, ask_diff, false, false},
    {"project.workload", kNoFields, ask_workload, true},
    {"project.critical_path", kCriticalPathFields, ask_critical_path, true},
    {"log.export", kExportFields, ask_export, false, false},
    {"insight.query", kInsightQueryFields, ask_insights},
    {"insight.get", kInsightGetFields, ask_insight},
    {"sprint.list", kSprintListFields, ask_sprints},
});

// The project whose past has to be known; "" = all.
Result<std::string> project_of(const store::WorkView& view, const Question& question,
                               const Args& args) {
  if (args.has("id") && question.op.starts_with("task.")) {
    CC_ASSIGN(const std::string id, args.required("id"));
    CC_ASSIGN(const WorkRow* row, resolve_task(view, question.project, id));
    return row->project;
  }
  CC_ASSIGN(std::string project, args.text("project"));
  CC_ASSIGN(const bool all, args.flag("all_projects"));
  if (all || question.op == "project.list") return std::string();
  return project.empty() ? question.project : std::move(project);
}

// Where an answer goes: a tree, or appended to a text.
struct Answer {
  TaskMembers shown = {};
  std::string* text = nullptr;
  Json tree = {};
};

Status give(const QuestionSpec& spec, const Reading& reading, const Question& question, const Args& args, Answer& answer) {
  Reading of_shown = reading;
  of_shown.shown = answer.shown;
  if (answer.text == nullptr) {
    CC_ASSIGN(answer.tree, spec.ask(of_shown, question, args));
  } else if (spec.write != nullptr) {
    CC_TRY(spec.write(of_shown, question, args, *answer.text));
  } else {
    CC_ASSIGN(const Json tree, spec.ask(of_shown, question, args));
    append_members(tree, *answer.text);
  }
  return reading.view.index().status();
}

Status ask_past(const QuestionSpec& spec, const Reading& present, const Moment& moment, const Question& question,
                const Args& args, Answer& answer) {
  if (question.op == "task.get" && !question.project.empty()) {
    CC_ASSIGN(const std::string id, args.required("id"));
    const WorkRow* row = present.view.index().find(span_id("task", question.project, id));
    if (row != nullptr && is_task(*row)) {
      CC_ASSIGN(const auto task, PastView::make_of_task(present.view, present.source, moment, *row));
      if (task != nullptr) return give(spec, {*task, present.source, moment}, question, args, answer);
    }
  }
  CC_ASSIGN(const std::string project, project_of(present.view, question, args));
  CC_ASSIGN(const auto past, PastView::make(present.view, present.source, moment, project));
  const Status given = give(spec, {*past, present.source, moment}, question, args, answer);
  if (given.ok() || given.error().code != Code::not_found) return given;
  Error error = given.error();
  error.message += " at " + format_rfc3339(moment.now_ns());
  return error;
}

Status ask(const QuestionSpec& spec, const Reading& present, const Question& question, Answer& answer) {
  std::vector<std::string_view> fields(spec.fields.begin(), spec.fields.end());
  if (spec.filters) fields.insert(fields.end(), kFilterFields.begin(), kFilterFields.end());
  if (spec.of_past) fields.insert(fields.end(), {"as_of", "known_at"});
  CC_TRY(check_utf8(question.args));
  CC_ASSIGN(const Args args, Args::make(question.op, question.args, fields));
  if (!spec.of_past) return give(spec, present, question, args, answer);
  CC_ASSIGN(const Moment moment, moment_of(args, present.view.now_ns()));
  if (moment.past()) return ask_past(spec, present, moment, question, args, answer);
  return give(spec, present, question, args, answer);
}

Status ask(const store::WorkView& view, const store::Source& source, const Question& question, Answer& answer) {
  std::vector<std::string_view> known;
  for (const QuestionSpec& spec : kQuestions) {
    if (spec.name == question.op) {
      CC_TRY(ask(spec, {view, source, {}}, question, answer));
      return view.index().status();
    }
    known.push_back(spec.name);
  }
  return unknown_name("question", question.op, known);
}

}  // namespace

Result<const Task*> TaskReader::read(const otlp::SpanId& id, std::string_view task_id) {
  if (past_ != nullptr) {
    if (const Task* task = past_->task(id)) return task;
  }
  CC_ASSIGN(const std::optional<store::JournalSpan> span, view_.span(id));
  if (!span) {
    return Error{Code::corruption,
                 "the span of task " + std::string(task_id) + " is missing",
                 "run contextcore rebuild",
                 {},
                 {}};
  }
  CC_ASSIGN(read_, task_from_span(*span));
  return &std::as_const(read_);
}

Result<Task> read_task(const store::WorkView& view, const WorkRow& row) {
  TaskReader reader(view);
  CC_ASSIGN(const Task* task, reader.read(row.span_id, row.id));
  return *task;
}

Result<Json> task_page(const store::WorkView& view, const std::vector<const WorkRow*>& rows,
                       int64_t total) {
  JsonArray items;
  TaskReader tasks(view);
  for (const WorkRow* row : rows) {
    CC_ASSIGN(const Task* task, tasks.read(row->span_id, row->id));
    items.push_back(task_json(*task, *row, view.now_ns()));
  }
  return Json(JsonObject{{"items", Json(std::move(items))}, {"total", Json(total)}});
}

Result<size_t> limit_of(const Args& args) {
  CC_ASSIGN(const auto limit, args.integer("limit", 1, 1'000'000));
  return static_cast<size_t>(limit.value_or(50));
}

Result<Json> ask(const store::WorkView& view, const store::Source& source,
                 const Question& question, std::span<const std::string_view> shown) {
  Answer answer;
  if (!shown.empty()) answer.shown = TaskMembers(shown);
  CC_TRY(ask(view, source, question, answer));
  return std::move(answer.tree);
}

Status ask_text(const store::WorkView& view, const store::Source& source, const Question& question, std::string& out) {
  Answer answer;
  answer.text = &out;
  return ask(view, source, question, answer);
}

}  // namespace contextcore::work
