#pragma once
// Work that happened before it was recorded: imports, migrations, generated histories. Example:
//
//   using namespace std::chrono;
//   auto tracker = contextcore::HistoricalTaskTracker::open({.project = "my-project"});
//   const auto monday = sys_days{2026y / 3 / 2};
//   tracker->start_task_at("PROJ-1", "Implement auth", monday + 9h);
//   tracker->update_status_at("PROJ-1", "in_progress", monday + 10h);
//   tracker->complete_task_at("PROJ-1", monday + 30h);
//
// Every call names the time at which it happened; nothing is stamped with the clock but the time of
// its arrival, which is kept apart. Per task times never decrease: an earlier one than that of the
// task's last event is failed_precondition and names the last event. Calls, answers and errors are
// otherwise those of TaskTracker, and both may be used on the same tasks.

#include <chrono>

#include "contextcore/task_tracker.h"

namespace contextcore {

// Nanoseconds since 1970 in UTC; a system_clock time_point converts by itself.
using TimePoint = std::chrono::sys_time<std::chrono::nanoseconds>;

class HistoricalTaskTracker {
 public:
  static Result<HistoricalTaskTracker> open(ConnectOptions options = {});
  HistoricalTaskTracker(HistoricalTaskTracker&&) noexcept;
  HistoricalTaskTracker& operator=(HistoricalTaskTracker&&) noexcept;
  ~HistoricalTaskTracker();

  Result<TaskState> start_task_at(std::string_view id, std::string_view title, TimePoint start,
                                  const StartOptions& options = {});
  Result<TaskState> update_status_at(std::string_view id, std::string_view status, TimePoint at);
  Result<TaskState> block_task_at(std::string_view id, std::string_view reason, TimePoint at,
                                  std::string_view blocked_by = {});
  // An empty status: the one that the task had before it was blocked.
  Result<TaskState> unblock_task_at(std::string_view id, TimePoint at, std::string_view status = {},
                                    std::string_view resolution = {});
  Result<TaskState> add_comment_at(std::string_view id, std::string_view author,
                                   std::string_view text, TimePoint at);
  Result<TaskState> assign_task_at(std::string_view id, std::string_view assignee, TimePoint at);
  Result<TaskState> set_progress_at(std::string_view id, int64_t percent, TimePoint at);
  Result<TaskState> depend_at(std::string_view id, std::string_view on, TimePoint at);
  Result<TaskState> complete_task_at(std::string_view id, TimePoint end,
                                     std::string_view outcome = {});
  Result<TaskState> fail_task_at(std::string_view id, std::string_view reason, TimePoint end);
  Result<TaskState> cancel_task_at(std::string_view id, TimePoint end,
                                   std::string_view reason = {});

  Result<TaskState> get_task(std::string_view id);

 private:
  explicit HistoricalTaskTracker(std::shared_ptr<TaskTracker::Impl> impl);
  std::shared_ptr<TaskTracker::Impl> impl_;
};

}  // namespace contextcore
