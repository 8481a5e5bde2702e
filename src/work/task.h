#pragma once
// A task and its phases as typed values, and their one span form. to_span() orders attributes the
// same way whatever the history was, so equal tasks are equal spans.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/journal.h"
#include "work/status.h"

namespace contextcore::work {

struct TaskLink {
  std::string type;     // depends_on ...
  std::string task_id;  // "" for a link to other telemetry
  std::string project;
  DependsWhen when = DependsWhen::done;  // depends_on only
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  bool operator==(const TaskLink&) const = default;
};

struct Task {
  std::string service_name, project, id, type, title;
  otlp::TraceId trace_id;
  otlp::SpanId span_id, parent_span_id;
  TaskStatus status = TaskStatus::todo;
  std::string own_status;  // name of a status of the project's own that behaves like `status`
  bool deleted = false;
  int64_t start_ns = 0;
  int64_t end_ns = 0;  // 0: open
  int64_t revision = 0;
  int64_t updated_ns = 0;  // time of the last event
  int64_t event_seq = 0;   // ordinal of the last event of this revision

  int64_t percent = 0;
  // Derived from children and dependencies while the task is open; frozen by the event that ends
  // it.
  int64_t subtask_count = 0, subtask_completed = 0, subtask_open = 0;
  std::vector<std::string> waiting_on;

  std::string priority, assignee, url, parent_id, sprint_id, due_date, defer_until, description;
  std::optional<int64_t> story_points, estimate_minutes;
  std::vector<std::string> labels, acceptance_criteria;
  std::string blocked_reason;
  std::vector<std::string> blocked_by;
  std::string outcome, failure_reason, error_type;
  std::vector<std::string> deliverables;         // each as JSON text
  std::optional<int64_t> deliverables_verified;  // by the last verification
  std::string claimed_by;  // without a token: who gave it up, until somebody takes it on
  std::string claim_session;
  int64_t claim_token = 0;  // 0: not claimed
  int64_t claim_lease_seconds = 0;
  std::vector<TaskLink> links;
  otlp::Attributes extra;  // the caller's own

  bool ended() const { return end_ns != 0; }
  bool exists() const { return revision != 0; }
  std::string_view status_text() const {
    return own_status.empty() ? status_name(status) : std::string_view(own_status);
  }
  // Todo, no open child, nothing to wait for; claim and defer date are the reader's business.
  bool ready() const {
    return status == TaskStatus::todo && subtask_open == 0 && waiting_on.empty();
  }
};

struct Phase {
  int64_t ordinal = 0;  // 0: none
  TaskStatus status = TaskStatus::todo;
  std::string own_status;
  int64_t start_ns = 0;
  int64_t end_ns = 0;  // 0: current
  int64_t revision = 0;
  std::string actor, assignee, sprint_id, task_type;
};

store::JournalSpan to_span(const Task& task);
store::JournalSpan to_span(const Phase& phase, const Task& task);
// REQUIRES: a span that to_span made. Errors (corruption) otherwise.
Result<Task> task_from_span(const store::JournalSpan& span);
Result<Phase> phase_from_span(const store::JournalSpan& span);

// What a task adds to the sums of its parent (store/work_tally.h): children that are neither cancelled nor deleted count.
store::WorkTally tally_of(const Task& task);
// As a dependency: a deleted task is as good as a cancelled one.
inline bool satisfies(const Task& task, DependsWhen when) {
  return satisfies(task.deleted ? TaskStatus::cancelled : task.status, when);
}

// Attribute keys of a task span that the tracker sets; a caller may not.
bool is_task_key(std::string_view key);

// What depends on the clock is not stored: the lease end as the events tell it (the index may know
// a later one from heartbeats).
constexpr int64_t lease_end_ns(const Task& task) {
  return task.claim_token == 0 ? 0 : task.updated_ns + task.claim_lease_seconds * 1'000'000'000;
}

}  // namespace contextcore::work
