// Traces and logs: JSON tree → model (json_reader.h).

#include "otlp/enum_names.h"
#include "otlp/json_reader.h"

namespace contextcore::otlp {
namespace {

class Decoder : public JsonReader {
 public:
  using JsonReader::JsonReader;
  bool traces(const Json& json, TracesData& out);
  bool logs(const Json& json, LogsData& out);

 private:
  bool resource_spans(const Json& json, const Path& path, ResourceSpans& out);
  bool scope_spans(const Json& json, const Path& path, ScopeSpans& out);
  bool span(const Json& json, const Path& path, Span& out);
  bool event(const Json& json, const Path& path, SpanEvent& out);
  bool link(const Json& json, const Path& path, SpanLink& out);
  bool status(const Json& json, const Path& path, Span& out);
  bool resource_logs(const Json& json, const Path& path, ResourceLogs& out);
  bool scope_logs(const Json& json, const Path& path, ScopeLogs& out);
  bool log_record(const Json& json, const Path& path, LogRecord& out);
};

// --- traces ---

bool Decoder::traces(const Json& json, TracesData& out) {
  return each_member(json, {}, [&](std::string_view name, const Json& member, const Path& at) {
    if (!is_field(name, "resourceSpans")) return true;
    return list(member, at, out.resource_spans,
                [this](const Json& item, const Path& path, ResourceSpans& element) {
                  return resource_spans(item, path, element);
                });
  });
}

bool Decoder::resource_spans(const Json& json, const Path& path, ResourceSpans& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "resource")) return resource(member, at, out.resource);
    if (is_field(name, "schemaUrl")) return string(member, at, out.resource.schema_url);
    if (!is_field(name, "scopeSpans")) return true;
    return list(member, at, out.scope_spans,
                [this](const Json& item, const Path& item_path, ScopeSpans& element) {
                  return scope_spans(item, item_path, element);
                });
  });
}

bool Decoder::scope_spans(const Json& json, const Path& path, ScopeSpans& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "scope")) return scope(member, at, out.scope);
    if (is_field(name, "schemaUrl")) return string(member, at, out.scope.schema_url);
    if (!is_field(name, "spans")) return true;
    return list(member, at, out.spans,
                [this](const Json& item, const Path& item_path, Span& element) {
                  return span(item, item_path, element);
                });
  });
}

bool Decoder::span(const Json& json, const Path& path, Span& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "traceId")) return id(member, at, out.trace_id);
    if (is_field(name, "spanId")) return id(member, at, out.span_id);
    if (is_field(name, "parentSpanId")) return id(member, at, out.parent_span_id);
    if (is_field(name, "name")) return string(member, at, out.name);
    if (is_field(name, "kind")) return enumeration(member, at, span_kind_number, out.kind);
    if (is_field(name, "startTimeUnixNano")) return integer(member, at, out.start_ns);
    if (is_field(name, "endTimeUnixNano")) return integer(member, at, out.end_ns);
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "status")) return status(member, at, out);
    if (is_field(name, "traceState")) return string(member, at, out.trace_state);
    if (is_field(name, "flags")) return integer(member, at, out.flags);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    if (is_field(name, "droppedEventsCount")) return integer(member, at, out.dropped_events_count);
    if (is_field(name, "droppedLinksCount")) return integer(member, at, out.dropped_links_count);
    if (is_field(name, "events")) {
      return list(member, at, out.events,
                  [this](const Json& item, const Path& item_path, SpanEvent& element) {
                    return event(item, item_path, element);
                  });
    }
    if (is_field(name, "links")) {
      return list(member, at, out.links,
                  [this](const Json& item, const Path& item_path, SpanLink& element) {
                    return link(item, item_path, element);
                  });
    }
    return true;
  });
}

bool Decoder::event(const Json& json, const Path& path, SpanEvent& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "timeUnixNano")) return integer(member, at, out.time_ns);
    if (is_field(name, "name")) return string(member, at, out.name);
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    return true;
  });
}

bool Decoder::link(const Json& json, const Path& path, SpanLink& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "traceId")) return id(member, at, out.trace_id);
    if (is_field(name, "spanId")) return id(member, at, out.span_id);
    if (is_field(name, "traceState")) return string(member, at, out.trace_state);
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    if (is_field(name, "flags")) return integer(member, at, out.flags);
    return true;
  });
}

bool Decoder::status(const Json& json, const Path& path, Span& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "message")) return string(member, at, out.status_message);
    if (is_field(name, "code")) return enumeration(member, at, status_code_number, out.status_code);
    return true;
  });
}

// --- logs ---

bool Decoder::logs(const Json& json, LogsData& out) {
  return each_member(json, {}, [&](std::string_view name, const Json& member, const Path& at) {
    if (!is_field(name, "resourceLogs")) return true;
    return list(member, at, out.resource_logs,
                [this](const Json& item, const Path& path, ResourceLogs& element) {
                  return resource_logs(item, path, element);
                });
  });
}

bool Decoder::resource_logs(const Json& json, const Path& path, ResourceLogs& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "resource")) return resource(member, at, out.resource);
    if (is_field(name, "schemaUrl")) return string(member, at, out.resource.schema_url);
    if (!is_field(name, "scopeLogs")) return true;
    return list(member, at, out.scope_logs,
                [this](const Json& item, const Path& item_path, ScopeLogs& element) {
                  return scope_logs(item, item_path, element);
                });
  });
}

bool Decoder::scope_logs(const Json& json, const Path& path, ScopeLogs& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "scope")) return scope(member, at, out.scope);
    if (is_field(name, "schemaUrl")) return string(member, at, out.scope.schema_url);
    if (!is_field(name, "logRecords")) return true;
    return list(member, at, out.records,
                [this](const Json& item, const Path& item_path, LogRecord& element) {
                  return log_record(item, item_path, element);
                });
  });
}

bool Decoder::log_record(const Json& json, const Path& path, LogRecord& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "timeUnixNano")) return integer(member, at, out.time_ns);
    if (is_field(name, "observedTimeUnixNano")) return integer(member, at, out.observed_time_ns);
    if (is_field(name, "severityNumber")) {
      return enumeration(member, at, severity_number, out.severity_number);
    }
    if (is_field(name, "severityText")) return string(member, at, out.severity_text);
    if (is_field(name, "body")) {
      out.body = Value();
      return value(member, at, 0, out.body);
    }
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    if (is_field(name, "flags")) return integer(member, at, out.flags);
    if (is_field(name, "traceId")) return id(member, at, out.trace_id);
    if (is_field(name, "spanId")) return id(member, at, out.span_id);
    if (is_field(name, "eventName")) return string(member, at, out.event_name);
    return true;
  });
}

}  // namespace

Result<TracesData> decode_traces_json(std::string_view text, const DecodeLimits& limits) {
  return read_json<Decoder, TracesData>(text, limits,
                                        [](Decoder& decoder, const Json& json, TracesData& out) {
                                          return decoder.traces(json, out);
                                        });
}

Result<LogsData> decode_logs_json(std::string_view text, const DecodeLimits& limits) {
  return read_json<Decoder, LogsData>(
      text, limits,
      [](Decoder& decoder, const Json& json, LogsData& out) { return decoder.logs(json, out); });
}

}  // namespace contextcore::otlp
