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

struct Counts {
  int64_t count = 0, completed = 0, open = 0;
};

Counts count_children(const std::vector<const store::WorkRow*>& children) {
  Counts counts;
  for (const store::WorkRow* child : children) {
    const TaskStatus status = row_status(*child);
    if (status == TaskStatus::cancelled) continue;
    counts.count++;
    if (status == TaskStatus::done) counts.completed++;
    if (!is_ended(status)) counts.open++;
  }
  return counts;
}

// Mean of the children that count, weighted by story points when all have them. nullopt: no such
// child.
Result<std::optional<int64_t>> mean_percent(Transaction& transaction,
                                            const std::vector<const store::WorkRow*>& children) {
  std::vector<const store::WorkRow*> counted;
  for (const store::WorkRow* child : children) {
    if (row_status(*child) != TaskStatus::cancelled) counted.push_back(child);
  }
  if (counted.empty()) return std::optional<int64_t>();
  const bool weighted = std::all_of(counted.begin(), counted.end(),
                                    [](const auto* row) { return row_has_points(*row); });
  int64_t total = 0, weights = 0, plain = 0;
  for (const store::WorkRow* child : counted) {
    plain += row_percent(*child);
    if (!weighted) continue;
    CC_ASSIGN(const int64_t points, story_points_of(transaction, *child));
    total += row_percent(*child) * points;
    weights += points;
  }
  if (weights > 0) return std::optional<int64_t>(total / weights);
  return std::optional<int64_t>(plain / static_cast<int64_t>(counted.size()));
}

Status settle_parent(Transaction& transaction, const Entry& child, bool completed) {
  if (child.task().parent_span_id.empty() || !transaction.row(child.task().parent_span_id))
    return {};
  CC_ASSIGN(Entry * parent, transaction.load(child.task().parent_span_id));
  if (parent->task().ended()) return {};
  const auto children = transaction.children(parent->task().span_id);
  CC_ASSIGN(const std::optional<int64_t> mean, mean_percent(transaction, children));
  derive(transaction, *parent);
  const Task& task = parent->task();
  const int64_t percent = mean.value_or(task.percent);
  const bool moved = percent != task.percent;
  if (completed) {
    CC_TRY(transaction.emit_derived(*parent, ev::kSubtaskCompleted,
                                    Line()
                                        .text(field::kSubtaskId, child.task().id)
                                        .integer(field::kSubtaskCompleted, task.subtask_completed)
                                        .integer(field::kSubtaskCount, task.subtask_count)
                                        .integer(field::kPercentComplete, percent)));
  }
  if (!moved) return {};
  CC_TRY(transaction.emit_derived(*parent, ev::kTaskProgressUpdated,
                                  Line()
                                      .integer(field::kPercentComplete, percent)
                                      .text(field::kSource, "subtask")
                                      .integer(field::kSubtaskCompleted, task.subtask_completed)
                                      .integer(field::kSubtaskCount, task.subtask_count)));
  return settle_parent(transaction, *parent, false);
}

// Blocked by tasks, and the last of them has just been satisfied: back to the former status.
Status unblock_by_rule(Transaction& transaction, Entry& entry, const otlp::SpanId& satisfied) {
  const Task& task = entry.task();
  if (task.status != TaskStatus::blocked || task.blocked_by.empty()) return {};
  bool concerned = false;
  for (const TaskLink& link : task.links) {
    if (link.type != kLinkTypes[0] || std::find(task.blocked_by.begin(), task.blocked_by.end(),
                                                link.task_id) == task.blocked_by.end()) {
      continue;
    }
    const store::WorkRow* blocker = transaction.row(link.span_id);
    if (!blocker || !satisfies(row_status(*blocker), link.when)) return {};
    concerned = concerned || link.span_id == satisfied;
  }
  if (!concerned) return {};
  StatusChange change;
  change.to = former_status(transaction, entry);
  change.resolution = "nothing blocks it any more";
  change.trigger = "rule";
  return change_status(transaction, entry, change);
}

}  // namespace

void derive_task(Task& task, const std::vector<const store::WorkRow*>& children,
                 const RowLookup& row) {
  if (task.ended() || !task.exists()) return;
  const Counts counts = count_children(children);
  task.subtask_count = counts.count;
  task.subtask_completed = counts.completed;
  task.subtask_open = counts.open;
  task.waiting_on.clear();
  for (const TaskLink& link : task.links) {
    if (link.type != kLinkTypes[0]) continue;
    const store::WorkRow* target = row(link.span_id);
    if (!target || !satisfies(row_status(*target), link.when))
      task.waiting_on.push_back(link.task_id);
  }
}

void derive(Transaction& transaction, Entry& entry) {
  derive_task(transaction.mutable_task(entry), transaction.children(entry.task().span_id),
              [&](const otlp::SpanId& id) { return transaction.row(id); });
  transaction.refresh(entry);
}

Status settle(Transaction& transaction) {
  for (Entry* entry : transaction.touched()) {
    if (entry->log_only || !entry->task().exists()) continue;
    derive(transaction, *entry);
    const Task& task = entry->task();
    const bool is_new = !entry->before;
    const bool status_moved = is_new || entry->status_before != task.status;
    const bool completed = task.status == TaskStatus::done && status_moved;
    if (status_moved || entry->percent_before != task.percent) {
      CC_TRY(settle_parent(transaction, *entry, completed));
    }
    if (!is_new && (!status_moved || !task.ended())) continue;
    const otlp::SpanId id = task.span_id;
    std::vector<otlp::SpanId> waiting;
    for (const store::WorkRow* row : transaction.dependents(id)) waiting.push_back(row->span_id);
    for (const otlp::SpanId& dependent : waiting) {
      CC_ASSIGN(Entry * other, transaction.load(dependent));
      if (other->task().ended()) continue;
      CC_TRY(unblock_by_rule(transaction, *other, id));
      derive(transaction, *other);
    }
  }
  return {};
}

}  // namespace contextcore::work
