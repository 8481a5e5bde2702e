// What follows from a change: counts and progress of ancestors, waiting_on of dependents, and the
// rule that unblocks a task when its last blocker is satisfied.

#include "work/derive.h"

#include <algorithm>

#include "work/ids.h"
#include "work/names.h"
#include "work/task_changes.h"
#include "work/transaction.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

Status settle_parent(Transaction& transaction, const otlp::SpanId& parent, const Entry* completed);

// Mean of the children that count, weighted by story points when all have them. nullopt: no such
// child.
std::optional<int64_t> mean_percent(const store::WorkTally& children) {
  if (children.count == 0) return std::nullopt;
  const bool weighted = children.pointed == children.count && children.points > 0;
  return weighted ? children.weighted / children.points : children.percent / children.count;
}

// Counts and progress of an open task from its children as they are now, and so on upwards.
// completed: the child that has just been done, nullptr when it is something else that changed.
Status recount(Transaction& transaction, Entry& parent, const Entry* completed) {
  if (parent.task().ended()) return {};
  const std::optional<int64_t> mean = mean_percent(transaction.tally(parent.task().span_id));
  derive(transaction, parent);
  const Task& task = parent.task();
  const int64_t percent = mean.value_or(task.percent);
  const bool moved = percent != task.percent;
  if (completed) {
    CC_TRY(transaction.emit_derived(parent, ev::kSubtaskCompleted,
                                    Line()
                                        .text(field::kSubtaskId, completed->task().id)
                                        .integer(field::kSubtaskCompleted, task.subtask_completed)
                                        .integer(field::kSubtaskCount, task.subtask_count)
                                        .integer(field::kPercentComplete, percent)));
  }
  if (!moved) return {};
  CC_TRY(transaction.emit_derived(parent, ev::kTaskProgressUpdated,
                                  Line()
                                      .integer(field::kPercentComplete, percent)
                                      .text(field::kSource, "subtask")
                                      .integer(field::kSubtaskCompleted, task.subtask_completed)
                                      .integer(field::kSubtaskCount, task.subtask_count)));
  return settle_parent(transaction, task.parent_span_id, nullptr);
}

Status settle_parent(Transaction& transaction, const otlp::SpanId& parent, const Entry* completed) {
  const store::WorkRow* row = parent.empty() ? nullptr : transaction.row(parent);
  // An ended one is frozen; loading it would read its whole history.
  if (!row || row->end_ns != 0) return {};
  CC_ASSIGN(Entry * entry, transaction.load(parent));
  return recount(transaction, *entry, completed);
}

// Blocked by tasks, and the last of them has just been satisfied: back to the former status.
Status unblock_by_rule(Transaction& transaction, Entry& entry, const otlp::SpanId& satisfied) {
  const Task& task = entry.task();
  if (task.status != TaskStatus::blocked || task.blocked_by.empty() || task.deleted) return {};
  bool concerned = false;
  for (const TaskLink& link : task.links) {
    if (link.type != kLinkTypes[0] || std::find(task.blocked_by.begin(), task.blocked_by.end(),
                                                link.task_id) == task.blocked_by.end()) {
      continue;
    }
    const store::WorkRow* blocker = transaction.row(link.span_id);
    if (!blocker || !satisfies(*blocker, link.when)) return {};
    concerned = concerned || link.span_id == satisfied;
  }
  if (!concerned) return {};
  const StatusName former = former_status(transaction, entry);
  StatusChange change;
  change.to = former.base;
  change.own = former.own;
  change.resolution = "nothing blocks it any more";
  change.trigger = "rule";
  return change_status(transaction, entry, change);
}

}  // namespace

void derive(Transaction& transaction, Entry& entry) {
  derive_task(transaction.mutable_task(entry), transaction.tally(entry.task().span_id),
              [&](const TaskLink& link) {
                const store::WorkRow* target = transaction.row(link.span_id);
                return target && satisfies(*target, link.when);
              });
  transaction.refresh(entry);
}

namespace {

// What a plan has changed of a task, as far as others depend on it.
struct Moved {
  bool is_new = false, status = false, deleted = false, ended = false, parent = false;
  bool counted = false;  // something that the parent counts
};

Moved moved_of(const Entry& entry) {
  const Task& task = entry.task();
  const store::WorkRow& before = entry.row_before;
  Moved moved;
  moved.is_new = !entry.before;
  if (moved.is_new) {
    moved.status = moved.counted = true;
    moved.ended = task.ended();
    return moved;
  }
  moved.status = row_status(before) != task.status;
  moved.deleted = is_deleted(before) != task.deleted;
  moved.ended = (before.end_ns != 0) != task.ended();
  moved.parent = before.parent_span_id != task.parent_span_id;
  moved.counted = moved.status || moved.deleted || moved.parent ||
                  before.flags != entry.row.flags || before.points != entry.row.points;
  return moved;
}

Status settle_dependents(Transaction& transaction, const otlp::SpanId& id) {
  std::vector<otlp::SpanId> waiting;
  for (const store::WorkRow* row : transaction.dependents(id)) waiting.push_back(row->span_id);
  for (const otlp::SpanId& dependent : waiting) {
    CC_ASSIGN(Entry * other, transaction.load(dependent));
    if (other->task().ended()) continue;
    CC_TRY(unblock_by_rule(transaction, *other, id));
    derive(transaction, *other);
  }
  return {};
}

}  // namespace

Status settle(Transaction& transaction) {
  for (Entry* entry : transaction.touched()) {
    if (entry->log_only || !entry->task().exists()) continue;
    derive(transaction, *entry);
    const Moved moved = moved_of(*entry);
    const Task& task = entry->task();
    // What it counted of its children stood still while it was ended or deleted.
    if ((moved.ended || moved.deleted) && !moved.is_new && task.subtask_count > 0) {
      CC_TRY(recount(transaction, *entry, nullptr));
    }
    if (moved.parent) CC_TRY(settle_parent(transaction, entry->row_before.parent_span_id, nullptr));
    if (moved.counted) {
      const bool completed =
          moved.status && task.status == TaskStatus::done && !task.deleted && !moved.deleted;
      CC_TRY(settle_parent(transaction, task.parent_span_id, completed ? entry : nullptr));
    }
    if (moved.is_new || moved.deleted || (moved.status && (moved.ended || task.ended()))) {
      CC_TRY(settle_dependents(transaction, task.span_id));
    }
  }
  return settle_sprints(transaction);
}

}  // namespace contextcore::work
