#include "work/status.h"

namespace contextcore::work {

std::optional<TaskStatus> parse_status(std::string_view name) {
  for (size_t i = 0; i < kTaskStatusNames.size(); i++) {
    if (kTaskStatusNames[i] == name) return static_cast<TaskStatus>(i + 1);
  }
  return std::nullopt;
}

std::string_view category_name(TaskStatus status) {
  if (is_ended(status)) return "ended";
  return is_not_started(status) ? "not_started" : "active";
}

uint8_t priority_rank(std::string_view name) {
  for (size_t i = 0; i < kPriorityNames.size(); i++) {
    if (kPriorityNames[i] == name) return static_cast<uint8_t>(i + 1);
  }
  return 0;
}

std::string_view insight_status(const store::WorkRow& row, int64_t now_ns) {
  switch (static_cast<InsightState>(row.status)) {
    case InsightState::superseded:
      return "superseded";
    case InsightState::retracted:
      return "retracted";
    case InsightState::resolved:
      return "resolved";
    case InsightState::fact:
    case InsightState::active:
      break;
  }
  return row.due_ns != 0 && row.due_ns <= now_ns ? "expired" : "active";
}

bool is_ready(const store::WorkKey& row, int64_t now_ns, bool include_backlog) {
  if (!is_task(row)) return false;
  const TaskStatus status = row_status(row);
  if (status != TaskStatus::todo && !(include_backlog && status == TaskStatus::backlog) &&
      !is_abandoned(row, now_ns)) {
    return false;
  }
  return row.open_child_count == 0 && row.waiting_count == 0 && row.defer_until_ns <= now_ns &&
         !has_live_claim(row, now_ns);
}

}  // namespace contextcore::work
