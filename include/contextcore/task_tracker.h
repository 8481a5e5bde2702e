#pragma once
// Tasks as OpenTelemetry spans, from C++. Example:
//
//   auto tracker = contextcore::TaskTracker::open({.project = "my-project"});
//   if (!tracker) return fail(tracker.error());
//   tracker->start_task("PROJ-123", "Implement auth", {.type = "story"});
//   tracker->update_status("PROJ-123", "in_progress");
//   tracker->complete_task("PROJ-123");
//
// Every call is one durable transaction (span and log events together) in the embedded store, or in
// the server that runs for it. Errors are values (result.h): invalid_argument, not_found, conflict
// (stale claim token), failed_precondition (the state forbids it), already_exists (same id, other
// title), unavailable. Thread-safe; movable.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "contextcore/result.h"

namespace contextcore {

// Where work goes and who acts. Empty fields: environment (CONTEXTCORE_STORE, CONTEXTCORE_PROJECT,
// CONTEXTCORE_AGENT, CONTEXTCORE_SESSION), the nearest .contextcore.toml, defaults.
struct ConnectOptions {
  std::string project;
  std::string store;   // folder of the embedded store
  std::string server;  // "127.0.0.1:4319": use this server and never the store
  std::string agent_id;
  std::string session_id;  // a claim's holder is (agent_id, session_id); made up when empty
  std::string actor;       // name of the person; default: git's user.name
};

using AttributeValue = std::variant<std::string, bool, int64_t, double, std::vector<std::string>>;
using AttributeMap = std::map<std::string, AttributeValue>;

struct StartOptions {
  std::string type = "task";
  std::string status;    // default todo
  std::string priority;  // critical high medium low
  std::string assignee;
  std::optional<int64_t> story_points;
  std::vector<std::string> labels;
  std::string parent_id;
  std::vector<std::string> depends_on;
  std::string url;
  std::string due_date;  // RFC 3339 or a date
  std::string sprint_id;
  std::string description;
  AttributeMap attributes;  // the caller's own, kept verbatim
};

// A task as it is after a call.
struct TaskState {
  std::string id, project, title, type, status;
  std::string trace_id, span_id;  // hex
  int64_t revision = 0;
  int64_t percent_complete = 0;
  bool changed = false;  // this call changed something
  bool ended = false;
  std::optional<int64_t> claim_token;
  std::string json;  // the whole answer
};

class TaskTracker {
 public:
  static Result<TaskTracker> open(ConnectOptions options = {});
  TaskTracker(TaskTracker&&) noexcept;
  TaskTracker& operator=(TaskTracker&&) noexcept;
  ~TaskTracker();

  // Creates the task (in todo) and its span. An id that exists with this title is returned
  // unchanged.
  Result<TaskState> start_task(std::string_view id, std::string_view title,
                               const StartOptions& options = {});
  Result<TaskState> update_status(std::string_view id, std::string_view status);
  Result<TaskState> block_task(std::string_view id, std::string_view reason,
                               std::string_view blocked_by = {});
  Result<TaskState> unblock_task(std::string_view id, std::string_view resolution = {});
  Result<TaskState> add_comment(std::string_view id, std::string_view author,
                                std::string_view text);
  Result<TaskState> assign_task(std::string_view id, std::string_view assignee);
  Result<TaskState> set_progress(std::string_view id, int64_t percent);
  // token: of the claim, needed while somebody else's claim could live (conflict otherwise).
  Result<TaskState> complete_task(std::string_view id, std::optional<int64_t> token = {},
                                  std::string_view outcome = {});
  Result<TaskState> fail_task(std::string_view id, std::string_view reason,
                              std::optional<int64_t> token = {});
  Result<TaskState> cancel_task(std::string_view id, std::string_view reason = {});

  // Exactly one of many racers gets a claim; claim_token is set in the answer.
  Result<TaskState> claim_task(std::string_view id, std::optional<int64_t> lease_seconds = {},
                               bool steal = false);
  // nullopt: nothing is ready.
  Result<std::optional<TaskState>> claim_ready(std::optional<int64_t> lease_seconds = {});
  Result<TaskState> heartbeat(std::string_view id, int64_t token);
  Result<TaskState> release(std::string_view id, int64_t token, std::string_view reason = {});

  Result<TaskState> get_task(std::string_view id);
  // Tasks that are not ended, of this project.
  Result<std::vector<TaskState>> get_active_tasks();

 private:
  friend class HistoricalTaskTracker;
  friend class InsightEmitter;
  friend class InsightQuerier;
  struct Impl;
  explicit TaskTracker(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace contextcore
