// Traces and logs: model → wire bytes (wire_writer.h).

#include "otlp/protobuf.h"
#include "otlp/protobuf_fields.h"
#include "otlp/tempo_json.h"

namespace contextcore::otlp {
namespace {

template <typename Sink>
void event_fields(Sink& sink, const SpanEvent& event) {
  put_fixed64(sink, 1, event.time_ns);
  put_string(sink, 2, event.name);
  put_key_values(sink, 3, event.attributes);
  put_varint(sink, 4, event.dropped_attributes_count);
}

template <typename Sink>
void link_fields(Sink& sink, const SpanLink& link) {
  put_id(sink, 1, link.trace_id);
  put_id(sink, 2, link.span_id);
  put_string(sink, 3, link.trace_state);
  put_key_values(sink, 4, link.attributes);
  put_varint(sink, 5, link.dropped_attributes_count);
  put_fixed32(sink, 6, link.flags);
}

// What readers that look into sub-messages unchecked want to see even when it is empty.
enum class Presence : uint8_t { when_set, always };

template <typename Sink>
void span_fields(Sink& sink, const Span& span, Presence status) {
  put_id(sink, 1, span.trace_id);
  put_id(sink, 2, span.span_id);
  put_string(sink, 3, span.trace_state);
  put_id(sink, 4, span.parent_span_id);
  put_string(sink, 5, span.name);
  put_varint(sink, 6, enum_bits(span.kind));
  put_fixed64(sink, 7, span.start_ns);
  put_fixed64(sink, 8, span.end_ns);
  put_key_values(sink, 9, span.attributes);
  put_varint(sink, 10, span.dropped_attributes_count);
  for (const SpanEvent& event : span.events) {
    sink.message(11, [&](Sink& inner) { event_fields(inner, event); });
  }
  put_varint(sink, 12, span.dropped_events_count);
  for (const SpanLink& link : span.links) {
    sink.message(13, [&](Sink& inner) { link_fields(inner, link); });
  }
  put_varint(sink, 14, span.dropped_links_count);
  if (status == Presence::always || !span.status_message.empty() ||
      span.status_code != StatusCode::unset) {
    sink.message(15, [&](Sink& inner) {
      put_string(inner, 2, span.status_message);
      put_varint(inner, 3, enum_bits(span.status_code));
    });
  }
  put_fixed32(sink, 16, span.flags);
}

template <typename Sink>
void log_record_fields(Sink& sink, const LogRecord& record) {
  put_fixed64(sink, 1, record.time_ns);
  put_varint(sink, 2, enum_bits(record.severity_number));
  put_string(sink, 3, record.severity_text);
  if (record.body.is_set()) {
    sink.message(5, [&](Sink& inner) { value_fields(inner, record.body); });
  }
  put_key_values(sink, 6, record.attributes);
  put_varint(sink, 7, record.dropped_attributes_count);
  put_fixed32(sink, 8, record.flags);
  put_id(sink, 9, record.trace_id);
  put_id(sink, 10, record.span_id);
  put_fixed64(sink, 11, record.observed_time_ns);
  put_string(sink, 12, record.event_name);
}

// Resource and scope are written even when empty, as SDKs do.
template <typename Sink>
void traces_fields(Sink& sink, const TracesData& data, Presence status) {
  for (const ResourceSpans& resource_spans : data.resource_spans) {
    sink.message(1, [&](Sink& outer) {
      outer.message(1, [&](Sink& inner) { resource_fields(inner, resource_spans.resource); });
      for (const ScopeSpans& scope_spans : resource_spans.scope_spans) {
        outer.message(2, [&](Sink& middle) {
          middle.message(1, [&](Sink& inner) { scope_fields(inner, scope_spans.scope); });
          for (const Span& span : scope_spans.spans) {
            middle.message(2, [&](Sink& inner) { span_fields(inner, span, status); });
          }
          put_string(middle, 3, scope_spans.scope.schema_url);
        });
      }
      put_string(outer, 3, resource_spans.resource.schema_url);
    });
  }
}

template <typename Sink>
void logs_fields(Sink& sink, const LogsData& data) {
  for (const ResourceLogs& resource_logs : data.resource_logs) {
    sink.message(1, [&](Sink& outer) {
      outer.message(1, [&](Sink& inner) { resource_fields(inner, resource_logs.resource); });
      for (const ScopeLogs& scope_logs : resource_logs.scope_logs) {
        outer.message(2, [&](Sink& middle) {
          middle.message(1, [&](Sink& inner) { scope_fields(inner, scope_logs.scope); });
          for (const LogRecord& record : scope_logs.records) {
            middle.message(2, [&](Sink& inner) { log_record_fields(inner, record); });
          }
          put_string(middle, 3, scope_logs.scope.schema_url);
        });
      }
      put_string(outer, 3, resource_logs.resource.schema_url);
    });
  }
}

}  // namespace

std::string encode_protobuf(const TracesData& data) {
  std::string out;
  append(out, [&](auto& sink) { traces_fields(sink, data, Presence::when_set); });
  return out;
}
std::string encode_protobuf(const LogsData& data) {
  std::string out;
  append(out, [&](auto& sink) { logs_fields(sink, data); });
  return out;
}

void append_span_protobuf(const Span& span, std::string& out) {
  append(out, [&](auto& sink) { span_fields(sink, span, Presence::when_set); });
}
void append_log_record_protobuf(const LogRecord& record, std::string& out) {
  append(out, [&](auto& sink) { log_record_fields(sink, record); });
}
void append_resource_protobuf(const Resource& resource, std::string& out) {
  append(out, [&](auto& sink) { resource_fields(sink, resource); });
}
void append_scope_protobuf(const Scope& scope, std::string& out) {
  append(out, [&](auto& sink) { scope_fields(sink, scope); });
}
void append_value_protobuf(const Value& value, std::string& out) {
  append(out, [&](auto& sink) { value_fields(sink, value); });
}

std::string encode_export_response_protobuf(int64_t rejected, std::string_view message) {
  std::string out;
  if (rejected == 0 && message.empty()) return out;
  append(out, [&](auto& sink) {
    sink.message(1, [&](auto& inner) {
      put_varint(inner, 1, static_cast<uint64_t>(rejected));
      put_string(inner, 2, message);
    });
  });
  return out;
}

std::string encode_tempo_trace_protobuf(const TracesData& trace) {
  std::string out;
  append(out, [&](auto& sink) { traces_fields(sink, trace, Presence::always); });
  return out;
}

std::string encode_tempo_trace_by_id_protobuf(const TracesData& trace,
                                              const TempoTraceByIdInfo& info) {
  std::string out;
  append(out, [&](auto& sink) {
    sink.message(1, [&](auto& inner) { traces_fields(inner, trace, Presence::always); });
    sink.message(2, [&](auto& inner) { put_varint(inner, 1, info.inspected_bytes); });
    put_varint(sink, 3, info.partial ? 1 : 0);
    put_string(sink, 4, info.message);
  });
  return out;
}

}  // namespace contextcore::otlp
