#include "work/view_json.h"

#include <algorithm>
#include <array>
#include <bit>

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

Json claim_json(const Task& task, const store::WorkKey& key) {
  Object claim;
  claim.text("claimed_by", task.claimed_by);
  claim.text("session", task.claim_session);
  claim.integer("token", task.claim_token);
  if (key.lease_end_ns != INT64_MAX) claim.time("lease_end", key.lease_end_ns);  // the past: none
  return claim.take();
}

Json extra_json(const Task& task) {
  JsonObject extra;
  for (const otlp::KeyValue& attribute : task.extra) extra.emplace_back(attribute.key, json_of(attribute.value));
  return Json(std::move(extra));
}

// The members of a task, in their order.
enum class Member : uint8_t {
  id,
  project,
  type,
  title,
  status,
  base_status,
  deleted,
  category,
  open,
  ready,
  percent_complete,
  priority,
  assignee,
  story_points,
  estimate_minutes,
  labels,
  parent_id,
  sprint_id,
  url,
  due_date,
  defer_until,
  description,
  acceptance_criteria,
  subtask_count,
  subtask_completed,
  subtask_open,
  deliverables,
  deliverables_verified,
  deliverables_complete,
  waiting_on,
  blocked_reason,
  blocked_by,
  outcome,
  failure_reason,
  error_type,
  claim,
  links,
  attributes,
  created,
  updated,
  ended,
  revision,
  trace_id,
  span_id,
  parent_span_id,
};
constexpr std::array<std::string_view, 45> kMemberNames = {
    "id",           "project",        "type",          "title",          "status",
    "base_status",  "deleted",        "category",      "open",           "ready",
    "percent_complete", "priority",   "assignee",      "story_points",   "estimate_minutes",
    "labels",       "parent_id",      "sprint_id",     "url",            "due_date",
    "defer_until",  "description",    "acceptance_criteria", "subtask_count", "subtask_completed",
    "subtask_open", "deliverables",   "deliverables_verified", "deliverables_complete", "waiting_on",
    "blocked_reason", "blocked_by",   "outcome",       "failure_reason", "error_type",
    "claim",        "links",          "attributes",    "created",        "updated",
    "ended",        "revision",       "trace_id",      "span_id",        "parent_span_id"};
static_assert(kMemberNames.size() == static_cast<size_t>(Member::parent_span_id) + 1);
constexpr std::string_view name_of(Member member) { return kMemberNames[static_cast<size_t>(member)]; }
constexpr uint64_t bit_of(Member member) { return uint64_t{1} << static_cast<unsigned>(member); }

// A task as an object of which only some members are made.
class ShownObject {
 public:
  explicit ShownObject(uint64_t shown) : shown_(shown) {
    members_.reserve(std::min<size_t>(static_cast<size_t>(std::popcount(shown)), 20));
  }
  bool wants(Member member) const { return (shown_ & bit_of(member)) != 0; }
  void value(Member member, Json json) {
    if (wants(member)) members_.emplace_back(name_of(member), std::move(json));
  }
  void text(Member member, std::string_view value_) {
    if (wants(member) && !value_.empty()) members_.emplace_back(name_of(member), Json(value_));
  }
  void string(Member member, std::string_view value_) { value(member, Json(value_)); }
  void boolean(Member member, bool value_) { value(member, Json(value_)); }
  void integer(Member member, std::optional<int64_t> value_) {
    if (value_) value(member, Json(*value_));
  }
  void list(Member member, const std::vector<std::string>& values) {
    if (values.empty() || !wants(member)) return;
    JsonArray array;
    for (const std::string& one : values) array.emplace_back(one);
    value(member, Json(std::move(array)));
  }
  Json take() { return Json(std::move(members_)); }

 private:
  const uint64_t shown_;
  JsonObject members_;
};

// A task as text, without the tree.
class TextObject {
 public:
  explicit TextObject(std::string& out) : writer_(out) { writer_.begin_object(); }
  ~TextObject() { writer_.end_object(); }
  TextObject(const TextObject&) = delete;
  TextObject& operator=(const TextObject&) = delete;

  static bool wants(Member) { return true; }
  void value(Member member, const Json& json) {
    writer_.key(name_of(member));
    writer_.value(json);
  }
  void text(Member member, std::string_view value) {
    if (!value.empty()) string(member, value);
  }
  void string(Member member, std::string_view value) { writer_.field(name_of(member), value); }
  void boolean(Member member, bool value) { writer_.field(name_of(member), value); }
  void integer(Member member, std::optional<int64_t> value) {
    if (value) writer_.field(name_of(member), *value);
  }
  void list(Member member, const std::vector<std::string>& values) {
    if (values.empty()) return;
    writer_.key(name_of(member));
    writer_.begin_array();
    for (const std::string& value : values) writer_.string(value);
    writer_.end_array();
  }

 private:
  JsonWriter writer_;
};

template <typename Out>
void add_time(Out& out, Member member, int64_t ns) {
  if (ns != 0 && out.wants(member)) out.string(member, format_rfc3339(ns));
}

template <typename Out>
void describe(const Task& task, const store::WorkKey& key, int64_t now_ns, Out& out) {
  out.text(Member::id, task.id);
  out.text(Member::project, task.project);
  out.text(Member::type, task.type);
  out.string(Member::title, task.title);
  out.text(Member::status, task.status_text());
  if (!task.own_status.empty()) out.text(Member::base_status, status_name(task.status));
  if (task.deleted) out.boolean(Member::deleted, true);
  out.text(Member::category, category_name(task.status));
  out.boolean(Member::open, !task.ended());
  out.boolean(Member::ready, is_ready(key, now_ns, false));
  out.integer(Member::percent_complete, task.percent);
  out.text(Member::priority, task.priority);
  out.text(Member::assignee, task.assignee);
  out.integer(Member::story_points, task.story_points);
  out.integer(Member::estimate_minutes, task.estimate_minutes);
  out.list(Member::labels, task.labels);
  out.text(Member::parent_id, task.parent_id);
  out.text(Member::sprint_id, task.sprint_id);
  out.text(Member::url, task.url);
  out.text(Member::due_date, task.due_date);
  out.text(Member::defer_until, task.defer_until);
  out.text(Member::description, task.description);
  out.list(Member::acceptance_criteria, task.acceptance_criteria);
  out.integer(Member::subtask_count, task.subtask_count);
  out.integer(Member::subtask_completed, task.subtask_completed);
  out.integer(Member::subtask_open, task.subtask_open);
  if (!task.deliverables.empty() && out.wants(Member::deliverables))
    out.value(Member::deliverables, deliverables_json(task));
  if (task.deliverables_verified) {
    const bool complete = *task.deliverables_verified == static_cast<int64_t>(task.deliverables.size());
    out.integer(Member::deliverables_verified, task.deliverables_verified);
    out.boolean(Member::deliverables_complete, complete);
  }
  out.list(Member::waiting_on, task.waiting_on);
  out.text(Member::blocked_reason, task.blocked_reason);
  out.list(Member::blocked_by, task.blocked_by);
  out.text(Member::outcome, task.outcome);
  out.text(Member::failure_reason, task.failure_reason);
  out.text(Member::error_type, task.error_type);
  if (has_live_claim(key, now_ns) && out.wants(Member::claim)) out.value(Member::claim, claim_json(task, key));
  if (!task.links.empty() && out.wants(Member::links)) out.value(Member::links, links_json(task));
  if (!task.extra.empty() && out.wants(Member::attributes)) out.value(Member::attributes, extra_json(task));
  add_time(out, Member::created, task.start_ns);
  add_time(out, Member::updated, task.updated_ns);
  add_time(out, Member::ended, task.end_ns);
  out.integer(Member::revision, task.revision);
  out.text(Member::trace_id, otlp::to_hex(task.trace_id));
  out.text(Member::span_id, otlp::to_hex(task.span_id));
  if (!task.parent_span_id.empty()) out.text(Member::parent_span_id, otlp::to_hex(task.parent_span_id));
}

}  // namespace

TaskMembers::TaskMembers(std::span<const std::string_view> names) : bits_(0) {
  for (size_t i = 0; i < kMemberNames.size(); ++i) {
    if (std::find(names.begin(), names.end(), kMemberNames[i]) != names.end()) bits_ |= uint64_t{1} << i;
  }
}

Json task_json(const Task& task, const store::WorkKey& key, int64_t now_ns, const TaskMembers& shown) {
  ShownObject out(shown.bits());
  describe(task, key, now_ns, out);
  return out.take();
}

Json task_json(const Task& task, const store::WorkRow& row, int64_t now_ns) {
  return task_json(task, store::WorkKey::of(row), now_ns);
}

void append_task_json(const Task& task, const store::WorkKey& key, int64_t now_ns, std::string& out) {
  TextObject object(out);
  describe(task, key, now_ns, object);
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
