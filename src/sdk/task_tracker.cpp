#include "contextcore/task_tracker.h"

#include "sdk/library.h"

namespace contextcore {
namespace {

void put(JsonObject& args, std::string_view key, std::string_view value) {
  if (!value.empty()) args.emplace_back(key, value);
}
void put(JsonObject& args, std::string_view key, const std::optional<int64_t>& value) {
  if (value) args.emplace_back(key, *value);
}

Result<TaskState> state_of(Result<Json> answer) {
  if (!answer.ok()) return std::move(answer).error();
  return sdk::task_state(*answer);
}

}  // namespace

TaskTracker::TaskTracker(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
TaskTracker::TaskTracker(TaskTracker&&) noexcept = default;
TaskTracker& TaskTracker::operator=(TaskTracker&&) noexcept = default;
TaskTracker::~TaskTracker() = default;

Result<TaskTracker> TaskTracker::open(ConnectOptions options) {
  CC_ASSIGN(auto impl, Impl::open(options, true));
  return TaskTracker(std::move(impl));
}

Result<TaskState> TaskTracker::start_task(std::string_view id, std::string_view title,
                                          const StartOptions& options) {
  return state_of(impl_->command("task.create", sdk::start_args(id, title, options)));
}

Result<TaskState> TaskTracker::update_status(std::string_view id, std::string_view status) {
  return state_of(
      impl_->command("task.status", {{"id", id}, {"status", status}, {"lenient", true}}));
}

Result<TaskState> TaskTracker::block_task(std::string_view id, std::string_view reason,
                                          std::string_view blocked_by) {
  JsonObject args{{"id", id}, {"reason", reason}};
  if (!blocked_by.empty()) args.emplace_back("by", JsonArray{Json(blocked_by)});
  return state_of(impl_->command("task.block", std::move(args)));
}

Result<TaskState> TaskTracker::unblock_task(std::string_view id, std::string_view resolution) {
  JsonObject args{{"id", id}};
  put(args, "resolution", resolution);
  return state_of(impl_->command("task.unblock", std::move(args)));
}

Result<TaskState> TaskTracker::add_comment(std::string_view id, std::string_view author,
                                           std::string_view text) {
  JsonObject args{{"id", id}, {"text", text}};
  put(args, "author", author);
  return state_of(impl_->command("task.comment", std::move(args)));
}

Result<TaskState> TaskTracker::assign_task(std::string_view id, std::string_view assignee) {
  return state_of(impl_->command("task.assign", {{"id", id}, {"assignee", assignee}}));
}

Result<TaskState> TaskTracker::set_progress(std::string_view id, int64_t percent) {
  return state_of(impl_->command("task.progress", {{"id", id}, {"percent", percent}}));
}

Result<TaskState> TaskTracker::complete_task(std::string_view id, std::optional<int64_t> token,
                                             std::string_view outcome) {
  JsonObject args{{"id", id}, {"lenient", true}};
  put(args, "token", token);
  put(args, "outcome", outcome);
  return state_of(impl_->command("task.complete", std::move(args)));
}

Result<TaskState> TaskTracker::fail_task(std::string_view id, std::string_view reason,
                                         std::optional<int64_t> token) {
  JsonObject args{{"id", id}};
  put(args, "reason", reason);
  put(args, "token", token);
  return state_of(impl_->command("task.fail", std::move(args)));
}

Result<TaskState> TaskTracker::cancel_task(std::string_view id, std::string_view reason) {
  JsonObject args{{"id", id}};
  put(args, "reason", reason);
  return state_of(impl_->command("task.cancel", std::move(args)));
}

Result<TaskState> TaskTracker::claim_task(std::string_view id, std::optional<int64_t> lease_seconds,
                                          bool steal) {
  JsonObject args{{"id", id}};
  put(args, "lease_seconds", lease_seconds);
  if (steal) args.emplace_back("steal", true);
  return state_of(impl_->command("task.claim", std::move(args)));
}

Result<std::optional<TaskState>> TaskTracker::claim_ready(std::optional<int64_t> lease_seconds) {
  JsonObject args;
  put(args, "lease_seconds", lease_seconds);
  CC_ASSIGN(const Json answer, impl_->command("task.claim_ready", std::move(args)));
  const Json* task = answer.find("task");
  if (task == nullptr || task->is_null()) return std::optional<TaskState>();
  return std::optional<TaskState>(sdk::task_state(answer));
}

Result<TaskState> TaskTracker::heartbeat(std::string_view id, int64_t token) {
  return state_of(impl_->command("task.heartbeat", {{"id", id}, {"token", token}}));
}

Result<TaskState> TaskTracker::release(std::string_view id, int64_t token,
                                       std::string_view reason) {
  JsonObject args{{"id", id}, {"token", token}};
  put(args, "reason", reason);
  return state_of(impl_->command("task.release", std::move(args)));
}

Result<TaskState> TaskTracker::get_task(std::string_view id) {
  return state_of(impl_->question("task.get", {{"id", id}}));
}

Result<std::vector<TaskState>> TaskTracker::get_active_tasks() {
  CC_ASSIGN(const Json answer,
            impl_->question("task.list", {{"open", true}, {"limit", 1'000'000}}));
  std::vector<TaskState> out;
  if (const Json* items = answer.find("items"); items != nullptr && items->as_array() != nullptr) {
    for (const Json& item : *items->as_array()) out.push_back(sdk::task_state(item));
  }
  return out;
}

}  // namespace contextcore
