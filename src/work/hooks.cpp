#include "work/hooks.h"

#include <algorithm>
#include <array>

#include "base/time.h"
#include "store/rows.h"
#include "work/metric_names.h"
#include "work/names.h"
#include "work/row.h"
#include "work/sprint.h"
#include "work/status.h"

namespace contextcore::work {
namespace {

namespace attr = names::attr;
namespace ev = names::event;
using store::JournalSpan;
using store::WorkKind;
using store::WorkRow;

int64_t time_of(std::string_view rfc3339) {
  if (rfc3339.empty()) return 0;
  const auto parsed = parse_rfc3339(rfc3339);
  return parsed.ok() ? *parsed : 0;
}

constexpr size_t kSpanEventsMax = 512;

// A reader of span events gets so many at most: the oldest status changes are left out first, then
// the oldest of the others, comments last. The log has them all.
void limit_events(otlp::Span& span) {
  if (span.events.size() <= kSpanEventsMax) return;
  const auto rank = [](const otlp::SpanEvent& event) {
    if (event.name == ev::kTaskStatusChanged) return 0;
    return event.name == ev::kTaskCommented ? 2 : 1;
  };
  size_t excess = span.events.size() - kSpanEventsMax;
  span.dropped_events_count += static_cast<uint32_t>(excess);
  for (int least = 0; least <= 2 && excess > 0; least++) {
    std::erase_if(span.events, [&](const otlp::SpanEvent& event) {
      const bool out = excess > 0 && rank(event) == least;
      if (out) excess--;
      return out;
    });
  }
}

void compute(otlp::Span& span, const WorkRow& row, int64_t now_ns) {
  otlp::Attributes& attributes = span.attributes;
  if (is_insight(row)) {
    otlp::set(attributes, attr::kInsightStatus, otlp::Value(insight_status(row, now_ns)));
    return;
  }
  if (row.kind == WorkKind::phase || row.kind == WorkKind::sprint) {
    otlp::set(attributes, attr::kContextcoreOpen, otlp::Value(row.end_ns == 0));
    otlp::erase(attributes, attr::kContextcoreUpdatedNs);
    otlp::erase(attributes, attr::kContextcoreEventSeq);
    return;
  }
  if (!is_task(row)) return;
  limit_events(span);
  const bool claimed = has_live_claim(row, now_ns);
  std::erase_if(attributes, [claimed](const otlp::KeyValue& attribute) {
    const std::string_view key = attribute.key;
    if (key == attr::kContextcoreUpdatedNs || key == attr::kContextcoreEventSeq || key == attr::kTaskClaimLeaseSeconds) {
      return true;
    }
    return !claimed && (key == attr::kTaskClaimedBy || key == attr::kTaskClaimSession || key == attr::kTaskClaimToken);
  });
  otlp::set(attributes, attr::kContextcoreOpen, otlp::Value(row.end_ns == 0));
  otlp::set(attributes, attr::kTaskReady, otlp::Value(is_ready(row, now_ns, false)));
}

// Fields that say what a line is about, not what happened.
bool is_common_field(std::string_view name) {
  namespace field = names::field;
  static constexpr std::array kCommon = {field::kEvent,    field::kSchema,    field::kTaskId,
                                         field::kTaskType, field::kTaskTitle, field::kSprintId,
                                         field::kInsightId};
  return std::find(kCommon.begin(), kCommon.end(), name) != kCommon.end();
}

std::optional<otlp::SpanEvent> mirror(const otlp::LogRecord& record) {
  static constexpr std::array kMirrored = {ev::kTaskCreated,
                                           ev::kTaskImported,
                                           ev::kTaskStatusChanged,
                                           ev::kTaskBlocked,
                                           ev::kTaskUnblocked,
                                           ev::kTaskCompleted,
                                           ev::kTaskFailed,
                                           ev::kTaskCancelled,
                                           ev::kTaskCommented,
                                           ev::kTaskAssigned,
                                           ev::kTaskReopened,
                                           ev::kTaskException,
                                           ev::kTaskDeliverablesVerified};
  const bool evidence = record.event_name == ev::kEvidenceAdded;
  if (!evidence &&
      std::find(kMirrored.begin(), kMirrored.end(), record.event_name) == kMirrored.end()) {
    return std::nullopt;
  }
  const auto event = event_from_record(record, nullptr);
  if (!event.ok()) return std::nullopt;
  otlp::SpanEvent out;
  out.time_ns = record.time_ns;
  out.name = record.event_name;
  for (const auto& [name, json] : event->line) {
    if (is_common_field(name)) continue;
    auto value = attribute_value(json);
    if (!value) continue;
    if (evidence) {
      if (!name.starts_with("evidence_")) continue;
      out.attributes.push_back({"evidence." + name.substr(9), std::move(*value)});
    } else {
      out.attributes.push_back({name, std::move(*value)});
    }
  }
  return out;
}

std::optional<std::string> refuse_span(const otlp::Resource&, const otlp::Scope&,
                                       const otlp::SpanView& span, bool owned) {
  if (!owned) return std::nullopt;
  return "span " + otlp::to_hex(span.span_id) +
         " belongs to the work journal: task state changes through the work API "
         "(contextcore task ..., POST /tracker/v1/commands, or the libraries)";
}

std::optional<std::string> remark_span(const otlp::SpanView& span) {
  const bool task = otlp::find(span.attributes, attr::kTaskStatus) != nullptr;
  if (!task && otlp::find(span.attributes, attr::kInsightType) == nullptr) return std::nullopt;
  return "span " + otlp::to_hex(span.span_id) + " looks like " + (task ? "a task" : "an insight") +
         " of the work journal but is kept as telemetry only: " +
         (task ? "make it through the work API or take it over with contextcore task adopt"
               : "emit it through the work API");
}

bool is_our_event(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kPrefixes = {
      "task.",   "subtask.", "insight.",  "evidence.",
      "sprint.", "handoff.", "guidance.", "commit.linked"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool mentions_us(const otlp::Value& value) {
  if (const auto* text = value.as_string()) return *text == kJournalService;
  if (const auto* list = value.as_kvlist()) {
    return std::any_of(list->begin(), list->end(),
                       [](const otlp::KeyValue& member) { return mentions_us(member.value); });
  }
  return false;
}

std::optional<std::string> refuse_log(const otlp::Resource& resource, const otlp::Scope&,
                                      const otlp::LogRecord& record, bool owned) {
  for (const std::string_view key : {attr::kServiceName, attr::kService, attr::kJob}) {
    if (otlp::find_string(resource.attributes, key) == kJournalService) {
      return "log stream " + std::string(key) + "=\"" + std::string(kJournalService) +
             "\" belongs to the work journal: send under another " + std::string(key) +
             "; task events are written through the work API";
    }
  }
  // Labels come from other attributes too; only then is it worth working them out.
  const auto names_us = [](const otlp::KeyValue& attribute) {
    return mentions_us(attribute.value);
  };
  if (std::any_of(resource.attributes.begin(), resource.attributes.end(), names_us)) {
    for (const auto& [name, value] : store::stream_labels(resource)) {
      const bool ours = name == "service_name" || name == attr::kService || name == attr::kJob;
      if (ours && value == kJournalService) {
        return "log stream " + name + "=\"" + value +
               "\" belongs to the work journal: send under other labels; task events are written "
               "through the work API";
      }
    }
  }
  if (owned && is_our_event(record.event_name)) {
    return "event " + record.event_name + " of span " + otlp::to_hex(record.span_id) +
           " belongs to the work journal: task state changes through the work API";
  }
  return std::nullopt;
}

}  // namespace

WorkRow row_of(const JournalSpan& in) {
  const otlp::Span& span = in.span;
  const otlp::Attributes& attributes = span.attributes;
  WorkRow row;
  row.span_id = span.span_id;
  row.trace_id = span.trace_id;
  row.parent_span_id = span.parent_span_id;
  row.revision = in.revision;
  row.start_ns = static_cast<int64_t>(span.start_ns);
  row.end_ns = static_cast<int64_t>(span.end_ns);
  row.updated_ns = row.end_ns != 0 ? row.end_ns : row.start_ns;
  row.project = otlp::find_string(attributes, attr::kProjectId);
  if (span.name == "contextcore.phase") {
    row.kind = WorkKind::phase;
    const otlp::Value* ordinal = otlp::find(attributes, attr::kPhaseOrdinal);
    row.id = ordinal && ordinal->as_int() ? std::to_string(*ordinal->as_int()) : "";
    row.type = otlp::find_string(attributes, attr::kPhaseTaskType);
    std::string_view status = otlp::find_string(attributes, attr::kPhaseBaseStatus);
    if (status.empty()) {
      status = otlp::find_string(attributes, attr::kPhaseStatus);
    } else {
      row.status_name = otlp::find_string(attributes, attr::kPhaseStatus);
    }
    if (const auto known = parse_status(status)) row.status = static_cast<uint8_t>(*known);
  } else if (span.name == kSprintSpanName) {
    row.kind = WorkKind::sprint;
    row.id = otlp::find_string(attributes, attr::kSprintId);
    row.due_ns = time_of(otlp::find_string(attributes, attr::kSprintEndDate));
  } else if (span.name.starts_with("insight.")) {
    row.kind = WorkKind::insight;
    row.id = otlp::find_string(attributes, attr::kInsightId);
    row.type = otlp::find_string(attributes, attr::kInsightType);
    row.assignee = otlp::find_string(attributes, attr::kAgentId);
    if (row.assignee.empty()) row.assignee = otlp::find_string(attributes, attr::kGenAiAgentId);
    row.due_ns = time_of(otlp::find_string(attributes, attr::kInsightValidUntil));
    InsightState state = InsightState::active;
    if (otlp::find(attributes, attr::kInsightSupersededBy)) state = InsightState::superseded;
    if (otlp::find(attributes, attr::kInsightRetracted)) state = InsightState::retracted;
    if (otlp::find(attributes, attr::kInsightResolved)) state = InsightState::resolved;
    row.status = static_cast<uint8_t>(state);
  } else if (span.name.starts_with("contextcore.insight.")) {
    row.kind = WorkKind::insight;
    row.status = static_cast<uint8_t>(InsightState::fact);
    row.id = otlp::find_string(attributes, attr::kInsightTargetId);
    row.type = otlp::find_string(attributes, attr::kInsightFact);
  } else if (const auto task = task_from_span(in); task.ok()) {
    return row_of(*task);
  }
  return row;
}

store::WorkKey key_of(const Task& task) {
  store::WorkKey key;
  key.span_id = task.span_id;
  key.parent_span_id = task.parent_span_id;
  key.kind = WorkKind::task;
  key.status = static_cast<uint8_t>(task.status);
  if (task.deleted) key.status |= kDeletedBit;
  key.status_name = task.own_status;
  key.priority = priority_rank(task.priority);
  key.flags = pack_task_flags(task.percent, task.story_points.has_value());
  key.start_ns = task.start_ns;
  key.end_ns = task.end_ns;
  key.updated_ns = task.updated_ns;
  key.due_ns = time_of(task.due_date);
  key.defer_until_ns = time_of(task.defer_until);
  key.claim_token = task.claim_token;
  key.lease_end_ns = lease_end_ns(task);
  key.open_child_count = static_cast<int32_t>(task.subtask_open);
  key.waiting_count = static_cast<int32_t>(task.waiting_on.size());
  key.id = task.id;
  key.project = task.project;
  key.type = task.type;
  key.assignee = task.assignee;
  key.claimed_by = task.claimed_by;
  key.sprint = task.sprint_id;
  return key;
}

WorkRow row_of(const Task& task) {
  const store::WorkKey key = key_of(task);
  WorkRow row;
  row.span_id = key.span_id;
  row.trace_id = task.trace_id;
  row.parent_span_id = key.parent_span_id;
  row.kind = key.kind;
  row.status = key.status;
  row.status_name = key.status_name;
  row.priority = key.priority;
  row.flags = key.flags;
  row.revision = task.revision;
  row.start_ns = key.start_ns;
  row.end_ns = key.end_ns;
  row.updated_ns = key.updated_ns;
  row.due_ns = key.due_ns;
  row.defer_until_ns = key.defer_until_ns;
  row.claim_token = key.claim_token;
  row.lease_end_ns = key.lease_end_ns;
  row.child_count = static_cast<int32_t>(task.subtask_count);
  row.open_child_count = key.open_child_count;
  row.waiting_count = key.waiting_count;
  row.id = key.id;
  row.project = key.project;
  row.type = key.type;
  row.assignee = key.assignee;
  row.claimed_by = key.claimed_by;
  row.claim_session = task.claim_session;
  row.sprint = key.sprint;
  row.points = task.story_points.value_or(0);
  for (const TaskLink& link : task.links) {
    if (link.type == kLinkTypes[0])
      row.depends_on.push_back({link.span_id, static_cast<uint8_t>(link.when)});
  }
  return row;
}

namespace {

// A view's name, and the series that a histogram of that name has.
std::optional<std::string> refuse_metric(std::string_view name) {
  for (const names::MetricInfo& info : names::kMetrics) {
    if (!name.starts_with(info.name)) continue;
    const std::string_view rest = name.substr(info.name.size());
    if (rest.empty() || rest == "_bucket" || rest == "_sum" || rest == "_count") {
      return "metric name " + std::string(info.name) +
             " belongs to a view over the work log; it is computed, not received";
    }
  }
  return std::nullopt;
}

}  // namespace

store::WorkHooks hooks() {
  store::WorkHooks hooks;
  hooks.row = [](const JournalSpan& span) { return row_of(span); };
  hooks.tally = [](const WorkRow& row) { return tally_of(row); };
  hooks.compute = compute;
  hooks.hidden = [](const WorkRow& row, const store::WorkIndexView& index) {
    if (row.kind != WorkKind::phase) return is_deleted(row);
    const WorkRow* task = index.find(row.parent_span_id);
    return task != nullptr && is_deleted(*task);
  };
  hooks.hides = [](const store::WorkKey& key) { return is_deleted(key); };
  for (const std::string_view key :
       {attr::kContextcoreOpen, attr::kContextcoreUpdatedNs, attr::kContextcoreEventSeq,
        attr::kTaskReady, attr::kTaskClaimedBy, attr::kTaskClaimSession, attr::kTaskClaimToken,
        attr::kTaskClaimLeaseSeconds, attr::kInsightStatus}) {
    hooks.computed_keys.emplace_back(key);
  }
  hooks.event = mirror;
  hooks.refuse_span = refuse_span;
  hooks.refuse_log = refuse_log;
  hooks.refuse_metric = refuse_metric;
  // What a task has run stays with it; the rest of the run's trace is kept as other telemetry is.
  hooks.keep_span = [](const otlp::Resource&, const otlp::Scope&, const otlp::Span& span) {
    return otlp::find(span.attributes, attr::kRunTaskId) != nullptr;
  };
  hooks.remark_span = remark_span;
  return hooks;
}

}  // namespace contextcore::work
