#include "otlp/reference.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace contextcore::otlp::test {
namespace {

template <typename Id>
std::string id_bytes(const Id& id) {
  return id.empty() ? std::string() : std::string(id.bytes.begin(), id.bytes.end());
}

template <typename Id>
void read_id(const std::string& bytes, Id& out) {
  if (bytes.empty()) return;
  ASSERT_EQ(bytes.size(), out.bytes.size());
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
}

void write(const Value& value, reference::AnyValue& out);

void write(const KeyValue& item, reference::KeyValue& out) {
  out.set_key(item.key);
  write(item.value, *out.mutable_value());
}

void write(const Value& value, reference::AnyValue& out) {
  if (const auto* text = value.as_string()) out.set_string_value(*text);
  if (const auto* flag = value.as_bool()) out.set_bool_value(*flag);
  if (const auto* integer = value.as_int()) out.set_int_value(*integer);
  if (const auto* real = value.as_double()) out.set_double_value(*real);
  if (const auto* bytes = value.as_bytes()) out.set_bytes_value(bytes->data);
  if (const auto* array = value.as_array()) {
    for (const Value& item : *array) write(item, *out.mutable_array_value()->add_values());
    out.mutable_array_value();
  }
  if (const auto* list = value.as_kvlist()) {
    for (const KeyValue& item : *list) write(item, *out.mutable_kvlist_value()->add_values());
    out.mutable_kvlist_value();
  }
}

KeyValue read(const reference::KeyValue& item);

Value read(const reference::AnyValue& value) {
  switch (value.value_case()) {
    case reference::AnyValue::kStringValue:
      return value.string_value();
    case reference::AnyValue::kBoolValue:
      return value.bool_value();
    case reference::AnyValue::kIntValue:
      return int64_t{value.int_value()};
    case reference::AnyValue::kDoubleValue:
      return value.double_value();
    case reference::AnyValue::kBytesValue:
      return Bytes{value.bytes_value()};
    case reference::AnyValue::kArrayValue: {
      Array array;
      for (const auto& item : value.array_value().values()) array.push_back(read(item));
      return array;
    }
    case reference::AnyValue::kKvlistValue: {
      KeyValueList list;
      for (const auto& item : value.kvlist_value().values()) list.push_back(read(item));
      return list;
    }
    case reference::AnyValue::VALUE_NOT_SET:
      return {};
  }
  return {};
}

KeyValue read(const reference::KeyValue& item) { return {item.key(), read(item.value())}; }

template <typename Message>
void write_attributes(const Attributes& attributes, uint32_t dropped, Message& out) {
  for (const KeyValue& item : attributes) write(item, *out.add_attributes());
  out.set_dropped_attributes_count(dropped);
}

template <typename Message, typename Out>
void read_attributes(const Message& message, Out& out) {
  for (const auto& item : message.attributes()) out.attributes.push_back(read(item));
  out.dropped_attributes_count = message.dropped_attributes_count();
}

void write(const Resource& resource, reference::Resource& out) {
  write_attributes(resource.attributes, resource.dropped_attributes_count, out);
  for (const EntityRef& entity : resource.entity_refs) {
    auto& ref = *out.add_entity_refs();
    ref.set_schema_url(entity.schema_url);
    ref.set_type(entity.type);
    for (const auto& key : entity.id_keys) ref.add_id_keys(key);
    for (const auto& key : entity.description_keys) ref.add_description_keys(key);
  }
}

void read(const reference::Resource& resource, Resource& out) {
  read_attributes(resource, out);
  for (const auto& ref : resource.entity_refs()) {
    out.entity_refs.push_back({ref.schema_url(),
                               ref.type(),
                               {ref.id_keys().begin(), ref.id_keys().end()},
                               {ref.description_keys().begin(), ref.description_keys().end()}});
  }
}

void write(const Scope& scope, reference::Scope& out) {
  out.set_name(scope.name);
  out.set_version(scope.version);
  write_attributes(scope.attributes, scope.dropped_attributes_count, out);
}

void read(const reference::Scope& scope, Scope& out) {
  out.name = scope.name();
  out.version = scope.version();
  read_attributes(scope, out);
}

void write(const Span& span, reference::Span& out) {
  out.set_trace_id(id_bytes(span.trace_id));
  out.set_span_id(id_bytes(span.span_id));
  out.set_parent_span_id(id_bytes(span.parent_span_id));
  out.set_trace_state(span.trace_state);
  out.set_flags(span.flags);
  out.set_name(span.name);
  out.set_kind(static_cast<reference::SpanKind>(span.kind));
  out.set_start_time_unix_nano(span.start_ns);
  out.set_end_time_unix_nano(span.end_ns);
  write_attributes(span.attributes, span.dropped_attributes_count, out);
  for (const SpanEvent& event : span.events) {
    auto& item = *out.add_events();
    item.set_time_unix_nano(event.time_ns);
    item.set_name(event.name);
    write_attributes(event.attributes, event.dropped_attributes_count, item);
  }
  out.set_dropped_events_count(span.dropped_events_count);
  for (const SpanLink& link : span.links) {
    auto& item = *out.add_links();
    item.set_trace_id(id_bytes(link.trace_id));
    item.set_span_id(id_bytes(link.span_id));
    item.set_trace_state(link.trace_state);
    item.set_flags(link.flags);
    write_attributes(link.attributes, link.dropped_attributes_count, item);
  }
  out.set_dropped_links_count(span.dropped_links_count);
  if (span.status_code != StatusCode::unset || !span.status_message.empty()) {
    out.mutable_status()->set_code(static_cast<reference::Status::Code>(span.status_code));
    out.mutable_status()->set_message(span.status_message);
  }
}

void write(const LogRecord& record, reference::LogRecord& out) {
  out.set_time_unix_nano(record.time_ns);
  out.set_observed_time_unix_nano(record.observed_time_ns);
  out.set_severity_number(record.severity_number);
  out.set_severity_text(record.severity_text);
  if (record.body.is_set()) write(record.body, *out.mutable_body());
  write_attributes(record.attributes, record.dropped_attributes_count, out);
  out.set_flags(record.flags);
  out.set_trace_id(id_bytes(record.trace_id));
  out.set_span_id(id_bytes(record.span_id));
  out.set_event_name(record.event_name);
}

}  // namespace

void write_reference(const Resource& resource, reference::Resource& out) { write(resource, out); }
void write_reference(const Scope& scope, reference::Scope& out) { write(scope, out); }
void write_reference(const Attributes& attributes,
                     google::protobuf::RepeatedPtrField<reference::KeyValue>& out) {
  for (const KeyValue& item : attributes) write(item, *out.Add());
}

reference::TracesData to_reference(const TracesData& data) {
  reference::TracesData out;
  for (const ResourceSpans& resource_spans : data.resource_spans) {
    auto& outer = *out.add_resource_spans();
    write(resource_spans.resource, *outer.mutable_resource());
    outer.set_schema_url(resource_spans.resource.schema_url);
    for (const ScopeSpans& scope_spans : resource_spans.scope_spans) {
      auto& inner = *outer.add_scope_spans();
      write(scope_spans.scope, *inner.mutable_scope());
      inner.set_schema_url(scope_spans.scope.schema_url);
      for (const Span& span : scope_spans.spans) write(span, *inner.add_spans());
    }
  }
  return out;
}

reference::LogsData to_reference(const LogsData& data) {
  reference::LogsData out;
  for (const ResourceLogs& resource_logs : data.resource_logs) {
    auto& outer = *out.add_resource_logs();
    write(resource_logs.resource, *outer.mutable_resource());
    outer.set_schema_url(resource_logs.resource.schema_url);
    for (const ScopeLogs& scope_logs : resource_logs.scope_logs) {
      auto& inner = *outer.add_scope_logs();
      write(scope_logs.scope, *inner.mutable_scope());
      inner.set_schema_url(scope_logs.scope.schema_url);
      for (const LogRecord& record : scope_logs.records) write(record, *inner.add_log_records());
    }
  }
  return out;
}

Span from_reference(const reference::Span& span) {
  Span out;
  read_id(span.trace_id(), out.trace_id);
  read_id(span.span_id(), out.span_id);
  read_id(span.parent_span_id(), out.parent_span_id);
  out.trace_state = span.trace_state();
  out.flags = span.flags();
  out.name = span.name();
  out.kind = static_cast<SpanKind>(span.kind());
  out.start_ns = span.start_time_unix_nano();
  out.end_ns = span.end_time_unix_nano();
  read_attributes(span, out);
  for (const auto& item : span.events()) {
    SpanEvent& event = out.events.emplace_back();
    event.time_ns = item.time_unix_nano();
    event.name = item.name();
    read_attributes(item, event);
  }
  out.dropped_events_count = span.dropped_events_count();
  for (const auto& item : span.links()) {
    SpanLink& link = out.links.emplace_back();
    read_id(item.trace_id(), link.trace_id);
    read_id(item.span_id(), link.span_id);
    link.trace_state = item.trace_state();
    link.flags = item.flags();
    read_attributes(item, link);
  }
  out.dropped_links_count = span.dropped_links_count();
  out.status_code = static_cast<StatusCode>(span.status().code());
  out.status_message = span.status().message();
  return out;
}

LogRecord from_reference(const reference::LogRecord& record) {
  LogRecord out;
  out.time_ns = record.time_unix_nano();
  out.observed_time_ns = record.observed_time_unix_nano();
  out.severity_number = record.severity_number();
  out.severity_text = record.severity_text();
  out.body = read(record.body());
  read_attributes(record, out);
  out.flags = record.flags();
  read_id(record.trace_id(), out.trace_id);
  read_id(record.span_id(), out.span_id);
  out.event_name = record.event_name();
  return out;
}

TracesData from_reference(const reference::TracesData& data) {
  TracesData out;
  for (const auto& outer : data.resource_spans()) {
    ResourceSpans& resource_spans = out.resource_spans.emplace_back();
    read(outer.resource(), resource_spans.resource);
    resource_spans.resource.schema_url = outer.schema_url();
    for (const auto& inner : outer.scope_spans()) {
      ScopeSpans& scope_spans = resource_spans.scope_spans.emplace_back();
      read(inner.scope(), scope_spans.scope);
      scope_spans.scope.schema_url = inner.schema_url();
      for (const auto& span : inner.spans()) scope_spans.spans.push_back(from_reference(span));
    }
  }
  return out;
}

LogsData from_reference(const reference::LogsData& data) {
  LogsData out;
  for (const auto& outer : data.resource_logs()) {
    ResourceLogs& resource_logs = out.resource_logs.emplace_back();
    read(outer.resource(), resource_logs.resource);
    resource_logs.resource.schema_url = outer.schema_url();
    for (const auto& inner : outer.scope_logs()) {
      ScopeLogs& scope_logs = resource_logs.scope_logs.emplace_back();
      read(inner.scope(), scope_logs.scope);
      scope_logs.scope.schema_url = inner.schema_url();
      for (const auto& item : inner.log_records()) {
        scope_logs.records.push_back(from_reference(item));
      }
    }
  }
  return out;
}

}  // namespace contextcore::otlp::test
