#include "otlp/random_telemetry.h"

#include <bit>
#include <limits>

namespace contextcore::otlp::test {

std::string RandomTelemetry::text() {
  static constexpr std::string_view kPieces[] = {
      "a",
      "service.name",
      " ",
      "\"",
      "\\",
      "\n",
      std::string_view("\0", 1),
      "é",
      "日",
      "😀",
      "\x7f",
      "/",
      "0123456789ab",
      "{}",
      "\u2028",
      "ß",
  };
  std::string out;
  for (uint64_t n = chance(3) ? 0 : count(6); n > 0; --n) {
    out += kPieces[random_.below(std::size(kPieces))];
  }
  if (chance(40)) out.append(300, 'x');  // a length of two bytes
  return out;
}

uint64_t RandomTelemetry::number() { return random_.next_u64() >> random_.below(64); }

uint32_t RandomTelemetry::small() { return chance(3) ? static_cast<uint32_t>(number()) : 0; }

double RandomTelemetry::real() {
  using Limits = std::numeric_limits<double>;
  static constexpr double kSpecial[] = {
      0.0,
      -0.0,
      1.0,
      0.1,
      -1e300,
      Limits::max(),
      Limits::min(),
      Limits::denorm_min(),
      Limits::infinity(),
      -Limits::infinity(),
      Limits::quiet_NaN(),
      9007199254740993.0,
      1e21,
      123456789.0,
  };
  if (chance(2)) return kSpecial[random_.below(std::size(kSpecial))];
  const auto value = std::bit_cast<double>(random_.next_u64());
  return value == value ? value : 4.25;  // JSON keeps no payload of a NaN
}

Value RandomTelemetry::value(int depth_max) {
  switch (random_.below(depth_max > 0 ? 9 : 6)) {
    case 0:
      return {};
    case 1:
      return text();
    case 2:
      return chance(2);
    case 3:
      return static_cast<int64_t>(chance(2) ? number() : ~number());
    case 4:
      return real();
    case 5:
      return Bytes{text() + (chance(2) ? "\xff" : "")};
    case 6:
      return KeyValueList(attributes(3, depth_max - 1));
    default: {
      Array array;
      for (uint64_t n = count(4); n > 0; --n) array.push_back(value(depth_max - 1));
      return array;
    }
  }
}

Attributes RandomTelemetry::attributes(uint64_t max, int depth_max) {
  Attributes out;
  for (uint64_t n = count(max); n > 0; --n) out.push_back({text(), value(depth_max)});
  return out;
}

Resource RandomTelemetry::resource() {
  Resource out;
  out.attributes = attributes(3);
  out.dropped_attributes_count = small();
  for (uint64_t n = count(2); n > 0; --n) {
    EntityRef entity{text(), text(), {}, {}};
    for (uint64_t k = count(2); k > 0; --k) entity.id_keys.push_back(text());
    for (uint64_t k = count(2); k > 0; --k) entity.description_keys.push_back(text());
    out.entity_refs.push_back(std::move(entity));
  }
  return out;
}

Scope RandomTelemetry::scope() { return {text(), text(), attributes(2), small(), {}}; }

Span RandomTelemetry::span() {
  Span out;
  out.trace_id = id<TraceId>();
  out.span_id = id<SpanId>();
  out.parent_span_id = id<SpanId>();
  out.trace_state = text();
  out.flags = small();
  out.name = text();
  out.kind = static_cast<SpanKind>(chance(10) ? static_cast<int32_t>(small())
                                              : static_cast<int32_t>(count(5)));
  out.start_ns = number();
  out.end_ns = number();
  out.attributes = attributes(5);
  out.dropped_attributes_count = small();
  for (uint64_t n = count(3); n > 0; --n) {
    out.events.push_back({number(), text(), attributes(2), small()});
  }
  out.dropped_events_count = small();
  for (uint64_t n = count(3); n > 0; --n) {
    out.links.push_back({id<TraceId>(), id<SpanId>(), text(), attributes(2), small(), small()});
  }
  out.dropped_links_count = small();
  out.status_code = static_cast<StatusCode>(chance(10) ? -1 : static_cast<int32_t>(count(2)));
  out.status_message = text();
  return out;
}

LogRecord RandomTelemetry::log_record() {
  LogRecord out;
  out.time_ns = number();
  out.observed_time_ns = number();
  out.severity_number = chance(10) ? -7 : static_cast<int32_t>(count(24));
  out.severity_text = text();
  out.body = value(4);
  out.attributes = attributes(4);
  out.dropped_attributes_count = small();
  out.flags = small();
  out.trace_id = id<TraceId>();
  out.span_id = id<SpanId>();
  out.event_name = text();
  return out;
}

TracesData RandomTelemetry::traces() {
  TracesData out;
  out.resource_spans.resize(count(2));
  for (ResourceSpans& resource_spans : out.resource_spans) {
    resource_spans.resource = resource();
    resource_spans.resource.schema_url = text();
    resource_spans.scope_spans.resize(count(2));
    for (ScopeSpans& scope_spans : resource_spans.scope_spans) {
      scope_spans.scope = scope();
      scope_spans.scope.schema_url = text();
      for (uint64_t n = count(4); n > 0; --n) scope_spans.spans.push_back(span());
    }
  }
  return out;
}

LogsData RandomTelemetry::logs() {
  LogsData out;
  out.resource_logs.resize(count(2));
  for (ResourceLogs& resource_logs : out.resource_logs) {
    resource_logs.resource = resource();
    resource_logs.resource.schema_url = text();
    resource_logs.scope_logs.resize(count(2));
    for (ScopeLogs& scope_logs : resource_logs.scope_logs) {
      scope_logs.scope = scope();
      scope_logs.scope.schema_url = text();
      for (uint64_t n = count(4); n > 0; --n) scope_logs.records.push_back(log_record());
    }
  }
  return out;
}

std::string RandomTelemetry::mutate(std::string bytes) {
  for (uint64_t n = 1 + count(3); n > 0 && !bytes.empty(); --n) {
    const size_t at = random_.below(bytes.size());
    switch (random_.below(3)) {
      case 0:
        bytes[at] = static_cast<char>(random_.below(256));
        break;
      case 1:
        bytes.erase(at, 1);
        break;
      default:
        bytes.insert(at, 1, static_cast<char>(random_.below(256)));
    }
  }
  return bytes;
}

}  // namespace contextcore::otlp::test
