#include "work/task.h"

#include <algorithm>
#include <array>

#include "work/ids.h"
#include "work/names.h"

namespace contextcore::work {
namespace {

namespace attr = names::attr;

constexpr std::string_view kTrackerScope = "contextcore.tracker";
constexpr std::array<std::string_view, 3> kWhenNames = {"done", "ended", "failed"};

constexpr std::array kTaskKeys = {attr::kTaskId,
                                  attr::kTaskType,
                                  attr::kTaskTitle,
                                  attr::kTaskStatus,
                                  attr::kTaskBaseStatus,
                                  attr::kProjectId,
                                  attr::kTaskPercentComplete,
                                  attr::kTaskSubtaskCount,
                                  attr::kTaskSubtaskCompleted,
                                  attr::kTaskSubtaskOpen,
                                  attr::kTaskReady,
                                  attr::kTaskWaitingOn,
                                  attr::kTaskPriority,
                                  attr::kTaskAssignee,
                                  attr::kTaskUrl,
                                  attr::kTaskParentId,
                                  attr::kSprintId,
                                  attr::kTaskDueDate,
                                  attr::kTaskDeferUntil,
                                  attr::kTaskStoryPoints,
                                  attr::kTaskEstimateMinutes,
                                  attr::kTaskLabels,
                                  attr::kTaskAcceptanceCriteria,
                                  attr::kTaskDescription,
                                  attr::kTaskBlockedReason,
                                  attr::kTaskBlockedBy,
                                  attr::kTaskOutcome,
                                  attr::kTaskDeliverables,
                                  attr::kTaskDeliverableCount,
                                  attr::kTaskDeliverableVerified,
                                  attr::kTaskDeliverablesComplete,
                                  attr::kErrorType,
                                  attr::kTaskClaimedBy,
                                  attr::kTaskClaimSession,
                                  attr::kTaskClaimToken,
                                  attr::kTaskClaimLeaseSeconds,
                                  attr::kContextcoreRevision,
                                  attr::kContextcoreUpdatedNs,
                                  attr::kContextcoreEventSeq,
                                  attr::kContextcoreDeleted,
                                  attr::kContextcoreOpen};

class AttributeWriter {
 public:
  explicit AttributeWriter(otlp::Attributes& out) : out_(out) {}
  void value(std::string_view key, otlp::Value v) {
    out_.push_back({std::string(key), std::move(v)});
  }
  void text(std::string_view key, std::string_view v) {
    if (!v.empty()) value(key, otlp::Value(v));
  }
  void list(std::string_view key, const std::vector<std::string>& v) {
    if (v.empty()) return;
    otlp::Array array;
    for (const std::string& element : v) array.emplace_back(element);
    value(key, otlp::Value(std::move(array)));
  }
  void integer(std::string_view key, std::optional<int64_t> v) {
    if (v) value(key, otlp::Value(*v));
  }

 private:
  otlp::Attributes& out_;
};

std::string text_of(const otlp::Attributes& attributes, std::string_view key) {
  return std::string(otlp::find_string(attributes, key));
}

std::optional<int64_t> integer_of(const otlp::Attributes& attributes, std::string_view key) {
  const otlp::Value* value = otlp::find(attributes, key);
  if (!value || !value->as_int()) return std::nullopt;
  return *value->as_int();
}

std::vector<std::string> list_of(const otlp::Attributes& attributes, std::string_view key) {
  std::vector<std::string> result;
  const otlp::Value* value = otlp::find(attributes, key);
  if (!value || !value->as_array()) return result;
  for (const otlp::Value& element : *value->as_array()) {
    if (element.as_string()) result.push_back(*element.as_string());
  }
  return result;
}

// The status that an attribute names, and its name when it is one of the project's own.
std::pair<std::optional<TaskStatus>, std::string> status_of(const otlp::Attributes& attributes,
                                                            std::string_view key,
                                                            std::string_view base_key) {
  const std::string base = text_of(attributes, base_key);
  std::string name = text_of(attributes, key);
  if (base.empty()) return {parse_status(name), {}};
  return {parse_status(base), std::move(name)};
}

otlp::SpanLink to_span_link(const TaskLink& link) {
  otlp::SpanLink out;
  out.trace_id = link.trace_id;
  out.span_id = link.span_id;
  AttributeWriter write(out.attributes);
  write.text(attr::kType, link.type);
  write.text(attr::kLinkType, link.type);
  write.text(attr::kTaskId, link.task_id);
  write.text(attr::kProjectId, link.project);
  if (link.when != DependsWhen::done)
    write.text(attr::kLinkWhen, kWhenNames[static_cast<size_t>(link.when)]);
  return out;
}

TaskLink from_span_link(const otlp::SpanLink& link) {
  TaskLink out;
  out.type = text_of(link.attributes, attr::kType);
  out.task_id = text_of(link.attributes, attr::kTaskId);
  out.project = text_of(link.attributes, attr::kProjectId);
  const std::string when = text_of(link.attributes, attr::kLinkWhen);
  if (when == kWhenNames[1]) out.when = DependsWhen::ended;
  if (when == kWhenNames[2]) out.when = DependsWhen::failed;
  out.trace_id = link.trace_id;
  out.span_id = link.span_id;
  return out;
}

void set_task_status(const Task& task, otlp::Span& span) {
  switch (task.status) {
    case TaskStatus::done:
      span.status_code = otlp::StatusCode::ok;
      break;
    case TaskStatus::blocked:
      span.status_code = otlp::StatusCode::error;
      span.status_message =
          task.blocked_reason.empty() ? "Blocked" : "Blocked: " + task.blocked_reason;
      break;
    case TaskStatus::failed:
      span.status_code = otlp::StatusCode::error;
      span.status_message = task.failure_reason;
      break;
    case TaskStatus::backlog:
    case TaskStatus::todo:
    case TaskStatus::in_progress:
    case TaskStatus::in_review:
    case TaskStatus::cancelled:
      break;
  }
}

void write_deliverables(const Task& task, AttributeWriter& write) {
  if (task.deliverables.empty() && !task.deliverables_verified) return;
  const auto count = static_cast<int64_t>(task.deliverables.size());
  write.list(attr::kTaskDeliverables, task.deliverables);
  write.integer(attr::kTaskDeliverableCount, count);
  if (!task.deliverables_verified) return;
  write.integer(attr::kTaskDeliverableVerified, *task.deliverables_verified);
  write.value(attr::kTaskDeliverablesComplete, otlp::Value(*task.deliverables_verified == count));
}

void write_optional_attributes(const Task& task, AttributeWriter& write) {
  write.list(attr::kTaskWaitingOn, task.waiting_on);
  write.text(attr::kTaskPriority, task.priority);
  write.text(attr::kTaskAssignee, task.assignee);
  write.text(attr::kTaskUrl, task.url);
  write.text(attr::kTaskParentId, task.parent_id);
  write.text(attr::kSprintId, task.sprint_id);
  write.text(attr::kTaskDueDate, task.due_date);
  write.text(attr::kTaskDeferUntil, task.defer_until);
  write.integer(attr::kTaskStoryPoints, task.story_points);
  write.integer(attr::kTaskEstimateMinutes, task.estimate_minutes);
  write.list(attr::kTaskLabels, task.labels);
  write.list(attr::kTaskAcceptanceCriteria, task.acceptance_criteria);
  write.text(attr::kTaskDescription, task.description);
  write.text(attr::kTaskBlockedReason, task.blocked_reason);
  write.list(attr::kTaskBlockedBy, task.blocked_by);
  write.text(attr::kTaskOutcome, task.outcome);
  write_deliverables(task, write);
  write.text(attr::kErrorType, task.error_type);
  write.text(attr::kTaskClaimedBy, task.claimed_by);
  if (task.claim_token != 0) {
    write.text(attr::kTaskClaimSession, task.claim_session);
    write.integer(attr::kTaskClaimToken, task.claim_token);
    write.integer(attr::kTaskClaimLeaseSeconds, task.claim_lease_seconds);
  }
}

void set_resource(const Task& task, store::JournalSpan& out) {
  AttributeWriter write(out.resource.attributes);
  write.text(attr::kServiceName, task.service_name);
  write.text(attr::kProjectId, task.project);
  out.scope.name = kTrackerScope;
}

Error bad_span(std::string_view what) {
  return Error{Code::corruption,
               "a stored work span " + std::string(what),
               "run contextcore rebuild",
               {},
               {}};
}

}  // namespace

store::WorkTally tally_of(const Task& task) {
  return tally_of_child(task.status, task.deleted, task.percent, task.story_points.has_value(),
                        task.story_points.value_or(0));
}

bool is_task_key(std::string_view key) {
  return std::find(kTaskKeys.begin(), kTaskKeys.end(), key) != kTaskKeys.end();
}

store::JournalSpan to_span(const Task& task) {
  store::JournalSpan out;
  set_resource(task, out);
  out.revision = task.revision;
  otlp::Span& span = out.span;
  span.trace_id = task.trace_id;
  span.span_id = task.span_id;
  span.parent_span_id = task.parent_span_id;
  span.name = "contextcore.task." + task.type;
  span.kind = otlp::SpanKind::internal;
  span.start_ns = static_cast<uint64_t>(task.start_ns);
  span.end_ns = static_cast<uint64_t>(task.end_ns);
  set_task_status(task, span);
  AttributeWriter write(span.attributes);
  write.text(attr::kTaskId, task.id);
  write.text(attr::kTaskType, task.type);
  write.value(attr::kTaskTitle, otlp::Value(task.title));
  write.text(attr::kTaskStatus, task.status_text());
  if (!task.own_status.empty()) write.text(attr::kTaskBaseStatus, status_name(task.status));
  write.text(attr::kProjectId, task.project);
  write.integer(attr::kTaskPercentComplete, task.percent);
  write.integer(attr::kTaskSubtaskCount, task.subtask_count);
  write.integer(attr::kTaskSubtaskCompleted, task.subtask_completed);
  if (task.subtask_open != 0) write.integer(attr::kTaskSubtaskOpen, task.subtask_open);
  write.value(attr::kTaskReady, otlp::Value(task.ready()));
  write_optional_attributes(task, write);
  write.integer(attr::kContextcoreRevision, task.revision);
  write.integer(attr::kContextcoreUpdatedNs, task.updated_ns);
  write.integer(attr::kContextcoreEventSeq, task.event_seq);
  if (task.deleted) write.value(attr::kContextcoreDeleted, otlp::Value(true));
  span.attributes.insert(span.attributes.end(), task.extra.begin(), task.extra.end());
  for (const TaskLink& link : task.links) span.links.push_back(to_span_link(link));
  return out;
}

Result<Task> task_from_span(const store::JournalSpan& in) {
  const otlp::Span& span = in.span;
  const otlp::Attributes& attributes = span.attributes;
  Task task;
  const auto [status, own_status] = status_of(attributes, attr::kTaskStatus, attr::kTaskBaseStatus);
  task.id = text_of(attributes, attr::kTaskId);
  if (!status || task.id.empty()) return bad_span("is not a task");
  task.status = *status;
  task.own_status = own_status;
  task.deleted = otlp::find(attributes, attr::kContextcoreDeleted) != nullptr;
  task.service_name = text_of(in.resource.attributes, attr::kServiceName);
  task.project = text_of(attributes, attr::kProjectId);
  task.type = text_of(attributes, attr::kTaskType);
  task.title = text_of(attributes, attr::kTaskTitle);
  task.trace_id = span.trace_id;
  task.span_id = span.span_id;
  task.parent_span_id = span.parent_span_id;
  task.start_ns = static_cast<int64_t>(span.start_ns);
  task.end_ns = static_cast<int64_t>(span.end_ns);
  task.revision = in.revision;
  const auto count = [&](std::string_view key) { return integer_of(attributes, key).value_or(0); };
  task.updated_ns = count(attr::kContextcoreUpdatedNs);
  task.event_seq = count(attr::kContextcoreEventSeq);
  task.percent = count(attr::kTaskPercentComplete);
  task.subtask_count = count(attr::kTaskSubtaskCount);
  task.subtask_completed = count(attr::kTaskSubtaskCompleted);
  task.subtask_open = count(attr::kTaskSubtaskOpen);
  task.waiting_on = list_of(attributes, attr::kTaskWaitingOn);
  task.priority = text_of(attributes, attr::kTaskPriority);
  task.assignee = text_of(attributes, attr::kTaskAssignee);
  task.url = text_of(attributes, attr::kTaskUrl);
  task.parent_id = text_of(attributes, attr::kTaskParentId);
  task.sprint_id = text_of(attributes, attr::kSprintId);
  task.due_date = text_of(attributes, attr::kTaskDueDate);
  task.defer_until = text_of(attributes, attr::kTaskDeferUntil);
  task.story_points = integer_of(attributes, attr::kTaskStoryPoints);
  task.estimate_minutes = integer_of(attributes, attr::kTaskEstimateMinutes);
  task.labels = list_of(attributes, attr::kTaskLabels);
  task.acceptance_criteria = list_of(attributes, attr::kTaskAcceptanceCriteria);
  task.description = text_of(attributes, attr::kTaskDescription);
  task.blocked_reason = text_of(attributes, attr::kTaskBlockedReason);
  task.blocked_by = list_of(attributes, attr::kTaskBlockedBy);
  task.outcome = text_of(attributes, attr::kTaskOutcome);
  task.error_type = text_of(attributes, attr::kErrorType);
  task.deliverables = list_of(attributes, attr::kTaskDeliverables);
  task.deliverables_verified = integer_of(attributes, attr::kTaskDeliverableVerified);
  if (task.status == TaskStatus::failed) task.failure_reason = span.status_message;
  task.claimed_by = text_of(attributes, attr::kTaskClaimedBy);
  task.claim_session = text_of(attributes, attr::kTaskClaimSession);
  task.claim_token = count(attr::kTaskClaimToken);
  task.claim_lease_seconds = count(attr::kTaskClaimLeaseSeconds);
  for (const otlp::SpanLink& link : span.links) task.links.push_back(from_span_link(link));
  for (const otlp::KeyValue& attribute : attributes) {
    if (!is_task_key(attribute.key)) task.extra.push_back(attribute);
  }
  return task;
}

store::JournalSpan to_span(const Phase& phase, const Task& task) {
  store::JournalSpan out;
  set_resource(task, out);
  out.revision = phase.revision;
  otlp::Span& span = out.span;
  span.trace_id = task.trace_id;
  span.span_id = phase_span_id(task.project, task.id, phase.ordinal);
  span.parent_span_id = task.span_id;
  span.name = "contextcore.phase";
  span.kind = otlp::SpanKind::internal;
  span.start_ns = static_cast<uint64_t>(phase.start_ns);
  span.end_ns = static_cast<uint64_t>(phase.end_ns);
  if (phase.status == TaskStatus::blocked) span.status_code = otlp::StatusCode::error;
  AttributeWriter write(span.attributes);
  write.text(attr::kPhaseTaskId, task.id);
  write.text(attr::kPhaseTaskType, phase.task_type);
  const bool own = !phase.own_status.empty();
  write.text(attr::kPhaseStatus, own ? phase.own_status : status_name(phase.status));
  if (own) write.text(attr::kPhaseBaseStatus, status_name(phase.status));
  write.integer(attr::kPhaseOrdinal, phase.ordinal);
  write.text(attr::kPhaseActor, phase.actor);
  write.text(attr::kPhaseAssignee, phase.assignee);
  write.text(attr::kPhaseSprintId, phase.sprint_id);
  write.text(attr::kProjectId, task.project);
  write.integer(attr::kContextcoreRevision, phase.revision);
  return out;
}

Result<Phase> phase_from_span(const store::JournalSpan& in) {
  const otlp::Attributes& attributes = in.span.attributes;
  Phase phase;
  const auto [status, own_status] =
      status_of(attributes, attr::kPhaseStatus, attr::kPhaseBaseStatus);
  phase.ordinal = integer_of(attributes, attr::kPhaseOrdinal).value_or(0);
  if (!status || phase.ordinal <= 0) return bad_span("is not a phase");
  phase.status = *status;
  phase.own_status = own_status;
  phase.start_ns = static_cast<int64_t>(in.span.start_ns);
  phase.end_ns = static_cast<int64_t>(in.span.end_ns);
  phase.revision = in.revision;
  phase.actor = text_of(attributes, attr::kPhaseActor);
  phase.assignee = text_of(attributes, attr::kPhaseAssignee);
  phase.sprint_id = text_of(attributes, attr::kPhaseSprintId);
  phase.task_type = text_of(attributes, attr::kPhaseTaskType);
  return phase;
}

}  // namespace contextcore::work
