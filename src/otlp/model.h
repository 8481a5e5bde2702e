#pragma once
// The telemetry model: OTLP traces and logs as plain values, every field of the specification kept
// (opentelemetry-proto 1.9: trace/v1, logs/v1, common/v1, resource/v1). No I/O, no wire knowledge:
// protobuf.h and json.h translate. Value types; not thread-safe; copying is deep.
//
// Times are nanoseconds since the Unix epoch, unsigned as on the wire.

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace contextcore::otlp {

// 16 and 8 bytes, big endian as sent. All zero means absent (parent) or invalid (id).
struct TraceId {
  std::array<uint8_t, 16> bytes{};
  bool empty() const { return *this == TraceId{}; }
  auto operator<=>(const TraceId&) const = default;
};
struct SpanId {
  std::array<uint8_t, 8> bytes{};
  bool empty() const { return *this == SpanId{}; }
  auto operator<=>(const SpanId&) const = default;
};

// Lower-case hexadecimal, fixed width (32 and 16 digits).
std::string to_hex(const TraceId& id);
std::string to_hex(const SpanId& id);
// Accepts 1..32 (1..16) hexadecimal digits of either case, left-padded with zeros. False otherwise.
bool parse_hex(std::string_view text, TraceId& out);
bool parse_hex(std::string_view text, SpanId& out);

struct KeyValue;
struct Value;
using Array = std::vector<Value>;
using KeyValueList = std::vector<KeyValue>;
struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};

// AnyValue. monostate = no value set.
struct Value {
  std::variant<std::monostate, std::string, bool, int64_t, double, Array, KeyValueList, Bytes> data;

  // Defined below KeyValue, which has to be complete for them.
  Value();
  Value(std::string v);       // NOLINT: implicit
  Value(std::string_view v);  // NOLINT: implicit
  Value(const char* v);       // NOLINT: implicit
  Value(bool v);              // NOLINT: implicit
  Value(int64_t v);           // NOLINT: implicit
  Value(int v);               // NOLINT: implicit
  Value(double v);            // NOLINT: implicit
  Value(Array v);             // NOLINT: implicit
  Value(KeyValueList v);      // NOLINT: implicit
  Value(Bytes v);             // NOLINT: implicit

  bool is_set() const { return !std::holds_alternative<std::monostate>(data); }
  const std::string* as_string() const { return std::get_if<std::string>(&data); }
  const bool* as_bool() const { return std::get_if<bool>(&data); }
  const int64_t* as_int() const { return std::get_if<int64_t>(&data); }
  const double* as_double() const { return std::get_if<double>(&data); }
  const Array* as_array() const { return std::get_if<Array>(&data); }
  const KeyValueList* as_kvlist() const { return std::get_if<KeyValueList>(&data); }
  const Bytes* as_bytes() const { return std::get_if<Bytes>(&data); }
  // Doubles compare by bits, so that NaN equals itself and a round trip can be checked.
  bool operator==(const Value& other) const;
};

struct KeyValue {
  std::string key;
  Value value;
  bool operator==(const KeyValue&) const = default;
};

inline Value::Value() = default;
inline Value::Value(std::string v) : data(std::move(v)) {}
inline Value::Value(std::string_view v) : data(std::string(v)) {}
inline Value::Value(const char* v) : data(std::string(v)) {}
inline Value::Value(bool v) : data(v) {}
inline Value::Value(int64_t v) : data(v) {}
inline Value::Value(int v) : data(static_cast<int64_t>(v)) {}
inline Value::Value(double v) : data(v) {}
inline Value::Value(Array v) : data(std::move(v)) {}
inline Value::Value(KeyValueList v) : data(std::move(v)) {}
inline Value::Value(Bytes v) : data(std::move(v)) {}

using Attributes = std::vector<KeyValue>;  // order and duplicates are kept as sent

// First value of a key, or nullptr.
const Value* find(const Attributes& attributes, std::string_view key);
// The string of a key, or "" when absent or of another type.
std::string_view find_string(const Attributes& attributes, std::string_view key);
// Replaces the first value of a key or appends it.
void set(Attributes& attributes, std::string_view key, Value value);
// Removes every value of a key. Call it qualified (otlp::erase): std::erase is found otherwise.
void erase(Attributes& attributes, std::string_view key);

struct EntityRef {
  std::string schema_url, type;
  std::vector<std::string> id_keys, description_keys;
  bool operator==(const EntityRef&) const = default;
};

struct Resource {
  Attributes attributes;
  uint32_t dropped_attributes_count = 0;
  std::vector<EntityRef> entity_refs;
  std::string schema_url;  // ResourceSpans.schema_url
  bool operator==(const Resource&) const = default;
};

struct Scope {
  std::string name, version;
  Attributes attributes;
  uint32_t dropped_attributes_count = 0;
  std::string schema_url;  // ScopeSpans.schema_url
  bool operator==(const Scope&) const = default;
};

// Numbers beyond the enum are kept as sent.
enum class SpanKind : int32_t {
  unspecified = 0,
  internal = 1,
  server = 2,
  client = 3,
  producer = 4,
  consumer = 5
};
enum class StatusCode : int32_t { unset = 0, ok = 1, error = 2 };

struct SpanEvent {
  uint64_t time_ns = 0;
  std::string name;
  Attributes attributes;
  uint32_t dropped_attributes_count = 0;
  bool operator==(const SpanEvent&) const = default;
};

struct SpanLink {
  TraceId trace_id;
  SpanId span_id;
  std::string trace_state;
  Attributes attributes;
  uint32_t dropped_attributes_count = 0;
  uint32_t flags = 0;
  bool operator==(const SpanLink&) const = default;
};

struct Span {
  TraceId trace_id;
  SpanId span_id;
  SpanId parent_span_id;
  std::string trace_state;
  uint32_t flags = 0;
  std::string name;
  SpanKind kind = SpanKind::unspecified;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;  // 0: not ended (our open spans) or missing (a foreign one)
  Attributes attributes;
  uint32_t dropped_attributes_count = 0;
  std::vector<SpanEvent> events;
  uint32_t dropped_events_count = 0;
  std::vector<SpanLink> links;
  uint32_t dropped_links_count = 0;
  StatusCode status_code = StatusCode::unset;
  std::string status_message;
  bool operator==(const Span&) const = default;
};

struct ScopeSpans {
  Scope scope;
  std::vector<Span> spans;
  bool operator==(const ScopeSpans&) const = default;
};
struct ResourceSpans {
  Resource resource;
  std::vector<ScopeSpans> scope_spans;
  bool operator==(const ResourceSpans&) const = default;
};
// ExportTraceServiceRequest = TracesData.
struct TracesData {
  std::vector<ResourceSpans> resource_spans;
  size_t span_count() const;
  bool operator==(const TracesData&) const = default;
};

struct LogRecord {
  uint64_t time_ns = 0;
  uint64_t observed_time_ns = 0;
  int32_t severity_number = 0;
  std::string severity_text;
  Value body;
  Attributes attributes;
  uint32_t dropped_attributes_count = 0;
  uint32_t flags = 0;
  TraceId trace_id;
  SpanId span_id;
  std::string event_name;
  bool operator==(const LogRecord&) const = default;
};
struct ScopeLogs {
  Scope scope;
  std::vector<LogRecord> records;
  bool operator==(const ScopeLogs&) const = default;
};
struct ResourceLogs {
  Resource resource;
  std::vector<ScopeLogs> scope_logs;
  bool operator==(const ResourceLogs&) const = default;
};
struct LogsData {
  std::vector<ResourceLogs> resource_logs;
  size_t record_count() const;
  bool operator==(const LogsData&) const = default;
};

}  // namespace contextcore::otlp
