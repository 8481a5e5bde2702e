// task.undo: the inverse of the last change, as events of its own. The state before is the fold of
// the events before it; what differs is brought back, and what derives from it follows.

#include <algorithm>

#include "work/execute_ops.h"
#include "work/names.h"
#include "work/task_changes.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

struct LastChange {
  Event first;                      // of its events
  TaskHistory before;               // the state that it met
  std::vector<std::string> events;  // names
};

std::string actor_of(const Event& event) {
  const std::string agent = event.text(field::kAgentId);
  return agent.empty() ? event.text(field::kActor) : agent;
}

Result<LastChange> last_change(const Transaction& transaction, const Task& task) {
  CC_ASSIGN(const auto records, transaction.view().events(task.span_id));
  std::vector<Event> events;
  LastChange last;
  for (const otlp::LogRecord& record : records) {
    CC_ASSIGN(Event event, event_from_record(record, nullptr));
    event.project = task.project;
    event.service_name = task.service_name;
    if (event.revision == task.revision && event.seq == 1) last.first = event;
    events.push_back(std::move(event));
  }
  for (const Event& event : events) {
    // What follows from other tasks' changes is of the same revision, but of another command.
    if (event.revision == task.revision && event.command_id == last.first.command_id) {
      last.events.push_back(event.name);
    }
    if (event.revision < task.revision) CC_TRY(fold(last.before, event));
  }
  if (last.events.empty()) {
    return Error{
        Code::corruption,
        "the log has no event of revision " + std::to_string(task.revision) + " of task " + task.id,
        "run contextcore verify",
        {},
        {}};
  }
  return last;
}

Status check_author(const Transaction& transaction, const Task& task, const LastChange& last) {
  const Actor& actor = transaction.command().actor;
  const std::string asker = actor.agent_id.empty() ? actor.actor : actor.agent_id;
  const std::string author = actor_of(last.first);
  if (author == asker) return {};
  return Status(Error{Code::failed_precondition,
                      "the last change of task " + task.id + " (" + last.events.front() +
                          ") is not yours but of " + (author.empty() ? "somebody" : author),
                      "undo takes back one's own last change only",
                      {},
                      {}});
}

Status restore_status(Transaction& transaction, Entry& entry, const Task& before) {
  const Task& task = entry.task();
  if (task.ended() && !before.ended()) {
    const bool blocked = before.status == TaskStatus::blocked;
    const StatusName to = blocked ? StatusName{} : StatusName{before.status, before.own_status};
    CC_TRY(reopen(transaction, entry, to, "undone"));
  }
  const bool same_block =
      task.blocked_reason == before.blocked_reason && task.blocked_by == before.blocked_by;
  if (task.status == before.status && task.own_status == before.own_status && same_block) {
    return {};
  }
  StatusChange change;
  change.to = before.status;
  change.own = before.own_status;
  change.reason =
      before.status == TaskStatus::blocked ? before.blocked_reason : before.failure_reason;
  change.blocked_by = before.blocked_by;
  change.outcome = before.outcome;
  change.error_type = before.error_type;
  if (task.status == TaskStatus::blocked) change.resolution = "undone";
  return change_status(transaction, entry, change);
}

Line link_line(const TaskLink& link) {
  static constexpr std::array<std::string_view, 3> kWhen = {"", "ended", "failed"};
  Line line;
  line.text(field::kLinkType, link.type)
      .text(field::kTargetTaskId, link.task_id)
      .text(field::kTargetProjectId, link.project)
      .text(field::kTargetTraceId, otlp::to_hex(link.trace_id));
  if (link.task_id.empty() && !link.span_id.empty()) {
    line.text(field::kTargetSpanId, otlp::to_hex(link.span_id));
  }
  line.text(field::kWhen, kWhen[static_cast<size_t>(link.when)]);
  return line;
}

// Their order is part of the span: all from the first difference on are linked anew.
Status restore_links(Transaction& transaction, Entry& entry, const std::vector<TaskLink>& before) {
  const std::vector<TaskLink> now = entry.task().links;
  size_t same = 0;
  while (same < now.size() && same < before.size() && now[same] == before[same]) same++;
  for (size_t i = now.size(); i-- > same;) {
    CC_TRY(transaction.emit(entry, ev::kTaskUnlinked, link_line(now[i])));
  }
  for (size_t i = same; i < before.size(); i++) {
    CC_TRY(transaction.emit(entry, ev::kTaskLinked, link_line(before[i])));
  }
  return {};
}

Status restore_progress(Transaction& transaction, Entry& entry, int64_t percent) {
  const Task& task = entry.task();
  if (task.percent == percent || !transaction.children(task.span_id).empty()) return {};
  return transaction.emit(
      entry, ev::kTaskProgressUpdated,
      Line().integer(field::kPercentComplete, percent).text(field::kSource, "manual"));
}

Status restore_fields(Transaction& transaction, Entry& entry, const Task& before) {
  const Task& task = entry.task();
  for (const std::string& name : edit_fields(task, before)) {
    CC_TRY(edit_field(transaction, entry, name, edit_text(before, name)).status());
  }
  if (task.assignee != before.assignee) {
    CC_TRY(transaction.emit(entry, ev::kTaskAssigned,
                            Line()
                                .text(field::kFromAssignee, task.assignee)
                                .text(field::kToAssignee, before.assignee)));
  }
  CC_TRY(restore_verification(transaction, entry, before.deliverables_verified));
  return restore_links(transaction, entry, before.links);
}

// Everything but the claim, which is not given back: it may be somebody else's turn.
Status restore(Transaction& transaction, Entry& entry, const Task& before) {
  const Task& task = entry.task();
  if (task.deleted && !before.deleted) return undelete_task(transaction, entry, "undone", false);
  if (!task.deleted && before.deleted) return delete_task(transaction, entry, "undone", false);
  if (task.claim_token != 0 && task.claim_token != before.claim_token) {
    CC_TRY(transaction.emit(entry, ev::kTaskReleased, released_line(entry, "undone")));
  }
  if (!before.ended()) CC_TRY(restore_status(transaction, entry, before));
  if (!task.ended()) {
    CC_TRY(set_parent(transaction, entry, before.parent_id).status());
    CC_TRY(restore_fields(transaction, entry, before));
    CC_TRY(restore_progress(transaction, entry, before.percent));
  }
  return before.ended() ? restore_status(transaction, entry, before) : Status();
}

}  // namespace

Status run_task_undo(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string id, args.required("id"));
  auto found = subject_of(transaction, args);
  if (!found.ok() && found.error().code == Code::not_found) {
    found = transaction.deleted_subject(id);  // a deletion can be undone
  }
  CC_ASSIGN(Entry * entry, std::move(found));
  answer.task = entry;
  const Task& task = entry->task();
  CC_ASSIGN(const LastChange last, last_change(transaction, task));
  CC_TRY(check_author(transaction, task, last));
  const bool created = !last.before.task.exists();
  CC_TRY(transaction.thaw(*entry));
  CC_TRY(transaction.emit(*entry, ev::kTaskUndone,
                          Line()
                              .integer(field::kUndoneRevision, last.first.revision)
                              .text(field::kUndoneEvent, last.events.front())));
  const int64_t marked = task.event_seq;
  CC_TRY(created ? delete_task(transaction, *entry, "undone", false)
                 : restore(transaction, *entry, last.before.task));
  if (task.event_seq == marked) {
    return Status(Error{Code::failed_precondition,
                        "the last change of task " + task.id + " (" + last.events.front() +
                            ") left nothing that could be taken back",
                        {},
                        {},
                        {}});
  }
  answer.more.emplace_back("undone_revision", Json(last.first.revision));
  return {};
}

}  // namespace contextcore::work
