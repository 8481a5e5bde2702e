// Traces and logs: wire bytes → model in one pass (wire_reader.h).
//
// Merging follows proto3: a scalar sent twice: the last wins; a sub-message sent twice is merged;
// of a oneof the last member wins, and two lists of the same member are joined.

#include "otlp/protobuf_common.h"

namespace contextcore::otlp {
namespace {

class Decoder : public CommonDecoder {
 public:
  using CommonDecoder::CommonDecoder;

  bool traces(std::string_view bytes, TracesData& out);
  bool logs(std::string_view bytes, LogsData& out);
  bool span(std::string_view bytes, Span& out);
  bool log_record(std::string_view bytes, LogRecord& out);

 private:
  bool resource_spans(std::string_view bytes, ResourceSpans& out);
  bool scope_spans(std::string_view bytes, ScopeSpans& out);
  bool event(std::string_view bytes, SpanEvent& out);
  bool link(std::string_view bytes, SpanLink& out);
  bool status(std::string_view bytes, Span& out);
  bool resource_logs(std::string_view bytes, ResourceLogs& out);
  bool scope_logs(std::string_view bytes, ScopeLogs& out);
};

// --- traces ---

bool Decoder::traces(std::string_view all, TracesData& out) {
  return each_field(all, "TracesData", [&](pbf_reader& reader) {
    if (reader.tag() != 1) return skip(reader);
    return message(reader, "TracesData.resource_spans", [&](std::string_view view) {
      return resource_spans(view, out.resource_spans.emplace_back());
    });
  });
}

bool Decoder::resource_spans(std::string_view all, ResourceSpans& out) {
  return each_field(all, "ResourceSpans", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ResourceSpans.resource",
                       [&](std::string_view view) { return resource(view, out.resource); });
      case 2:
        return message(reader, "ResourceSpans.scope_spans", [&](std::string_view view) {
          return scope_spans(view, out.scope_spans.emplace_back());
        });
      case 3:
        return string(reader, "ResourceSpans.schema_url", out.resource.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::scope_spans(std::string_view all, ScopeSpans& out) {
  out.spans.reserve(count_fields(all, 2));
  return each_field(all, "ScopeSpans", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ScopeSpans.scope",
                       [&](std::string_view view) { return scope(view, out.scope); });
      case 2:
        return message(reader, "ScopeSpans.spans",
                       [&](std::string_view view) { return span(view, out.spans.emplace_back()); });
      case 3:
        return string(reader, "ScopeSpans.schema_url", out.scope.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::span(std::string_view all, Span& out) {
  return each_field(all, "Span", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return id(reader, "Span.trace_id", out.trace_id);
      case 2:
        return id(reader, "Span.span_id", out.span_id);
      case 3:
        return string(reader, "Span.trace_state", out.trace_state);
      case 4:
        return id(reader, "Span.parent_span_id", out.parent_span_id);
      case 5:
        return string(reader, "Span.name", out.name);
      case 6:
        return varint(reader, "Span.kind", out.kind);
      case 7:
        return fixed64(reader, "Span.start_time_unix_nano", out.start_ns);
      case 8:
        return fixed64(reader, "Span.end_time_unix_nano", out.end_ns);
      case 9:
        return attribute(reader, "Span.attributes", out.attributes);
      case 10:
        return varint(reader, "Span.dropped_attributes_count", out.dropped_attributes_count);
      case 11:
        return message(reader, "Span.events", [&](std::string_view view) {
          return event(view, out.events.emplace_back());
        });
      case 12:
        return varint(reader, "Span.dropped_events_count", out.dropped_events_count);
      case 13:
        return message(reader, "Span.links",
                       [&](std::string_view view) { return link(view, out.links.emplace_back()); });
      case 14:
        return varint(reader, "Span.dropped_links_count", out.dropped_links_count);
      case 15:
        return message(reader, "Span.status",
                       [&](std::string_view view) { return status(view, out); });
      case 16:
        return fixed32(reader, "Span.flags", out.flags);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::event(std::string_view all, SpanEvent& out) {
  return each_field(all, "Span.Event", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return fixed64(reader, "Span.Event.time_unix_nano", out.time_ns);
      case 2:
        return string(reader, "Span.Event.name", out.name);
      case 3:
        return attribute(reader, "Span.Event.attributes", out.attributes);
      case 4:
        return varint(reader, "Span.Event.dropped_attributes_count", out.dropped_attributes_count);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::link(std::string_view all, SpanLink& out) {
  return each_field(all, "Span.Link", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return id(reader, "Span.Link.trace_id", out.trace_id);
      case 2:
        return id(reader, "Span.Link.span_id", out.span_id);
      case 3:
        return string(reader, "Span.Link.trace_state", out.trace_state);
      case 4:
        return attribute(reader, "Span.Link.attributes", out.attributes);
      case 5:
        return varint(reader, "Span.Link.dropped_attributes_count", out.dropped_attributes_count);
      case 6:
        return fixed32(reader, "Span.Link.flags", out.flags);
      default:
        return skip(reader);
    }
  });
}

// Field 1 is the code of before OTLP 0.9; it is skipped.
bool Decoder::status(std::string_view all, Span& out) {
  return each_field(all, "Status", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 2:
        return string(reader, "Status.message", out.status_message);
      case 3:
        return varint(reader, "Status.code", out.status_code);
      default:
        return skip(reader);
    }
  });
}

// --- logs ---

bool Decoder::logs(std::string_view all, LogsData& out) {
  return each_field(all, "LogsData", [&](pbf_reader& reader) {
    if (reader.tag() != 1) return skip(reader);
    return message(reader, "LogsData.resource_logs", [&](std::string_view view) {
      return resource_logs(view, out.resource_logs.emplace_back());
    });
  });
}

bool Decoder::resource_logs(std::string_view all, ResourceLogs& out) {
  return each_field(all, "ResourceLogs", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ResourceLogs.resource",
                       [&](std::string_view view) { return resource(view, out.resource); });
      case 2:
        return message(reader, "ResourceLogs.scope_logs", [&](std::string_view view) {
          return scope_logs(view, out.scope_logs.emplace_back());
        });
      case 3:
        return string(reader, "ResourceLogs.schema_url", out.resource.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::scope_logs(std::string_view all, ScopeLogs& out) {
  out.records.reserve(count_fields(all, 2));
  return each_field(all, "ScopeLogs", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ScopeLogs.scope",
                       [&](std::string_view view) { return scope(view, out.scope); });
      case 2:
        return message(reader, "ScopeLogs.log_records", [&](std::string_view view) {
          return log_record(view, out.records.emplace_back());
        });
      case 3:
        return string(reader, "ScopeLogs.schema_url", out.scope.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::log_record(std::string_view all, LogRecord& out) {
  return each_field(all, "LogRecord", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return fixed64(reader, "LogRecord.time_unix_nano", out.time_ns);
      case 2:
        return varint(reader, "LogRecord.severity_number", out.severity_number);
      case 3:
        return string(reader, "LogRecord.severity_text", out.severity_text);
      case 5:
        return message(reader, "LogRecord.body",
                       [&](std::string_view view) { return value(view, 0, out.body); });
      case 6:
        return attribute(reader, "LogRecord.attributes", out.attributes);
      case 7:
        return varint(reader, "LogRecord.dropped_attributes_count", out.dropped_attributes_count);
      case 8:
        return fixed32(reader, "LogRecord.flags", out.flags);
      case 9:
        return id(reader, "LogRecord.trace_id", out.trace_id);
      case 10:
        return id(reader, "LogRecord.span_id", out.span_id);
      case 11:
        return fixed64(reader, "LogRecord.observed_time_unix_nano", out.observed_time_ns);
      case 12:
        return string(reader, "LogRecord.event_name", out.event_name);
      default:
        return skip(reader);
    }
  });
}

template <typename T, typename Decode>
Result<T> run(std::string_view bytes, const DecodeLimits& limits, Decode&& decode) {
  Decoder decoder(bytes, limits);
  T out;
  if (!decode(decoder, out)) return decoder.take_error();
  return out;
}

}  // namespace

Result<TracesData> decode_traces_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<TracesData>(bytes, limits,
                         [&](Decoder& decoder, auto& out) { return decoder.traces(bytes, out); });
}
Result<LogsData> decode_logs_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<LogsData>(bytes, limits,
                       [&](Decoder& decoder, auto& out) { return decoder.logs(bytes, out); });
}
Result<Span> decode_span_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Span>(bytes, limits,
                   [&](Decoder& decoder, auto& out) { return decoder.span(bytes, out); });
}
Result<LogRecord> decode_log_record_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<LogRecord>(
      bytes, limits, [&](Decoder& decoder, auto& out) { return decoder.log_record(bytes, out); });
}
Result<Resource> decode_resource_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Resource>(bytes, limits,
                       [&](Decoder& decoder, auto& out) { return decoder.resource(bytes, out); });
}
Result<Scope> decode_scope_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Scope>(bytes, limits,
                    [&](Decoder& decoder, auto& out) { return decoder.scope(bytes, out); });
}
Result<Value> decode_value_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Value>(bytes, limits,
                    [&](Decoder& decoder, auto& out) { return decoder.value(bytes, 0, out); });
}

}  // namespace contextcore::otlp
