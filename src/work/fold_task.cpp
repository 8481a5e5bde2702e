#include "work/fold_task.h"

#include <algorithm>

#include "work/ids.h"
#include "work/names.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

}  // namespace

Error bad_event(const EventView& event, std::string_view why) {
  return Error{Code::corruption,
               "event " + std::string(event.name) + " of span " + otlp::to_hex(event.span_id) + ", revision " +
                   std::to_string(event.revision) + ", " + std::string(why),
               {},
               {},
               {}};
}

namespace {

DependsWhen when_of(std::string_view name) {
  if (name == "ended") return DependsWhen::ended;
  if (name == "failed") return DependsWhen::failed;
  return DependsWhen::done;
}

void begin_phase(TaskHistory& history, const EventView& event) {
  if (!history.with_phases) return;
  Phase& phase = history.phases.emplace_back();
  phase.ordinal = history.phases.size() == 1 ? 1 : history.phases.end()[-2].ordinal + 1;
  phase.status = history.task.status;
  phase.own_status = history.task.own_status;
  phase.start_ns = event.time_ns;
  phase.revision = event.revision;
  phase.actor = event.text(field::kActor);
  if (phase.actor.empty()) phase.actor = event.text(field::kAgentId);
  phase.assignee = history.task.assignee;
  phase.sprint_id = history.task.sprint_id;
  phase.task_type = history.task.type;
}

}  // namespace

NamedStatus named_status(const EventView& event, std::string_view name) {
  const std::string_view base = event.text(field::kBaseStatus);
  if (base.empty()) return {parse_status(event.text(name)), {}};
  return {parse_status(base), event.text(name)};
}

std::optional<int64_t> points_of(std::string_view edited_to) {
  const auto json = parse_json(edited_to);
  return json.ok() && json->as_int() ? std::optional<int64_t>(*json->as_int()) : std::nullopt;
}

bool changes_ended(TaskChange change) {
  return change == TaskChange::reopened || change == TaskChange::deleted || change == TaskChange::undeleted ||
         change == TaskChange::undone;
}

namespace {

Status fold_created(TaskHistory& history, const EventView& event) {
  Task& task = history.task;
  if (task.exists()) return bad_event(event, "creates a task that exists");
  const auto [status, own_status] = named_status(event, field::kStatus);
  if (!status || is_ended(*status)) return bad_event(event, "has no status of an open task");
  task.service_name = event.service_name;
  task.project = event.project;
  task.id = event.text(field::kTaskId);
  task.type = event.text(field::kTaskType);
  task.title = event.text(field::kTaskTitle);
  task.sprint_id = event.text(field::kSprintId);
  task.trace_id = event.trace_id;
  task.span_id = event.span_id;
  task.status = *status;
  task.own_status = own_status;
  task.start_ns = event.time_ns;
  task.priority = event.text(field::kPriority);
  task.assignee = event.text(field::kAssignee);
  task.parent_id = event.text(field::kParentId);
  if (!task.parent_id.empty()) task.parent_span_id = span_id("task", task.project, task.parent_id);
  task.labels = event.list(field::kLabels);
  task.description = event.text(field::kDescription);
  task.story_points = event.integer_if(field::kStoryPoints);
  task.estimate_minutes = event.integer_if(field::kEstimateMinutes);
  task.url = event.text(field::kUrl);
  task.due_date = event.text(field::kDueDate);
  task.defer_until = event.text(field::kDeferUntil);
  task.acceptance_criteria = event.list(field::kAcceptanceCriteria);
  task.deliverables = event.list(field::kDeliverables);
  for (const auto& [key, json] : event.object(field::kAttrsJson)) {
    if (auto value = attribute_value(json)) task.extra.push_back({key, std::move(*value)});
  }
  begin_phase(history, event);
  return {};
}

// Somebody has taken it on without a claim: the former holder no longer matters.
void forget_former_holder(Task& task) {
  if (task.claim_token == 0) task.claimed_by.clear();
}

Status fold_status(TaskHistory& history, const EventView& event) {
  Task& task = history.task;
  const auto [to, own_status] = named_status(event, field::kToStatus);
  if (!to) return bad_event(event, "has no known to_status");
  if (task.status == TaskStatus::blocked && *to != TaskStatus::blocked) {
    task.blocked_reason.clear();
    task.blocked_by.clear();
  } else if (*to != TaskStatus::blocked) {
    // Coming back from a block says nothing of who goes on; any other move does.
    forget_former_holder(task);
  }
  if (!history.phases.empty() && history.phases.back().end_ns == 0) {
    history.phases.back().end_ns = event.time_ns;
    history.phases.back().revision = event.revision;
  }
  task.status = *to;
  task.own_status = own_status;
  if (is_ended(*to)) {
    task.end_ns = event.time_ns;
    task.waiting_on.clear();
  } else {
    begin_phase(history, event);
  }
  return {};
}

// What the end freezes of the derived values.
void fold_end(Task& task, const EventView& event) {
  task.subtask_count = event.integer(field::kSubtaskCount);
  task.subtask_completed = event.integer(field::kSubtaskCompleted);
  task.subtask_open = event.integer(field::kOpenSubtasks);
  if (event.change == TaskChange::cancelled) return;
  task.outcome = event.text(field::kOutcome);
  if (event.change != TaskChange::failed) return;
  task.failure_reason = event.text(field::kReason);
  task.error_type = event.text(field::kErrorType);
}

// The end is cleared and with it what was given at the end.
Status fold_reopened(Task& task, const EventView& event) {
  if (!task.ended()) return bad_event(event, "reopens an open task");
  task.end_ns = 0;
  task.outcome.clear();
  task.failure_reason.clear();
  task.error_type.clear();
  return {};
}

void edit_attribute(otlp::Attributes& extra, std::string_view key, std::string_view json_text) {
  if (json_text.empty()) {
    otlp::erase(extra, key);
  } else if (const auto json = parse_json(json_text); json.ok()) {
    if (auto value = attribute_value(*json)) otlp::set(extra, key, std::move(*value));
  }
}

std::string* text_field(Task& task, std::string_view name) {
  if (name == "title") return &task.title;
  if (name == "type") return &task.type;
  if (name == "priority") return &task.priority;
  if (name == "due") return &task.due_date;
  if (name == "defer") return &task.defer_until;
  if (name == "sprint") return &task.sprint_id;
  if (name == "url") return &task.url;
  return name == "description" ? &task.description : nullptr;
}

void fold_edited(Task& task, const EventView& event) {
  const std::string_view name = event.text(field::kField);
  const std::string_view to = event.text(field::kTo);
  if (std::string* text = text_field(task, name)) {
    *text = to;
  } else if (name == "points") {
    task.story_points = points_of(to);
  } else if (name == "estimate") {
    task.estimate_minutes = points_of(to);
  } else if (name == "labels") {
    task.labels = event.list(field::kTo);
  } else if (name == "acceptance_criteria") {
    task.acceptance_criteria = event.list(field::kTo);
  } else if (name == "deliverables") {
    task.deliverables = event.list(field::kTo);
    task.deliverables_verified.reset();
  } else if (name == "parent") {
    task.parent_id = to;
    task.parent_span_id = {};
    if (!to.empty()) task.parent_span_id = span_id("task", task.project, to);
  } else if (name.starts_with(kAttributeField)) {
    edit_attribute(task.extra, name.substr(kAttributeField.size()), to);
  }
}

TaskLink link_of(const EventView& event) {
  TaskLink link;
  link.type = event.text(field::kLinkType);
  link.task_id = event.text(field::kTargetTaskId);
  link.when = when_of(event.text(field::kWhen));
  if (link.task_id.empty()) {
    otlp::parse_hex(event.text(field::kTargetSpanId), link.span_id);
  } else {
    link.project = event.text(field::kTargetProjectId);
    link.span_id = span_id("task", link.project, link.task_id);
    link.trace_id = trace_id("task", link.project, link.task_id);
  }
  if (const std::string_view trace = event.text(field::kTargetTraceId); !trace.empty()) {
    otlp::parse_hex(trace, link.trace_id);
  }
  return link;
}

bool same_target(const TaskLink& a, const TaskLink& b) {
  if (a.type != b.type || a.span_id != b.span_id) return false;
  return !a.task_id.empty() || a.trace_id == b.trace_id;
}

void fold_link(Task& task, const EventView& event) {
  TaskLink link = link_of(event);
  const auto old = std::find_if(task.links.begin(), task.links.end(),
                                [&](const TaskLink& other) { return same_target(other, link); });
  if (event.change == TaskChange::unlinked) {
    if (old != task.links.end()) task.links.erase(old);
  } else if (old != task.links.end()) {
    *old = std::move(link);
  } else {
    task.links.push_back(std::move(link));
  }
}

void fold_claim(Task& task, const EventView& event) {
  task.claim_session.clear();
  task.claim_token = 0;
  task.claim_lease_seconds = 0;
  // The holder stays known, so that what was begun and given up is handed out again.
  if (event.change == TaskChange::released) return;
  task.claimed_by = event.text(field::kClaimedBy);
  task.claim_session = event.text(field::kSessionId);
  task.claim_token = event.revision;
  task.claim_lease_seconds = event.integer(field::kLeaseSeconds);
}

Status fold_one(TaskHistory& history, const EventView& event) {
  Task& task = history.task;
  if (event.change == TaskChange::created) return fold_created(history, event);
  if (!task.exists()) return bad_event(event, "comes before the task's creation");
  switch (event.change) {
    case TaskChange::status_changed:
      return fold_status(history, event);
    case TaskChange::blocked:
      task.blocked_reason = event.text(field::kReason);
      task.blocked_by = event.list(field::kBlockedBy);
      break;
    case TaskChange::completed:
    case TaskChange::failed:
    case TaskChange::cancelled:
      fold_end(task, event);
      break;
    case TaskChange::progress_updated:
      task.percent = std::clamp<int64_t>(event.integer(field::kPercentComplete), 0, 100);
      break;
    case TaskChange::assigned:
      task.assignee = event.text(field::kToAssignee);
      if (!task.assignee.empty()) forget_former_holder(task);
      break;
    case TaskChange::claimed:
    case TaskChange::released:
      fold_claim(task, event);
      break;
    case TaskChange::linked:
    case TaskChange::unlinked:
      fold_link(task, event);
      break;
    case TaskChange::edited:
      fold_edited(task, event);
      break;
    case TaskChange::reopened:
      return fold_reopened(task, event);
    case TaskChange::deleted:
    case TaskChange::undeleted:
      task.deleted = event.change == TaskChange::deleted;
      break;
    case TaskChange::deliverables_verified:
      // Without a count: what had been found was taken back.
      task.deliverables_verified = event.integer_if(field::kVerifiedCount);
      break;
    case TaskChange::other:
    case TaskChange::created:
    case TaskChange::undone:
      break;
  }
  return {};
}

// The current phase shows the assignee and the sprint it has now, until it ends.
void refresh_phase(TaskHistory& history, int64_t revision) {
  if (history.phases.empty() || history.phases.back().end_ns != 0) return;
  Phase& phase = history.phases.back();
  if (phase.assignee == history.task.assignee && phase.sprint_id == history.task.sprint_id &&
      phase.task_type == history.task.type) {
    return;
  }
  phase.assignee = history.task.assignee;
  phase.sprint_id = history.task.sprint_id;
  phase.task_type = history.task.type;
  phase.revision = revision;
}

}  // namespace

// In the order in which the fold asks for them.
std::vector<std::string_view> fields_of_fold(std::string_view name) {
  const auto is = [name](auto... names) { return ((name == names) || ...); };
  if (is(ev::kTaskCreated, ev::kTaskImported)) {
    return {field::kBaseStatus,   field::kStatus,       field::kTaskId,        field::kTaskType,
            field::kTaskTitle,    field::kSprintId,     field::kPriority,      field::kAssignee,
            field::kParentId,     field::kLabels,       field::kDescription,   field::kStoryPoints,
            field::kEstimateMinutes, field::kUrl,       field::kDueDate,       field::kDeferUntil,
            field::kAcceptanceCriteria, field::kDeliverables, field::kAttrsJson, field::kActor,
            field::kAgentId};
  }
  if (is(ev::kTaskStatusChanged)) return {field::kBaseStatus, field::kToStatus, field::kActor, field::kAgentId};
  if (is(ev::kTaskBlocked)) return {field::kReason, field::kBlockedBy};
  if (is(ev::kTaskCompleted, ev::kTaskFailed, ev::kTaskCancelled)) {
    return {field::kSubtaskCount, field::kSubtaskCompleted, field::kOpenSubtasks,
            field::kOutcome,      field::kReason,           field::kErrorType};
  }
  if (is(ev::kTaskProgressUpdated)) return {field::kPercentComplete};
  if (is(ev::kTaskAssigned)) return {field::kToAssignee};
  if (is(ev::kTaskClaimed)) return {field::kClaimedBy, field::kSessionId, field::kLeaseSeconds};
  if (is(ev::kTaskLinked, ev::kTaskUnlinked)) {
    return {field::kLinkType,     field::kTargetTaskId,    field::kWhen,
            field::kTargetSpanId, field::kTargetProjectId, field::kTargetTraceId};
  }
  if (is(ev::kTaskEdited)) return {field::kField, field::kTo};
  if (is(ev::kTaskDeliverablesVerified)) return {field::kVerifiedCount};
  return {};
}

Status fold(TaskHistory& history, const Event& event) { return fold(history, ViewOfEvent(event).view()); }

Status fold(TaskHistory& history, const EventView& event) {
  if (history.task.ended() && !changes_ended(event.change)) return {};
  CC_TRY(fold_one(history, event));
  // A task that has moved goes on in another trace.
  history.task.trace_id = event.trace_id;
  refresh_phase(history, event.revision);
  history.task.revision = event.revision;
  history.task.event_seq = event.seq;
  history.task.updated_ns = event.time_ns;
  return {};
}

}  // namespace contextcore::work
