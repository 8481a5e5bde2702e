#pragma once
// The fold of a task's events as far as metrics look at it: what state_of(fold(events)) gives, at a small part of its cost,
// since a view's first query folds the whole log. The rules are those of fold_task.h; a test holds the two together.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "work/event_view.h"
#include "work/metrics/metric_log.h"

namespace contextcore::work {

class StateFold {
 public:
  // Errors: as fold(TaskHistory&, event).
  Status add(const EventView& event, Words& words);
  const TaskState& state() const { return state_; }
  const std::string& task_id() const { return task_id_; }

 private:
  Status create(const EventView& event, Words& words);
  Status move(const EventView& event, Words& words);
  void edit(const EventView& event, Words& words);

  TaskState state_;
  std::string task_id_;
  bool exists_ = false, ended_ = false;
};

// The fields of the line that it looks at of an event of that name.
std::vector<std::string_view> fields_of_state(std::string_view event_name);

}  // namespace contextcore::work
