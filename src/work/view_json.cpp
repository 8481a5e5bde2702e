#include "work/view_json.h"

#include "base/time.h"
#include "work/names.h"
#include "work/status.h"

namespace contextcore::work {
namespace {

namespace attr = names::attr;

class Object {
 public:
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) members_.emplace_back(name, Json(value));
  }
  void list(std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    JsonArray array;
    for (const std::string& value : values) array.emplace_back(value);
    members_.emplace_back(name, Json(std::move(array)));
  }
  void value(std::string_view name, Json json) { members_.emplace_back(name, std::move(json)); }
  void integer(std::string_view name, std::optional<int64_t> value) {
    if (value) members_.emplace_back(name, Json(*value));
  }
  void time(std::string_view name, int64_t ns) {
    if (ns != 0) members_.emplace_back(name, Json(format_rfc3339(ns)));
  }
  Json take() { return Json(std::move(members_)); }

 private:
  JsonObject members_;
};

Json links_json(const Task& task) {
  static constexpr std::array<std::string_view, 3> kWhen = {"done", "ended", "failed"};
  JsonArray out;
  for (const TaskLink& link : task.links) {
    Object object;
    object.text("type", link.type);
    object.text("task_id", link.task_id);
    object.text("project", link.project);
    if (link.type == kLinkTypes[0]) object.text("when", kWhen[static_cast<size_t>(link.when)]);
    object.text("trace_id", otlp::to_hex(link.trace_id));
    object.text("span_id", otlp::to_hex(link.span_id));
    out.push_back(object.take());
  }
  return Json(std::move(out));
}

Json deliverables_json(const Task& task) {
  JsonArray out;
  for (const std::string& text : task.deliverables) {
    auto json = parse_json(text);
    out.push_back(json.ok() ? std::move(*json) : Json(text));
  }
  return Json(std::move(out));
}

Json claim_json(const Task& task, const store::WorkRow& row) {
  Object claim;
  claim.text("claimed_by", task.claimed_by);
  claim.text("session", task.claim_session);
  claim.integer("token", task.claim_token);
  if (row.lease_end_ns != INT64_MAX) claim.time("lease_end", row.lease_end_ns);  // the past: none
  return claim.take();
}

}  // namespace

Json task_json(const Task& task, const store::WorkRow& row, int64_t now_ns) {
  Object out;
  out.text("id", task.id);
  out.text("project", task.project);
  out.text("type", task.type);
  out.value("title", Json(task.title));
  out.text("status", task.status_text());
  if (!task.own_status.empty()) out.text("base_status", status_name(task.status));
  if (task.deleted) out.value("deleted", Json(true));
  out.text("category", category_name(task.status));
  out.value("open", Json(!task.ended()));
  out.value("ready", Json(is_ready(row, now_ns, false)));
  out.integer("percent_complete", task.percent);
  out.text("priority", task.priority);
  out.text("assignee", task.assignee);
  out.integer("story_points", task.story_points);
  out.integer("estimate_minutes", task.estimate_minutes);
  out.list("labels", task.labels);
  out.text("parent_id", task.parent_id);
  out.text("sprint_id", task.sprint_id);
  out.text("url", task.url);
  out.text("due_date", task.due_date);
  out.text("defer_until", task.defer_until);
  out.text("description", task.description);
  out.list("acceptance_criteria", task.acceptance_criteria);
  out.integer("subtask_count", task.subtask_count);
  out.integer("subtask_completed", task.subtask_completed);
  out.integer("subtask_open", task.subtask_open);
  if (!task.deliverables.empty()) out.value("deliverables", deliverables_json(task));
  if (task.deliverables_verified) {
    const bool complete =
        *task.deliverables_verified == static_cast<int64_t>(task.deliverables.size());
    out.integer("deliverables_verified", task.deliverables_verified);
    out.value("deliverables_complete", Json(complete));
  }
  out.list("waiting_on", task.waiting_on);
  out.text("blocked_reason", task.blocked_reason);
  out.list("blocked_by", task.blocked_by);
  out.text("outcome", task.outcome);
  out.text("failure_reason", task.failure_reason);
  out.text("error_type", task.error_type);
  if (has_live_claim(row, now_ns)) out.value("claim", claim_json(task, row));
  if (!task.links.empty()) out.value("links", links_json(task));
  if (!task.extra.empty()) {
    JsonObject extra;
    for (const otlp::KeyValue& attribute : task.extra)
      extra.emplace_back(attribute.key, json_of(attribute.value));
    out.value("attributes", Json(std::move(extra)));
  }
  out.time("created", task.start_ns);
  out.time("updated", task.updated_ns);
  out.time("ended", task.end_ns);
  out.integer("revision", task.revision);
  out.text("trace_id", otlp::to_hex(task.trace_id));
  out.text("span_id", otlp::to_hex(task.span_id));
  if (!task.parent_span_id.empty()) out.text("parent_span_id", otlp::to_hex(task.parent_span_id));
  return out.take();
}

Json insight_json(const store::JournalSpan& insight, const store::WorkRow& row, int64_t now_ns) {
  Object out;
  JsonObject context, rest;
  const otlp::Attributes& attributes = insight.span.attributes;
  out.text("id", row.id);
  out.text("project", row.project);
  out.text("type", row.type);
  out.text("status", insight_status(row, now_ns));
  for (const otlp::KeyValue& attribute : attributes) {
    const std::string_view key = attribute.key;
    if (key == attr::kInsightId || key == attr::kInsightType || key == attr::kProjectId ||
        key == attr::kContextcoreRevision) {
      continue;
    }
    if (key.starts_with(attr::kInsightContext)) {
      context.emplace_back(key.substr(attr::kInsightContext.size()), json_of(attribute.value));
    } else if (key.starts_with("insight.")) {
      out.value(key.substr(8), json_of(attribute.value));
    } else if (key == attr::kAgentId ||
               (key == attr::kGenAiAgentId && !otlp::find(attributes, attr::kAgentId))) {
      out.value("agent_id", json_of(attribute.value));
    } else if (key == attr::kAgentSessionId || (key == attr::kGenAiConversationId &&
                                                !otlp::find(attributes, attr::kAgentSessionId))) {
      out.value("session_id", json_of(attribute.value));
    } else if (key != attr::kGenAiAgentId && key != attr::kGenAiConversationId) {
      rest.emplace_back(attribute.key, json_of(attribute.value));
    }
  }
  if (!context.empty()) out.value("context", Json(std::move(context)));
  if (!rest.empty()) out.value("attributes", Json(std::move(rest)));
  out.time("created", static_cast<int64_t>(insight.span.start_ns));
  out.integer("revision", insight.revision);
  out.text("trace_id", otlp::to_hex(insight.span.trace_id));
  out.text("span_id", otlp::to_hex(insight.span.span_id));
  return out.take();
}

Json sprint_json(const Sprint& sprint) {
  Object out;
  out.text("id", sprint.id);
  out.text("project", sprint.project);
  out.text("name", sprint.name);
  out.text("goal", sprint.goal);
  out.value("open", Json(!sprint.ended()));
  out.text("start_date", sprint.start_date);
  out.text("end_date", sprint.end_date);
  out.integer("planned_points", sprint.planned_points);
  out.integer("completed_points", sprint.completed_points);
  out.text("notes", sprint.notes);
  out.time("started", sprint.start_ns);
  out.time("ended", sprint.end_ns);
  out.integer("revision", sprint.revision);
  out.text("trace_id", otlp::to_hex(sprint.trace_id));
  out.text("span_id", otlp::to_hex(sprint.span_id));
  return out.take();
}

Json event_json(const Event& event) {
  JsonObject out;
  out.emplace_back("event", Json(event.name));
  out.emplace_back("time", Json(format_rfc3339(event.time_ns)));
  out.emplace_back("revision", Json(event.revision));
  out.emplace_back("seq", Json(event.seq));
  for (const auto& [name, value] : event.line) {
    if (name != names::field::kEvent && name != names::field::kSchema)
      out.emplace_back(name, value);
  }
  return Json(std::move(out));
}

}  // namespace contextcore::work
