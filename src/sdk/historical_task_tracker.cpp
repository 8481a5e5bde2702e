#include "contextcore/historical_task_tracker.h"

#include "sdk/library.h"

namespace contextcore {
namespace {

template <typename Impl>  // TaskTracker::Impl, whose name is private
Result<TaskState> change(Impl& impl, const std::string& op, TimePoint at, JsonObject args) {
  CC_ASSIGN(const Json answer, impl.command(op, std::move(args), at.time_since_epoch().count()));
  return sdk::task_state(answer);
}

void put(JsonObject& args, std::string_view key, std::string_view value) {
  if (!value.empty()) args.emplace_back(key, value);
}

}  // namespace

HistoricalTaskTracker::HistoricalTaskTracker(std::shared_ptr<TaskTracker::Impl> impl)
    : impl_(std::move(impl)) {}
HistoricalTaskTracker::HistoricalTaskTracker(HistoricalTaskTracker&&) noexcept = default;
HistoricalTaskTracker& HistoricalTaskTracker::operator=(HistoricalTaskTracker&&) noexcept = default;
HistoricalTaskTracker::~HistoricalTaskTracker() = default;

Result<HistoricalTaskTracker> HistoricalTaskTracker::open(ConnectOptions options) {
  CC_ASSIGN(auto impl, TaskTracker::Impl::open(options, true));
  return HistoricalTaskTracker(std::move(impl));
}

Result<TaskState> HistoricalTaskTracker::start_task_at(std::string_view id, std::string_view title,
                                                       TimePoint start,
                                                       const StartOptions& options) {
  return change(*impl_, "task.create", start, sdk::start_args(id, title, options));
}

Result<TaskState> HistoricalTaskTracker::update_status_at(std::string_view id,
                                                          std::string_view status, TimePoint at) {
  return change(*impl_, "task.status", at, {{"id", id}, {"status", status}, {"lenient", true}});
}

Result<TaskState> HistoricalTaskTracker::block_task_at(std::string_view id, std::string_view reason,
                                                       TimePoint at, std::string_view blocked_by) {
  JsonObject args{{"id", id}, {"reason", reason}};
  if (!blocked_by.empty()) args.emplace_back("by", JsonArray{Json(blocked_by)});
  return change(*impl_, "task.block", at, std::move(args));
}

Result<TaskState> HistoricalTaskTracker::unblock_task_at(std::string_view id, TimePoint at,
                                                         std::string_view status,
                                                         std::string_view resolution) {
  JsonObject args{{"id", id}};
  put(args, "status", status);
  put(args, "resolution", resolution);
  return change(*impl_, "task.unblock", at, std::move(args));
}

Result<TaskState> HistoricalTaskTracker::add_comment_at(std::string_view id,
                                                        std::string_view author,
                                                        std::string_view text, TimePoint at) {
  JsonObject args{{"id", id}, {"text", text}};
  put(args, "author", author);
  return change(*impl_, "task.comment", at, std::move(args));
}

Result<TaskState> HistoricalTaskTracker::assign_task_at(std::string_view id,
                                                        std::string_view assignee, TimePoint at) {
  return change(*impl_, "task.assign", at, {{"id", id}, {"assignee", assignee}});
}

Result<TaskState> HistoricalTaskTracker::set_progress_at(std::string_view id, int64_t percent,
                                                         TimePoint at) {
  return change(*impl_, "task.progress", at, {{"id", id}, {"percent", percent}});
}

Result<TaskState> HistoricalTaskTracker::depend_at(std::string_view id, std::string_view on,
                                                   TimePoint at) {
  return change(*impl_, "task.depend", at, {{"id", id}, {"on", on}});
}

Result<TaskState> HistoricalTaskTracker::complete_task_at(std::string_view id, TimePoint end,
                                                          std::string_view outcome) {
  JsonObject args{{"id", id}, {"lenient", true}};
  put(args, "outcome", outcome);
  return change(*impl_, "task.complete", end, std::move(args));
}

Result<TaskState> HistoricalTaskTracker::fail_task_at(std::string_view id, std::string_view reason,
                                                      TimePoint end) {
  JsonObject args{{"id", id}};
  put(args, "reason", reason);
  return change(*impl_, "task.fail", end, std::move(args));
}

Result<TaskState> HistoricalTaskTracker::cancel_task_at(std::string_view id, TimePoint end,
                                                        std::string_view reason) {
  JsonObject args{{"id", id}};
  put(args, "reason", reason);
  return change(*impl_, "task.cancel", end, std::move(args));
}

Result<TaskState> HistoricalTaskTracker::get_task(std::string_view id) {
  CC_ASSIGN(const Json answer, impl_->question("task.get", {{"id", id}}));
  return sdk::task_state(answer);
}

}  // namespace contextcore
