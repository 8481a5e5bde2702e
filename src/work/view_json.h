#pragma once
// Tasks and insights as answers show them.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "store/journal.h"
#include "work/event.h"
#include "work/sprint.h"
#include "work/task.h"

namespace contextcore::work {

// Which members of a task an answer shows.
class TaskMembers {
 public:
  TaskMembers() = default;  // all
  explicit TaskMembers(std::span<const std::string_view> names);
  uint64_t bits() const { return bits_; }

 private:
  uint64_t bits_ = UINT64_MAX;
};

// key, row: of the same state, with the lease as the index knows it.
Json task_json(const Task& task, const store::WorkKey& key, int64_t now_ns, const TaskMembers& shown = {});
Json task_json(const Task& task, const store::WorkRow& row, int64_t now_ns);
// Appends the text of task_json.
void append_task_json(const Task& task, const store::WorkKey& key, int64_t now_ns, std::string& out);
Json insight_json(const store::JournalSpan& insight, const store::WorkRow& row, int64_t now_ns);
Json sprint_json(const Sprint& sprint);
Json event_json(const Event& event);

}  // namespace contextcore::work
