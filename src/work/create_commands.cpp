// task.create and task.start.

#include <array>

#include "base/hash.h"
#include "work/execute_ops.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/read.h"
#include "work/task_changes.h"
#include "work/task_fields.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

// Letters and digits of the project's name, short enough to type.
std::string default_prefix(std::string_view project) {
  std::string prefix;
  for (const char c : project) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool upper = c >= 'A' && c <= 'Z';
    if (letter) prefix += c;
    if (upper) prefix += static_cast<char>(c - 'A' + 'a');
    if (!letter && !upper && !prefix.empty() && prefix.back() != '-') prefix += '-';
    if (prefix.size() >= 12) break;
  }
  while (!prefix.empty() && prefix.back() == '-') prefix.pop_back();
  return prefix.empty() ? "task" : prefix;
}

// <prefix>-<4+ base32>, longer while it is taken. A function of the command, so that planning again
// under the lock gives the same id unless somebody took it meanwhile.
std::string make_id(const Transaction& transaction, std::string_view prefix,
                    std::string_view title) {
  static constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  const Command& command = transaction.command();
  std::string seed = command.command_id;
  if (seed.empty()) seed = std::string(title) + std::to_string(transaction.now_ns());
  const auto digest = sha256("contextcore.task_id" + std::string(1, '\0') + seed);
  std::string id = std::string(prefix) + "-";
  for (size_t i = 0; i < digest.size(); i++) {
    id += kAlphabet[digest[i] & 31];
    if (i >= 3 && !transaction.row(span_id("task", command.project, id))) break;
  }
  return id;
}

// task.import: as task.create, of a task that was kept elsewhere.
bool is_import(const Args& args) { return args.op() == "task.import"; }

// What task.created tells, checked.
Result<Line> created_line(const Transaction& transaction, const Args& args,
                          const StatusName& status) {
  Line line;
  CC_ASSIGN(const std::string title, title_of(args));
  CC_ASSIGN(std::string type, args.choice("type", transaction.type_names()));
  CC_ASSIGN(const std::string priority, args.choice("priority", kPriorityNames));
  CC_ASSIGN(const std::string assignee, args.text("assignee"));
  CC_ASSIGN(const std::string parent, args.text("parent_id"));
  CC_ASSIGN(const std::string sprint, args.text("sprint_id"));
  CC_ASSIGN(const std::string description, args.text("description"));
  CC_ASSIGN(const std::string url, args.text("url"));
  CC_ASSIGN(const std::string due, args.time("due_date"));
  CC_ASSIGN(const std::string defer, args.time("defer_until"));
  CC_ASSIGN(const auto points, args.integer("story_points", 0, kPointsMax));
  CC_ASSIGN(const auto minutes, args.integer("estimate_minutes", 0, kMinutesMax));
  CC_ASSIGN(const auto labels, args.list("labels"));
  CC_ASSIGN(const auto criteria, args.list("acceptance_criteria"));
  CC_ASSIGN(const JsonObject attributes, args.object("attributes"));
  CC_ASSIGN(const auto deliverables, deliverables_of(args));
  CC_TRY(check_attributes(attributes));
  line.text(field::kTaskType, type.empty() ? "task" : type)
      .text(field::kTaskTitle, title)
      .text(field::kSprintId, sprint)
      .text(field::kStatus, status.own.empty() ? status_name(status.base) : status.own)
      .text(field::kBaseStatus, status.own.empty() ? std::string_view() : status_name(status.base))
      .text(field::kPriority, priority)
      .text(field::kAssignee, assignee)
      .text(field::kParentId, parent)
      .list(field::kLabels, labels)
      .text(field::kDescription, description)
      .integer(field::kStoryPoints, points)
      .integer(field::kEstimateMinutes, minutes)
      .text(field::kUrl, url)
      .text(field::kDueDate, due)
      .text(field::kDeferUntil, defer)
      .list(field::kAcceptanceCriteria, criteria)
      .list(field::kDeliverables, deliverables)
      .object(field::kAttrsJson, attributes);
  if (is_import(args)) {
    CC_ASSIGN(const std::string source, args.required("source"));
    CC_ASSIGN(const std::string source_time, args.time("source_time"));
    line.text(field::kSource, source).text(field::kSourceTime, source_time);
  }
  return line;
}

Result<otlp::TraceId> trace_of_new(Transaction& transaction, const Args& args,
                                   std::string_view id) {
  const std::string& project = transaction.command().project;
  CC_ASSIGN(const std::string parent_id, args.text("parent_id"));
  if (parent_id.empty()) return trace_id("task", project, id);
  auto parent = find_task(transaction.view(), project, parent_id);
  if (!parent.ok()) {
    Error error = std::move(parent).error();
    error.message = "parent: " + error.message;
    return error;
  }
  if (is_ended(row_status(**parent))) {
    return Error{
        Code::failed_precondition,
        "the parent " + parent_id + " ended as " + std::string(status_name(row_status(**parent))),
        "reopen it first, or give another parent",
        {},
        {}};
  }
  return (*parent)->trace_id;
}

// `depends_on`: ids, or objects {id, project?, when?}.
Status add_dependencies(Transaction& transaction, Entry& entry, const Args& args) {
  CC_ASSIGN(const auto ids, args.list("depends_on"));
  for (const std::string& id : ids) {
    CC_TRY(check_id("depends_on", id));
    const auto [project, target] = target_of(transaction, entry.task(), {}, id);
    CC_TRY(add_dependency(transaction, entry, project, target, DependsWhen::done).status());
  }
  return {};
}

Status create(Transaction& transaction, const Args& args, std::string_view id,
              const StatusName& status, Answer& answer) {
  const bool later = status.base == TaskStatus::blocked || is_ended(status.base);
  CC_ASSIGN(Line line, created_line(transaction, args, later ? StatusName{} : status));
  CC_ASSIGN(const otlp::TraceId trace, trace_of_new(transaction, args, id));
  Entry& entry = transaction.make(transaction.command().project, id, trace);
  CC_TRY(transaction.emit(entry, is_import(args) ? ev::kTaskImported : ev::kTaskCreated,
                          std::move(line)));
  CC_TRY(add_dependencies(transaction, entry, args));
  if (later) {
    StatusChange change;
    change.to = status.base;
    change.own = status.own;
    CC_TRY(change_status(transaction, entry, change));
  }
  answer.task = &entry;
  return {};
}

// The fields of a call on an existing task that would have set something it does not have.
void warn_of_ignored(Transaction& transaction, const Args& args, const Task& task) {
  static constexpr std::array<std::string_view, 14> kFields = {
      "type",         "priority",           "assignee",
      "story_points", "estimate_minutes",   "labels",
      "parent_id",    "depends_on",         "url",
      "due_date",     "defer_until",        "sprint_id",
      "description",  "acceptance_criteria"};
  const auto same = [&](std::string_view name) {
    const Json* value = args.find(name);
    const std::string text = value && value->as_string() ? *value->as_string() : "";
    if (name == "type") return text == task.type;
    if (name == "priority") return text == task.priority;
    if (name == "assignee") return text == task.assignee;
    if (name == "parent_id") return text == task.parent_id;
    if (name == "url") return text == task.url;
    if (name == "sprint_id") return text == task.sprint_id;
    if (name == "description") return text == task.description;
    if (name == "story_points") return value->as_int() && task.story_points == *value->as_int();
    if (name == "estimate_minutes")
      return value->as_int() && task.estimate_minutes == *value->as_int();
    const auto list = args.list(name);
    if (name == "labels") return list.ok() && *list == task.labels;
    if (name == "acceptance_criteria") return list.ok() && *list == task.acceptance_criteria;
    if (name == "depends_on") {
      if (!list.ok()) return false;
      for (const std::string& id : *list) {
        bool found = false;
        for (const TaskLink& link : task.links)
          found = found || (link.type == kLinkTypes[0] && link.task_id == id);
        if (!found) return false;
      }
      return true;
    }
    const auto time = args.time(name);
    return time.ok() && *time == (name == "due_date" ? task.due_date : task.defer_until);
  };
  std::string ignored;
  for (const std::string_view name : kFields) {
    if (args.has(name) && !same(name)) ignored += (ignored.empty() ? "" : ", ") + std::string(name);
  }
  if (!ignored.empty()) transaction.warn("task " + task.id + " exists; left as it is: " + ignored);
}

Status check_title(const Args& args, const Task& task) {
  CC_ASSIGN(const std::string title, args.text("title"));
  if (title.empty() || title == task.title) return {};
  return Status(Error{Code::already_exists,
                      "task " + task.id + " exists with the title \"" + task.title + "\"",
                      "give another id, or leave the title out",
                      {},
                      {}});
}

Status check_project(const Transaction& transaction) {
  const std::string& project = transaction.command().project;
  if (project.empty()) {
    return Status(Error{Code::invalid_argument,
                        "a new task needs a project",
                        "give one, or run contextcore init",
                        {},
                        {}});
  }
  return check_id("project", project);
}

}  // namespace

Status run_task_create(Transaction& transaction, const Args& args, Answer& answer) {
  CC_TRY(check_project(transaction));
  CC_ASSIGN(std::string id, args.text("id"));
  CC_ASSIGN(const bool if_absent, args.flag("if_absent"));
  CC_ASSIGN(const std::string status_text, args.text("status"));
  CC_ASSIGN(std::string prefix, args.text("id_prefix"));
  CC_ASSIGN(const StatusName status,
            status_of(transaction, status_text.empty() ? "todo" : status_text));
  if (id.empty()) {
    CC_ASSIGN(const std::string title, args.text("title"));
    if (prefix.empty()) prefix = default_prefix(transaction.command().project);
    id = make_id(transaction, prefix, title);
  }
  CC_TRY(check_id("task id", id));
  const otlp::SpanId span = span_id("task", transaction.command().project, id);
  if (!transaction.row(span)) return create(transaction, args, id, status, answer);
  CC_ASSIGN(Entry * entry, transaction.load(span));
  if (entry->task().deleted) {
    return Status(Error{Code::already_exists,
                        "task " + id + " exists and is deleted: \"" + entry->task().title + "\"",
                        "bring it back with task undelete, or give another id",
                        {},
                        {}});
  }
  if (!if_absent) {
    return Status(Error{Code::already_exists,
                        "task " + id + " exists already: \"" + entry->task().title + "\"",
                        "give another id, or if_absent to have the existing one",
                        {},
                        {}});
  }
  CC_TRY(check_title(args, entry->task()));
  warn_of_ignored(transaction, args, entry->task());
  answer.task = entry;
  answer.changed = false;
  answer.ended = entry->task().ended();
  return {};
}

Status run_task_start(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_TRY(check_id("task id", id));
  CC_ASSIGN(const bool as_typed, args.flag("resolve"));
  const std::string& project = transaction.command().project;
  auto found = as_typed ? resolve_task(transaction.view(), project, id)
                        : find_task(transaction.view(), project, id);
  // A prefix must not swallow a new id that comes with a title.
  const bool exact = found.ok() && (*found)->id == id;
  if (args.has("title") && !exact) {
    CC_TRY(check_project(transaction));
    const store::WorkRow* there =
        transaction.row(span_id("task", transaction.command().project, id));
    if (there) {
      return Status(Error{Code::already_exists,
                          "task " + id + " exists and is deleted",
                          "bring it back with task undelete, or give another id",
                          {},
                          {}});
    }
    return create(transaction, args, id, {}, answer);
  }
  if (!found.ok()) {
    Error error = std::move(found).error();
    if (error.code == Code::not_found) error.hint = "give a title to create it";
    return Status(std::move(error));
  }
  CC_ASSIGN(Entry * entry, transaction.subject((*found)->id, as_typed));
  const Task& task = entry->task();
  CC_TRY(check_title(args, task));
  if (task.ended()) return Status(ended_error(task));
  if (task.status == TaskStatus::blocked) {
    return Status(Error{
        Code::failed_precondition, "task " + task.id + " is blocked", "unblock it first", {}, {}});
  }
  warn_of_ignored(transaction, args, task);
  answer.task = entry;
  answer.changed = is_not_started(task.status);
  if (!answer.changed) return {};
  StatusChange change;
  change.to = TaskStatus::in_progress;
  return change_status(transaction, *entry, change);
}

}  // namespace contextcore::work
