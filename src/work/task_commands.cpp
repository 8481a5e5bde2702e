// Status, comments, assignment, progress, parent and dependencies.

#include <algorithm>

#include "work/execute_ops.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/read.h"
#include "work/task_changes.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

Result<std::optional<int64_t>> token_of(const Args& args) {
  return args.integer("token", 0, INT64_MAX);
}

// The command is about an ended task: "already so", a mild answer where it was asked for, else an
// error.
Status meet_ended(Transaction& transaction, const Args& args, const Entry& entry,
                  std::optional<TaskStatus> wanted, Answer& answer) {
  const Task& task = entry.task();
  if (const auto token = token_of(args); token.ok() && *token) {
    // The last claim's holder may say it twice; anybody else is told that the claim is over.
    CC_ASSIGN(const auto records, transaction.view().events(task.span_id));
    int64_t last = 0;
    for (const otlp::LogRecord& record : records) {
      if (record.event_name != ev::kTaskClaimed) continue;
      CC_ASSIGN(const Event event, event_from_record(record, nullptr));
      last = std::max(last, event.revision);
    }
    if (**token != last) {
      return Status(Error{Code::conflict,
                          "token " + std::to_string(**token) + " is no longer current: task " +
                              task.id + " has ended as " + std::string(status_name(task.status)),
                          {},
                          {},
                          {}});
    }
  }
  bool lenient = false;
  if (args.has("lenient")) {
    CC_ASSIGN(lenient, args.flag("lenient"));
  }
  const bool already = wanted && *wanted == task.status;
  if (!already && !lenient) return Status(ended_error(task));
  answer.changed = false;
  answer.ended = true;
  if (!already) transaction.warn(ended_error(task).to_string());
  return {};
}

bool holder_only(TaskStatus status) {
  return status == TaskStatus::blocked || status == TaskStatus::done ||
         status == TaskStatus::failed;
}

// The common road of every command that moves a task.
Status move(Transaction& transaction, const Args& args, const StatusChange& change,
            Answer& answer) {
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  std::optional<int64_t> token;
  if (args.has("token")) {
    CC_ASSIGN(token, token_of(args));
  }
  const Task& task = entry->task();
  if (task.ended()) return meet_ended(transaction, args, *entry, change.to, answer);
  if (holder_only(change.to) || token) CC_TRY(check_claim(transaction, *entry, token));
  if (task.status == change.to && task.own_status == change.own &&
      (change.to != TaskStatus::blocked ||
       (change.reason == task.blocked_reason && change.blocked_by == task.blocked_by))) {
    answer.changed = false;
    return {};
  }
  return change_status(transaction, *entry, change);
}

}  // namespace

Result<Entry*> subject_of(Transaction& transaction, const Args& args) {
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_ASSIGN(const bool as_typed, args.flag("resolve"));
  return transaction.subject(id, as_typed);
}

Status run_task_status(Transaction& transaction, const Args& args, Answer& answer) {
  StatusChange change;
  CC_ASSIGN(const std::string text, args.required("status"));
  CC_ASSIGN(StatusName status, status_of(transaction, text));
  change.to = status.base;
  change.own = std::move(status.own);
  CC_ASSIGN(change.reason, args.text("reason"));
  return move(transaction, args, change, answer);
}

Status run_task_complete(Transaction& transaction, const Args& args, Answer& answer) {
  StatusChange change;
  change.to = TaskStatus::done;
  CC_ASSIGN(change.outcome, args.text("outcome"));
  if (args.has("results")) {
    CC_ASSIGN(Entry * entry, subject_of(transaction, args));
    if (!entry->task().ended()) {
      CC_TRY(verify_deliverables(transaction, *entry, args));
      const Task& task = entry->task();
      const auto count = static_cast<int64_t>(task.deliverables.size());
      if (const int64_t bad = count - task.deliverables_verified.value_or(0); bad > 0) {
        transaction.warn(std::to_string(bad) + " of " + std::to_string(count) +
                         " deliverables not found good");
      }
    }
  }
  return move(transaction, args, change, answer);
}

Status run_task_fail(Transaction& transaction, const Args& args, Answer& answer) {
  StatusChange change;
  change.to = TaskStatus::failed;
  CC_ASSIGN(change.reason, args.text("reason"));
  CC_ASSIGN(change.error_type, args.text("error_type"));
  CC_ASSIGN(change.outcome, args.text("outcome"));
  return move(transaction, args, change, answer);
}

Status run_task_cancel(Transaction& transaction, const Args& args, Answer& answer) {
  StatusChange change;
  change.to = TaskStatus::cancelled;
  CC_ASSIGN(change.reason, args.text("reason"));
  return move(transaction, args, change, answer);
}

Status run_task_block(Transaction& transaction, const Args& args, Answer& answer) {
  StatusChange change;
  change.to = TaskStatus::blocked;
  CC_ASSIGN(change.reason, args.required("reason"));
  CC_ASSIGN(const std::vector<std::string> by, args.list("by"));
  CC_ASSIGN(const auto token, token_of(args));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  if (entry->task().ended()) return meet_ended(transaction, args, *entry, {}, answer);
  CC_TRY(check_claim(transaction, *entry, token));
  for (const std::string& id : by) {
    CC_TRY(check_id("by", id));
    const auto [project, target] = target_of(transaction, entry->task(), {}, id);
    CC_TRY(add_dependency(transaction, *entry, project, target, DependsWhen::done).status());
    const store::WorkRow* blocker = transaction.row(span_id("task", project, target));
    if (blocker && is_ended(row_status(*blocker))) {
      transaction.warn("task " + target + " is " + std::string(status_name(row_status(*blocker))) +
                       " already");
    }
    change.blocked_by.push_back(target);
  }
  return move(transaction, args, change, answer);
}

Status run_task_unblock(Transaction& transaction, const Args& args, Answer& answer) {
  StatusChange change;
  CC_ASSIGN(const std::string status, args.text("status"));
  StatusName to;
  if (!status.empty()) {
    CC_ASSIGN(to, status_of(transaction, status));
  }
  CC_ASSIGN(change.resolution, args.text("resolution"));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  if (entry->task().ended()) return meet_ended(transaction, args, *entry, {}, answer);
  if (entry->task().status != TaskStatus::blocked) {
    transaction.warn("task " + entry->task().id + " is not blocked");
    answer.changed = false;
    return {};
  }
  if (status.empty()) to = former_status(transaction, *entry);
  change.to = to.base;
  change.own = std::move(to.own);
  if (change.to == TaskStatus::blocked || is_ended(change.to)) {
    return Status(Error{Code::invalid_argument,
                        "unblocking leads to an open status, not to " + status,
                        "use complete, fail or cancel to end it",
                        {},
                        {}});
  }
  return change_status(transaction, *entry, change);
}

Status run_task_comment(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string text, args.required("text"));
  CC_ASSIGN(std::string author, args.text("author"));
  const Actor& actor = transaction.command().actor;
  if (author.empty()) author = actor.actor.empty() ? actor.agent_id : actor.actor;
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  return transaction.emit(*entry, ev::kTaskCommented,
                          Line().text(field::kAuthor, author).text(field::kText, text));
}

Status run_task_assign(Transaction& transaction, const Args& args, Answer& answer) {
  if (!args.has("assignee") && !args.is_null("assignee")) {
    return Status(Error{
        Code::invalid_argument, "task.assign needs assignee", "null assigns it to nobody", {}, {}});
  }
  CC_ASSIGN(const std::string assignee, args.text("assignee"));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  const Task& task = entry->task();
  if (task.ended()) return Status(ended_error(task));
  answer.changed = task.assignee != assignee;
  if (!answer.changed) return {};
  return transaction.emit(
      *entry, ev::kTaskAssigned,
      Line().text(field::kFromAssignee, task.assignee).text(field::kToAssignee, assignee));
}

Status run_task_progress(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const auto percent, args.integer("percent", 0, 100));
  if (!percent) return Status(Code::invalid_argument, "task.progress needs percent, 0 to 100");
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  const Task& task = entry->task();
  if (task.ended()) return Status(ended_error(task));
  if (task.subtask_count > 0) {
    return Status(Error{Code::failed_precondition,
                        "the progress of task " + task.id + " is computed from " +
                            std::to_string(task.subtask_count) +
                            (task.subtask_count == 1 ? " child" : " children"),
                        "set the progress of a child",
                        {},
                        {}});
  }
  answer.changed = task.percent != *percent;
  if (!answer.changed) return {};
  return transaction.emit(
      *entry, ev::kTaskProgressUpdated,
      Line().integer(field::kPercentComplete, *percent).text(field::kSource, "manual"));
}

Status run_task_parent(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string parent_id, args.text("parent_id"));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  if (entry->task().ended()) return Status(ended_error(entry->task()));
  std::string id = parent_id;
  CC_ASSIGN(const bool as_typed, args.flag("resolve"));
  if (as_typed && !id.empty()) {
    CC_ASSIGN(const store::WorkRow* row,
              resolve_task(transaction.view(), entry->task().project, id));
    id = row->id;
  }
  CC_ASSIGN(answer.changed, set_parent(transaction, *entry, id));
  return {};
}

Status run_task_depend(Transaction& transaction, const Args& args, Answer& answer) {
  static constexpr std::array<std::string_view, 3> kWhen = {"done", "ended", "failed"};
  CC_TRY(args.find("on") ? Status() : Status(Code::invalid_argument, "task.depend needs on"));
  CC_ASSIGN(const auto targets, args.list("on"));
  CC_ASSIGN(const std::string when, args.choice("when", kWhen));
  const DependsWhen condition = when == "ended"    ? DependsWhen::ended
                                : when == "failed" ? DependsWhen::failed
                                                   : DependsWhen::done;
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  CC_ASSIGN(const std::string other_project, args.text("target_project_id"));
  if (entry->task().ended()) return Status(ended_error(entry->task()));
  answer.changed = false;
  for (const std::string& id : targets) {
    CC_TRY(check_id("on", id));
    const auto [project, target] = target_of(transaction, entry->task(), other_project, id);
    CC_ASSIGN(const bool added, add_dependency(transaction, *entry, project, target, condition));
    answer.changed = answer.changed || added;
  }
  return {};
}

Status run_task_undepend(Transaction& transaction, const Args& args, Answer& answer) {
  CC_TRY(args.find("on") ? Status() : Status(Code::invalid_argument, "task.undepend needs on"));
  CC_ASSIGN(const auto targets, args.list("on"));
  CC_ASSIGN(const std::string other_project, args.text("target_project_id"));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  if (entry->task().ended()) return Status(ended_error(entry->task()));
  answer.changed = false;
  for (const std::string& id : targets) {
    const std::vector<TaskLink> links = entry->task().links;
    for (const TaskLink& link : links) {
      if (link.type != kLinkTypes[0] || link.task_id != id) continue;
      if (!other_project.empty() && link.project != other_project) continue;
      CC_TRY(transaction.emit(*entry, ev::kTaskUnlinked,
                              Line()
                                  .text(field::kLinkType, link.type)
                                  .text(field::kTargetTaskId, link.task_id)
                                  .text(field::kTargetProjectId, link.project)));
      answer.changed = true;
    }
  }
  return {};
}

}  // namespace contextcore::work
