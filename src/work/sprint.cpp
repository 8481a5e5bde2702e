#include "work/sprint.h"

#include "work/names.h"
#include "work/status.h"

namespace contextcore::work {
namespace {

namespace attr = names::attr;
namespace field = names::field;
namespace ev = names::event;

void write_text(otlp::Attributes& out, std::string_view key, std::string_view value) {
  if (!value.empty()) out.push_back({std::string(key), otlp::Value(value)});
}

void write_integer(otlp::Attributes& out, std::string_view key, int64_t value) {
  out.push_back({std::string(key), otlp::Value(value)});
}

Error bad_event(const Event& event, std::string_view why) {
  return Error{Code::corruption,
               "event " + event.name + " of sprint " + event.text(field::kSprintId) +
                   ", revision " + std::to_string(event.revision) + ", " + std::string(why),
               {},
               {},
               {}};
}

void fold_started(Sprint& sprint, const Event& event) {
  sprint.service_name = event.service_name;
  sprint.project = event.project;
  sprint.id = event.text(field::kSprintId);
  sprint.trace_id = event.trace_id;
  sprint.span_id = event.span_id;
  sprint.start_ns = event.time_ns;
  sprint.name = event.text(field::kSprintName);
  sprint.goal = event.text(field::kGoal);
  sprint.start_date = event.text(field::kStartDate);
  sprint.end_date = event.text(field::kEndDate);
  sprint.planned_points = event.integer(field::kPlannedPoints);
  sprint.completed_points = event.integer(field::kCompletedPoints);
}

void fold_edited(Sprint& sprint, const Event& event) {
  const std::string name = event.text(field::kField);
  const std::string to = event.text(field::kTo);
  if (name == "name") sprint.name = to;
  if (name == "goal") sprint.goal = to;
  if (name == "start_date") sprint.start_date = to;
  if (name == "end_date") sprint.end_date = to;
}

}  // namespace

store::JournalSpan to_span(const Sprint& sprint) {
  store::JournalSpan out;
  write_text(out.resource.attributes, attr::kServiceName, sprint.service_name);
  write_text(out.resource.attributes, attr::kProjectId, sprint.project);
  out.scope.name = "contextcore.tracker";
  out.revision = sprint.revision;
  otlp::Span& span = out.span;
  span.trace_id = sprint.trace_id;
  span.span_id = sprint.span_id;
  span.name = kSprintSpanName;
  span.kind = otlp::SpanKind::internal;
  span.start_ns = static_cast<uint64_t>(sprint.start_ns);
  span.end_ns = static_cast<uint64_t>(sprint.end_ns);
  if (sprint.ended()) span.status_code = otlp::StatusCode::ok;
  otlp::Attributes& attributes = span.attributes;
  write_text(attributes, attr::kSprintId, sprint.id);
  write_text(attributes, attr::kSprintName, sprint.name);
  write_text(attributes, attr::kProjectId, sprint.project);
  write_text(attributes, attr::kSprintGoal, sprint.goal);
  write_text(attributes, attr::kSprintStartDate, sprint.start_date);
  write_text(attributes, attr::kSprintEndDate, sprint.end_date);
  write_integer(attributes, attr::kSprintPlannedPoints, sprint.planned_points);
  write_integer(attributes, attr::kSprintCompletedPoints, sprint.completed_points);
  write_text(attributes, attr::kSprintNotes, sprint.notes);
  write_integer(attributes, attr::kContextcoreRevision, sprint.revision);
  write_integer(attributes, attr::kContextcoreUpdatedNs, sprint.updated_ns);
  write_integer(attributes, attr::kContextcoreEventSeq, sprint.event_seq);
  return out;
}

Result<Sprint> sprint_from_span(const store::JournalSpan& in) {
  const otlp::Attributes& attributes = in.span.attributes;
  const auto text = [&](std::string_view key) {
    return std::string(otlp::find_string(attributes, key));
  };
  const auto integer = [&](std::string_view key) {
    const otlp::Value* value = otlp::find(attributes, key);
    return value && value->as_int() ? *value->as_int() : int64_t{0};
  };
  Sprint sprint;
  sprint.id = text(attr::kSprintId);
  if (in.span.name != kSprintSpanName || sprint.id.empty()) {
    return Error{
        Code::corruption, "a stored work span is not a sprint", "run contextcore rebuild", {}, {}};
  }
  sprint.service_name = otlp::find_string(in.resource.attributes, attr::kServiceName);
  sprint.project = text(attr::kProjectId);
  sprint.name = text(attr::kSprintName);
  sprint.goal = text(attr::kSprintGoal);
  sprint.start_date = text(attr::kSprintStartDate);
  sprint.end_date = text(attr::kSprintEndDate);
  sprint.notes = text(attr::kSprintNotes);
  sprint.trace_id = in.span.trace_id;
  sprint.span_id = in.span.span_id;
  sprint.start_ns = static_cast<int64_t>(in.span.start_ns);
  sprint.end_ns = static_cast<int64_t>(in.span.end_ns);
  sprint.revision = in.revision;
  sprint.updated_ns = integer(attr::kContextcoreUpdatedNs);
  sprint.event_seq = integer(attr::kContextcoreEventSeq);
  sprint.planned_points = integer(attr::kSprintPlannedPoints);
  sprint.completed_points = integer(attr::kSprintCompletedPoints);
  return sprint;
}

bool is_sprint_event(std::string_view event_name) { return event_name.starts_with("sprint."); }

Status fold(Sprint& sprint, const Event& event) {
  if (sprint.ended()) return {};
  if (event.name == ev::kSprintStarted) {
    if (sprint.exists()) return bad_event(event, "starts a sprint that exists");
    fold_started(sprint, event);
  } else if (!sprint.exists()) {
    return bad_event(event, "comes before the sprint's start");
  } else if (event.name == ev::kSprintEnded) {
    sprint.end_ns = event.time_ns;
    sprint.notes = event.text(field::kNotes);
    sprint.planned_points = event.integer(field::kPlannedPoints);
    sprint.completed_points = event.integer(field::kCompletedPoints);
  } else if (event.name == ev::kSprintEdited) {
    fold_edited(sprint, event);
  }
  sprint.revision = event.revision;
  sprint.event_seq = event.seq;
  sprint.updated_ns = event.time_ns;
  return {};
}

SprintPoints sprint_points(const store::WorkRow& task) {
  const TaskStatus status = row_status(task);
  if (!is_task(task) || status == TaskStatus::cancelled) return {};
  return {task.points, status == TaskStatus::done ? task.points : 0};
}

SprintPoints sprint_points(const Task& task) {
  if (task.deleted || task.status == TaskStatus::cancelled) return {};
  const int64_t points = task.story_points.value_or(0);
  return {points, task.status == TaskStatus::done ? points : 0};
}

}  // namespace contextcore::work
