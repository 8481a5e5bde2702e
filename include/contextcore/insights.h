#pragma once
// What agents learn outlives their session: decisions, lessons, blockers as spans and log events.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contextcore/result.h"
#include "contextcore/task_tracker.h"

namespace contextcore {

struct Evidence {
  std::string type, ref, description;
};

struct InsightOptions {
  double confidence = 1.0;  // 0..1
  std::string subject;      // short key; default: category and first path
  std::string category;
  std::string audience;  // agent human both
  std::string rationale;
  std::vector<std::string> applies_to;  // globs
  std::string valid_until;              // RFC 3339
  std::string supersedes;               // insight id
  std::string task_id;                  // makes it a child of the task's span
  std::vector<Evidence> evidence;
  AttributeMap context;  // insight.context.<key>
};

struct Insight {
  std::string id, project, type, subject, summary, agent_id, rationale, category, task_id;
  std::string status;  // active superseded retracted resolved expired, as of the question
  double confidence = 0;
  std::string trace_id, span_id, time;
  std::string json;  // the whole answer
};

struct InsightFilter {
  std::string type, subject, agent_id, task_id, text;
  std::string since;   // RFC 3339 or "7d ago"
  std::string status;  // default: valid now; "all": every one
  std::optional<double> confidence_min;
  int64_t limit = 50;
};

class InsightEmitter {
 public:
  // REQUIRES an agent_id in the options or the environment.
  static Result<InsightEmitter> open(ConnectOptions options = {});
  Result<Insight> emit(std::string_view type, std::string_view summary,
                       const InsightOptions& options = {});
  Result<Insight> emit_decision(std::string_view summary, const InsightOptions& options = {});
  Result<Insight> emit_lesson(std::string_view summary, const InsightOptions& options = {});
  Result<Insight> emit_blocker(std::string_view summary, const InsightOptions& options = {});
  Result<Insight> supersede(std::string_view id, std::string_view by_id);
  Result<Insight> retract(std::string_view id, std::string_view reason = {});
  Result<Insight> resolve(std::string_view id, std::string_view resolution = {});

 private:
  explicit InsightEmitter(std::shared_ptr<TaskTracker::Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<TaskTracker::Impl> impl_;
};

class InsightQuerier {
 public:
  static Result<InsightQuerier> open(ConnectOptions options = {});
  // Newest first; what is valid now unless the filter says otherwise.
  Result<std::vector<Insight>> query(const InsightFilter& filter = {});

 private:
  explicit InsightQuerier(std::shared_ptr<TaskTracker::Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<TaskTracker::Impl> impl_;
};

}  // namespace contextcore
