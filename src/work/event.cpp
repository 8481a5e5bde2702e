#include "work/event.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/random.h"
#include "work/names.h"

namespace contextcore::work {
namespace {

namespace field = names::field;

constexpr int32_t kSeverityInfo = 9, kSeverityWarn = 13, kSeverityError = 17;

void set_severity(otlp::LogRecord& record) {
  record.severity_number = kSeverityInfo;
  record.severity_text = "INFO";
  if (record.event_name == names::event::kTaskBlocked) {
    record.severity_number = kSeverityWarn;
    record.severity_text = "WARN";
  } else if (record.event_name == names::event::kTaskFailed) {
    record.severity_number = kSeverityError;
    record.severity_text = "ERROR";
  }
}

std::string event_id(const Event& event) {
  std::string identity = event.command_id;
  identity += '\0';
  identity.append(reinterpret_cast<const char*>(event.span_id.bytes.data()),
                  event.span_id.bytes.size());
  identity += std::to_string(event.revision) + "." + std::to_string(event.seq);
  const auto digest = sha256(identity);
  uint64_t seed = 0;
  for (size_t i = 0; i < 8; i++) seed = seed << 8 | digest[i];
  SeededRandom random(seed);
  return uuid_v7(event.time_ns, random);
}

void append_typed(const Json& json, std::string& out) {
  if (std::holds_alternative<double>(json.data)) {
    const std::string text = to_string(json);
    out += text;
    if (text.find_first_of(".eE") == std::string::npos && text != "null") out += ".0";
  } else if (const auto* array = json.as_array()) {
    out += '[';
    for (size_t i = 0; i < array->size(); i++) {
      if (i > 0) out += ',';
      append_typed((*array)[i], out);
    }
    out += ']';
  } else if (const auto* object = json.as_object()) {
    out += '{';
    for (size_t i = 0; i < object->size(); i++) {
      if (i > 0) out += ',';
      append_json_string((*object)[i].first, out);
      out += ':';
      append_typed((*object)[i].second, out);
    }
    out += '}';
  } else {
    out += to_string(json);
  }
}

bool is_scalar(const Json& json) {
  return !json.is_null() && !json.as_array() && !json.as_object();
}

otlp::Value scalar_value(const Json& json) {
  if (const auto* text = json.as_string()) return otlp::Value(*text);
  if (const auto* boolean = json.as_bool()) return otlp::Value(*boolean);
  if (const auto* integer = json.as_int()) return otlp::Value(*integer);
  return otlp::Value(json.number());
}

Result<JsonObject> parse_line(std::string_view line) {
  auto parsed = parse_json(line);
  if (!parsed.ok() || !parsed->as_object()) {
    return Error{Code::corruption,
                 "an event's line is not a JSON object: " + std::string(line.substr(0, 120)),
                 {},
                 {},
                 {}};
  }
  return std::move(std::get<JsonObject>(parsed->data));
}

}  // namespace

const Json* Event::find(std::string_view name_) const {
  for (const auto& [key, value] : line) {
    if (key == name_) return &value;
  }
  return nullptr;
}

std::string Event::text(std::string_view name_) const {
  const Json* value = find(name_);
  return value && value->as_string() ? *value->as_string() : std::string();
}

std::optional<int64_t> Event::integer_if(std::string_view name_) const {
  const Json* value = find(name_);
  if (!value || !value->as_int()) return std::nullopt;
  return *value->as_int();
}

int64_t Event::integer(std::string_view name_) const { return integer_if(name_).value_or(0); }

std::optional<double> Event::number_if(std::string_view name_) const {
  const Json* value = find(name_);
  if (!value || !value->is_number()) return std::nullopt;
  return value->number();
}

std::vector<std::string> Event::list(std::string_view name_) const {
  std::vector<std::string> result;
  const Json* value = find(name_);
  if (!value || !value->as_string()) return result;
  const auto parsed = parse_json(*value->as_string());
  if (!parsed.ok() || !parsed->as_array()) return result;
  for (const Json& element : *parsed->as_array()) {
    if (element.as_string()) result.push_back(*element.as_string());
  }
  return result;
}

JsonObject Event::object(std::string_view name_) const {
  const Json* value = find(name_);
  if (!value || !value->as_string()) return {};
  auto parsed = parse_json(*value->as_string());
  if (!parsed.ok() || !parsed->as_object()) return {};
  return std::move(std::get<JsonObject>(parsed->data));
}

store::JournalEvent to_journal_event(const Event& event) {
  store::JournalEvent out;
  for (const std::string_view key :
       {names::attr::kServiceName, names::attr::kService, names::attr::kJob}) {
    otlp::set(out.resource.attributes, key, event.service_name);
  }
  otlp::set(out.resource.attributes, names::attr::kProjectId, event.project);
  otlp::LogRecord& record = out.record;
  record.time_ns = static_cast<uint64_t>(event.time_ns);
  record.observed_time_ns = static_cast<uint64_t>(event.observed_ns);
  record.event_name = event.name;
  set_severity(record);
  record.trace_id = event.trace_id;
  record.span_id = event.span_id;
  record.body = otlp::Value(to_string(Json(event.line)));
  otlp::set(record.attributes, names::meta::kRevision, event.revision);
  otlp::set(record.attributes, names::meta::kEventId, event_id(event));
  otlp::set(record.attributes, names::meta::kEventSeq, event.seq);
  if (!event.command_id.empty()) {
    otlp::set(record.attributes, names::meta::kCommandId, event.command_id);
  }
  return out;
}

Result<Event> event_from_record(const otlp::LogRecord& record, const otlp::Resource* resource) {
  Event event;
  const std::string* body = record.body.as_string();
  CC_ASSIGN(event.line, parse_line(body ? std::string_view(*body) : std::string_view()));
  event.name = record.event_name;
  if (resource) {
    event.project = otlp::find_string(resource->attributes, names::attr::kProjectId);
    event.service_name = otlp::find_string(resource->attributes, names::attr::kServiceName);
  }
  event.trace_id = record.trace_id;
  event.span_id = record.span_id;
  event.time_ns = static_cast<int64_t>(record.time_ns);
  event.observed_ns = static_cast<int64_t>(record.observed_time_ns);
  const auto integer = [&](std::string_view key) {
    const otlp::Value* value = otlp::find(record.attributes, key);
    return value && value->as_int() ? *value->as_int() : int64_t{0};
  };
  event.revision = integer(names::meta::kRevision);
  event.seq = integer(names::meta::kEventSeq);
  event.command_id = otlp::find_string(record.attributes, names::meta::kCommandId);
  return event;
}

Result<Event> event_from_entry(const store::LogEntry& entry) {
  Event event;
  CC_ASSIGN(event.line, parse_line(entry.line));
  event.name = event.text(field::kEvent);
  event.time_ns = entry.time_ns;
  const auto pick = [](const store::LabelPairs* pairs, std::string_view name) {
    if (!pairs) return std::string();
    for (const auto& [key, value] : *pairs) {
      if (key == name) return value;
    }
    return std::string();
  };
  event.project = pick(entry.stream, "project_id");
  event.service_name = pick(entry.stream, "service_name");
  event.command_id = pick(entry.metadata, names::meta::kCommandId);
  const auto integer = [&](std::string_view name, int64_t& out) {
    const auto parsed = parse_json(pick(entry.metadata, name));
    if (!parsed.ok() || !parsed->as_int()) return false;
    out = *parsed->as_int();
    return true;
  };
  const bool ids = otlp::parse_hex(pick(entry.metadata, "trace_id"), event.trace_id) &&
                   otlp::parse_hex(pick(entry.metadata, "span_id"), event.span_id);
  if (!ids || event.project.empty() || !integer(names::meta::kRevision, event.revision) ||
      !integer(names::meta::kEventSeq, event.seq)) {
    return Error{Code::corruption,
                 "an event lacks its project, ids, revision or event_seq: " +
                     std::string(entry.line.substr(0, 120)),
                 {},
                 {},
                 {}};
  }
  integer("observed_timestamp", event.observed_ns);
  return event;
}

Line& Line::text(std::string_view name, std::string_view value) {
  if (!value.empty()) fields_.emplace_back(name, Json(value));
  return *this;
}

Line& Line::list(std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) return *this;
  JsonArray array;
  for (const std::string& value : values) array.emplace_back(value);
  fields_.emplace_back(name, Json(to_string(Json(std::move(array)))));
  return *this;
}

Line& Line::object(std::string_view name, const JsonObject& value) {
  if (!value.empty()) fields_.emplace_back(name, Json(to_typed_json(Json(value))));
  return *this;
}

Line& Line::integer(std::string_view name, int64_t value) {
  fields_.emplace_back(name, Json(value));
  return *this;
}

Line& Line::integer(std::string_view name, std::optional<int64_t> value) {
  if (value) fields_.emplace_back(name, Json(*value));
  return *this;
}

Line& Line::number(std::string_view name, std::optional<double> value) {
  if (value) fields_.emplace_back(name, Json(*value));
  return *this;
}

Line& Line::seconds(std::string_view name, std::optional<int64_t> ns) {
  if (ns) fields_.emplace_back(name, Json(static_cast<double>(*ns) / 1e9));
  return *this;
}

std::optional<otlp::Value> attribute_value(const Json& json) {
  if (json.is_null()) return std::nullopt;
  if (is_scalar(json)) return scalar_value(json);
  if (const auto* array = json.as_array();
      array && std::all_of(array->begin(), array->end(), is_scalar)) {
    otlp::Array values;
    for (const Json& element : *array) values.push_back(scalar_value(element));
    return otlp::Value(std::move(values));
  }
  return otlp::Value(to_string(json));
}

Json json_of(const otlp::Value& value) {
  if (const auto* text = value.as_string()) return Json(*text);
  if (const auto* boolean = value.as_bool()) return Json(*boolean);
  if (const auto* integer = value.as_int()) return Json(*integer);
  if (const auto* real = value.as_double()) return Json(*real);
  if (const auto* bytes = value.as_bytes()) return Json(to_base64(bytes->data));
  if (const auto* array = value.as_array()) {
    JsonArray out;
    for (const otlp::Value& element : *array) out.push_back(json_of(element));
    return Json(std::move(out));
  }
  if (const auto* kvlist = value.as_kvlist()) {
    JsonObject out;
    for (const otlp::KeyValue& member : *kvlist)
      out.emplace_back(member.key, json_of(member.value));
    return Json(std::move(out));
  }
  return Json(nullptr);
}

std::string to_typed_json(const Json& json) {
  std::string out;
  append_typed(json, out);
  return out;
}

}  // namespace contextcore::work
