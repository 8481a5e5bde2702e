#pragma once
// Derived values of one open task: pure, shared by plans and rebuilds.

#include "store/work_index.h"
#include "work/task.h"

namespace contextcore::work {

// Counts, open children and waiting_on. children: sums over them; is_satisfied(link): whether the target of a dependency
// has reached what it is to. An ended task is left as its end froze it.
template <typename IsSatisfied>
void derive_task(Task& task, const store::WorkTally& children, const IsSatisfied& is_satisfied) {
  if (task.ended() || !task.exists()) return;
  task.subtask_count = children.count;
  task.subtask_completed = children.done;
  task.subtask_open = children.open;
  task.waiting_on.clear();
  for (const TaskLink& link : task.links) {
    if (link.type == kLinkTypes[0] && !is_satisfied(link)) task.waiting_on.push_back(link.task_id);
  }
}

}  // namespace contextcore::work
