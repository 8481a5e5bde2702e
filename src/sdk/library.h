#pragma once
// What TaskTracker, InsightEmitter and InsightQuerier share: configuration, backend, actor.

#include <optional>
#include <string>

#include "base/json.h"
#include "contextcore/insights.h"
#include "contextcore/task_tracker.h"
#include "sdk/backend.h"

namespace contextcore {

struct TaskTracker::Impl {
  std::unique_ptr<sdk::Backend> backend;
  std::string project;
  work::Actor actor;
  bool agent_named = false;  // an agent id was given, not taken from git or the login

  // time_ns: when it happened, if not now.
  Result<Json> command(const std::string& op, JsonObject args, std::optional<int64_t> time_ns = {});
  Result<Json> question(const std::string& op, JsonObject args);
  // project_needed: an error that proposes how to set one.
  static Result<std::shared_ptr<Impl>> open(const ConnectOptions& options, bool project_needed);
};

namespace sdk {

TaskState task_state(const Json& answer);
Insight insight_of(const Json& answer);
// The args of task.create.
JsonObject start_args(std::string_view id, std::string_view title, const StartOptions& options);
Json attributes_json(const AttributeMap& attributes);
Json list_json(const std::vector<std::string>& items);

}  // namespace sdk
}  // namespace contextcore
