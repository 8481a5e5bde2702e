#include "work/event_view.h"

#include <array>
#include <bit>
#include <utility>

#include "work/names.h"

namespace contextcore::work {
namespace {

namespace ev = names::event;

constexpr std::array<std::pair<std::string_view, TaskChange>, 19> kChanges = {
    {{ev::kTaskCreated, TaskChange::created},
     {ev::kTaskImported, TaskChange::created},
     {ev::kTaskStatusChanged, TaskChange::status_changed},
     {ev::kTaskBlocked, TaskChange::blocked},
     {ev::kTaskCompleted, TaskChange::completed},
     {ev::kTaskFailed, TaskChange::failed},
     {ev::kTaskCancelled, TaskChange::cancelled},
     {ev::kTaskProgressUpdated, TaskChange::progress_updated},
     {ev::kTaskAssigned, TaskChange::assigned},
     {ev::kTaskClaimed, TaskChange::claimed},
     {ev::kTaskReleased, TaskChange::released},
     {ev::kTaskLinked, TaskChange::linked},
     {ev::kTaskUnlinked, TaskChange::unlinked},
     {ev::kTaskEdited, TaskChange::edited},
     {ev::kTaskReopened, TaskChange::reopened},
     {ev::kTaskDeleted, TaskChange::deleted},
     {ev::kTaskUndeleted, TaskChange::undeleted},
     {ev::kTaskUndone, TaskChange::undone},
     {ev::kTaskDeliverablesVerified, TaskChange::deliverables_verified}}};

// A list of strings without escapes, which nearly every one is. nullopt: it takes a parser.
std::optional<std::vector<std::string>> plain_strings(std::string_view json) {
  std::vector<std::string> out;
  if (json.size() < 2 || json.front() != '[' || json.back() != ']') return std::nullopt;
  json = json.substr(1, json.size() - 2);
  if (json.empty()) return out;
  while (json.starts_with('"')) {
    const size_t end = json.find('"', 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = json.substr(1, end - 1);
    if (!is_plain_text(text)) return std::nullopt;
    out.emplace_back(text);
    if (end + 1 == json.size()) return out;
    if (json[end + 1] != ',') return std::nullopt;
    json.remove_prefix(end + 2);
  }
  return std::nullopt;
}

}  // namespace

TaskChange task_change(std::string_view event_name) {
  for (const auto& [name, change] : kChanges) {
    if (name == event_name) return change;
  }
  return TaskChange::other;
}

std::string_view EventView::text(std::string_view field) const {
  const store::FieldValue value = fields->find(field);
  return value.type == store::FieldValue::Type::string ? value.text : std::string_view();
}

std::optional<int64_t> EventView::integer_if(std::string_view field) const {
  const store::FieldValue value = fields->find(field);
  if (value.type != store::FieldValue::Type::integer) return std::nullopt;
  return static_cast<int64_t>(value.number);
}

std::optional<double> EventView::number_if(std::string_view field) const {
  const store::FieldValue value = fields->find(field);
  switch (value.type) {
    case store::FieldValue::Type::integer:
      return static_cast<double>(static_cast<int64_t>(value.number));
    case store::FieldValue::Type::real:
      return std::bit_cast<double>(value.number);
    case store::FieldValue::Type::json: {
      // A number in an unusual spelling.
      const auto parsed = parse_json(value.text);
      if (parsed.ok() && parsed->is_number()) return parsed->number();
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::vector<std::string> EventView::list(std::string_view field) const {
  const std::string_view json = text(field);
  if (json.empty()) return {};
  if (auto plain = plain_strings(json)) return *std::move(plain);
  std::vector<std::string> result;
  const auto parsed = parse_json(json);
  if (!parsed.ok() || !parsed->as_array()) return result;
  for (const Json& element : *parsed->as_array()) {
    if (element.as_string()) result.push_back(*element.as_string());
  }
  return result;
}

JsonObject EventView::object(std::string_view field) const {
  const std::string_view json = text(field);
  if (json.empty()) return {};
  auto parsed = parse_json(json);
  if (!parsed.ok() || !parsed->as_object()) return {};
  return std::move(std::get<JsonObject>(parsed->data));
}

ViewOfEvent::ViewOfEvent(const Event& event)
    : view_{event.name,     task_change(event.name), event.project, event.service_name, event.trace_id,
            event.span_id,  event.time_ns,           event.revision, event.seq,         this,
            &event} {}

store::FieldValue ViewOfEvent::find(std::string_view field) const {
  using Type = store::FieldValue::Type;
  const Json* value = view_.whole->find(field);
  if (value == nullptr) return {};
  if (const std::string* text = value->as_string()) return {Type::string, *text, 0};
  if (const bool* boolean = value->as_bool()) return {Type::boolean, {}, *boolean ? 1u : 0u};
  if (const int64_t* integer = value->as_int()) return {Type::integer, {}, static_cast<uint64_t>(*integer)};
  if (value->is_number()) return {Type::real, {}, std::bit_cast<uint64_t>(value->number())};
  return {Type::json, {}, 0};
}

}  // namespace contextcore::work
