#include <charconv>
#include <cmath>

#include "base/hash.h"
#include "otlp/enum_names.h"
#include "otlp/json.h"
#include "otlp/json_encoder.h"

namespace contextcore::otlp {
namespace {

// 64-bit integers are strings: JavaScript would round them.
template <typename Integer>
void write_quoted(Integer value, JsonWriter& writer) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  writer.string({digits, static_cast<size_t>(end - digits)});
}

void write_enum(JsonDialect dialect, int32_t number, std::string_view name, JsonWriter& writer) {
  if (dialect == JsonDialect::tempo && !name.empty()) {
    writer.string(name);
  } else {
    writer.number(int64_t{number});
  }
}

}  // namespace

void JsonEncoder::text(std::string_view name, std::string_view value) {
  if (!value.empty()) writer_.field(name, value);
}

void JsonEncoder::number64(std::string_view name, uint64_t value) {
  if (value == 0) return;
  writer_.key(name);
  write_quoted(value, writer_);
}

void JsonEncoder::number32(std::string_view name, uint32_t value) {
  if (value != 0) writer_.field(name, uint64_t{value});
}

void JsonEncoder::strings(std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  writer_.key(name);
  writer_.begin_array();
  for (const std::string& value : values) writer_.string(value);
  writer_.end_array();
}

template <typename Id>
void JsonEncoder::id(std::string_view name, const Id& id) {
  if (id.empty()) return;
  if (dialect_ == JsonDialect::otlp) {
    writer_.field(name, to_hex(id));
  } else {
    writer_.field(name,
                  to_base64({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()}));
  }
}

template void JsonEncoder::id<TraceId>(std::string_view, const TraceId&);
template void JsonEncoder::id<SpanId>(std::string_view, const SpanId&);

void JsonEncoder::real(double value) {
  if (std::isnan(value)) {
    writer_.string("NaN");
  } else if (std::isinf(value)) {
    writer_.string(value > 0 ? "Infinity" : "-Infinity");
  } else {
    writer_.number(value);
  }
}

void JsonEncoder::value(const Value& value) {
  writer_.begin_object();
  if (const auto* string = value.as_string()) {
    writer_.field("stringValue", *string);
  } else if (const auto* flag = value.as_bool()) {
    writer_.field("boolValue", *flag);
  } else if (const auto* integer = value.as_int()) {
    writer_.key("intValue");
    write_quoted(*integer, writer_);
  } else if (const auto* number = value.as_double()) {
    writer_.key("doubleValue");
    real(*number);
  } else if (const auto* array = value.as_array()) {
    writer_.key("arrayValue");
    writer_.begin_object();
    if (!array->empty()) {
      writer_.key("values");
      writer_.begin_array();
      for (const Value& item : *array) this->value(item);
      writer_.end_array();
    }
    writer_.end_object();
  } else if (const auto* list = value.as_kvlist()) {
    writer_.key("kvlistValue");
    writer_.begin_object();
    key_values("values", *list);
    writer_.end_object();
  } else if (const auto* bytes = value.as_bytes()) {
    writer_.field("bytesValue", to_base64(bytes->data));
  }
  writer_.end_object();
}

void JsonEncoder::key_values(std::string_view name, const KeyValueList& list) {
  if (list.empty()) return;
  writer_.key(name);
  writer_.begin_array();
  for (const KeyValue& item : list) {
    writer_.begin_object();
    text("key", item.key);
    writer_.key("value");
    value(item.value);
    writer_.end_object();
  }
  writer_.end_array();
}

void JsonEncoder::resource(const Resource& resource) {
  writer_.begin_object();
  key_values("attributes", resource.attributes);
  number32("droppedAttributesCount", resource.dropped_attributes_count);
  if (!resource.entity_refs.empty()) {
    writer_.key("entityRefs");
    writer_.begin_array();
    for (const EntityRef& entity : resource.entity_refs) {
      writer_.begin_object();
      text("schemaUrl", entity.schema_url);
      text("type", entity.type);
      strings("idKeys", entity.id_keys);
      strings("descriptionKeys", entity.description_keys);
      writer_.end_object();
    }
    writer_.end_array();
  }
  writer_.end_object();
}

void JsonEncoder::scope(const Scope& scope) {
  writer_.begin_object();
  text("name", scope.name);
  text("version", scope.version);
  key_values("attributes", scope.attributes);
  number32("droppedAttributesCount", scope.dropped_attributes_count);
  writer_.end_object();
}

void JsonEncoder::event(const SpanEvent& event) {
  writer_.begin_object();
  number64("timeUnixNano", event.time_ns);
  text("name", event.name);
  key_values("attributes", event.attributes);
  number32("droppedAttributesCount", event.dropped_attributes_count);
  writer_.end_object();
}

void JsonEncoder::link(const SpanLink& link) {
  writer_.begin_object();
  id("traceId", link.trace_id);
  id("spanId", link.span_id);
  text("traceState", link.trace_state);
  key_values("attributes", link.attributes);
  number32("droppedAttributesCount", link.dropped_attributes_count);
  number32("flags", link.flags);
  writer_.end_object();
}

void JsonEncoder::status(const Span& span) {
  const bool is_default = span.status_message.empty() && span.status_code == StatusCode::unset;
  if (is_default && dialect_ == JsonDialect::otlp) return;
  writer_.key("status");
  writer_.begin_object();
  text("message", span.status_message);
  if (span.status_code != StatusCode::unset) {
    const auto code = static_cast<int32_t>(span.status_code);
    writer_.key("code");
    write_enum(dialect_, code, status_code_name(code), writer_);
  }
  writer_.end_object();
}

void JsonEncoder::span(const Span& span) {
  writer_.begin_object();
  id("traceId", span.trace_id);
  id("spanId", span.span_id);
  text("traceState", span.trace_state);
  id("parentSpanId", span.parent_span_id);
  number32("flags", span.flags);
  text("name", span.name);
  if (span.kind != SpanKind::unspecified) {
    const auto kind = static_cast<int32_t>(span.kind);
    writer_.key("kind");
    write_enum(dialect_, kind, span_kind_name(kind), writer_);
  }
  number64("startTimeUnixNano", span.start_ns);
  number64("endTimeUnixNano", span.end_ns);
  key_values("attributes", span.attributes);
  number32("droppedAttributesCount", span.dropped_attributes_count);
  if (!span.events.empty()) {
    writer_.key("events");
    writer_.begin_array();
    for (const SpanEvent& item : span.events) event(item);
    writer_.end_array();
  }
  number32("droppedEventsCount", span.dropped_events_count);
  if (!span.links.empty()) {
    writer_.key("links");
    writer_.begin_array();
    for (const SpanLink& item : span.links) link(item);
    writer_.end_array();
  }
  number32("droppedLinksCount", span.dropped_links_count);
  status(span);
  writer_.end_object();
}

void JsonEncoder::resource_spans(const ResourceSpans& resource_spans) {
  writer_.begin_object();
  writer_.key("resource");
  resource(resource_spans.resource);
  writer_.key("scopeSpans");
  writer_.begin_array();
  for (const ScopeSpans& scope_spans : resource_spans.scope_spans) {
    writer_.begin_object();
    writer_.key("scope");
    scope(scope_spans.scope);
    writer_.key("spans");
    writer_.begin_array();
    for (const Span& item : scope_spans.spans) span(item);
    writer_.end_array();
    text("schemaUrl", scope_spans.scope.schema_url);
    writer_.end_object();
  }
  writer_.end_array();
  text("schemaUrl", resource_spans.resource.schema_url);
  writer_.end_object();
}

void JsonEncoder::log_record(const LogRecord& record) {
  writer_.begin_object();
  number64("timeUnixNano", record.time_ns);
  number64("observedTimeUnixNano", record.observed_time_ns);
  if (record.severity_number != 0) {
    writer_.key("severityNumber");
    write_enum(dialect_, record.severity_number, severity_name(record.severity_number), writer_);
  }
  text("severityText", record.severity_text);
  if (record.body.is_set()) {
    writer_.key("body");
    value(record.body);
  }
  key_values("attributes", record.attributes);
  number32("droppedAttributesCount", record.dropped_attributes_count);
  number32("flags", record.flags);
  id("traceId", record.trace_id);
  id("spanId", record.span_id);
  text("eventName", record.event_name);
  writer_.end_object();
}

void JsonEncoder::resource_logs(const ResourceLogs& resource_logs) {
  writer_.begin_object();
  writer_.key("resource");
  resource(resource_logs.resource);
  writer_.key("scopeLogs");
  writer_.begin_array();
  for (const ScopeLogs& scope_logs : resource_logs.scope_logs) {
    writer_.begin_object();
    writer_.key("scope");
    scope(scope_logs.scope);
    writer_.key("logRecords");
    writer_.begin_array();
    for (const LogRecord& item : scope_logs.records) log_record(item);
    writer_.end_array();
    text("schemaUrl", scope_logs.scope.schema_url);
    writer_.end_object();
  }
  writer_.end_array();
  text("schemaUrl", resource_logs.resource.schema_url);
  writer_.end_object();
}

std::string encode_json(const TracesData& data) {
  std::string out;
  JsonWriter writer(out);
  JsonEncoder encoder(JsonDialect::otlp, writer);
  writer.begin_object();
  writer.key("resourceSpans");
  writer.begin_array();
  for (const ResourceSpans& item : data.resource_spans) encoder.resource_spans(item);
  writer.end_array();
  writer.end_object();
  return out;
}

std::string encode_json(const LogsData& data) {
  std::string out;
  JsonWriter writer(out);
  JsonEncoder encoder(JsonDialect::otlp, writer);
  writer.begin_object();
  writer.key("resourceLogs");
  writer.begin_array();
  for (const ResourceLogs& item : data.resource_logs) encoder.resource_logs(item);
  writer.end_array();
  writer.end_object();
  return out;
}

std::string encode_export_response_json(std::string_view signal_field, int64_t rejected,
                                        std::string_view message) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  if (rejected != 0 || !message.empty()) {
    writer.key("partialSuccess");
    writer.begin_object();
    if (rejected != 0) {
      writer.key(signal_field);
      write_quoted(rejected, writer);
    }
    if (!message.empty()) writer.field("errorMessage", message);
    writer.end_object();
  }
  writer.end_object();
  return out;
}

}  // namespace contextcore::otlp
