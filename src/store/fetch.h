#pragma once
// The whole contract between the store and the query languages: one request for spans, one for
// logs, against one snapshot. The store may answer with a superset of what the conditions ask for
// (it prunes by zone maps, dictionaries and indexes); the engine evaluates its own expression on
// what comes back. The store knows no query language; the engines know no file.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "otlp/model.h"

namespace contextcore::store {

// ---- spans
// ---------------------------------------------------------------------------------------

enum class ColumnScope : uint8_t { span, resource, event, link, instrumentation };

// An attribute column that the engine wants to read.
struct Column {
  ColumnScope scope = ColumnScope::span;
  std::string key;
  bool operator==(const Column&) const = default;
};

// What is stored of every span, whatever its attributes. Borrowed from the view.
struct SpanCore {
  otlp::SpanId span_id;
  otlp::SpanId parent_span_id;  // empty: root
  int64_t start_ns = 0;
  int64_t end_ns = 0;  // an open span of ours: the snapshot's now; foreign without end: start
  otlp::SpanKind kind = otlp::SpanKind::unspecified;
  otlp::StatusCode status = otlp::StatusCode::unset;
  bool open = false;     // of the journal and not ended
  bool journal = false;  // written by the work journal (not received)
  std::string_view name;
  std::string_view status_message;
  std::string_view scope_name;
  std::string_view scope_version;
};

// One attribute value, borrowed. nil: the span has no such attribute.
struct Cell {
  enum class Type : uint8_t {
    nil,
    string,
    boolean,
    integer,
    real,
    array,
    other
  };  // other: bytes, kvlist, unset
  Type type = Type::nil;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string_view string;
  const otlp::Value* value = nullptr;  // array and other

  static Cell of(const otlp::Value* value);  // nullptr gives nil; borrows from value
};

struct EventCore {
  std::string_view name;
  int64_t time_ns = 0;
};
struct LinkCore {
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
};

// All visible spans of one trace, newest revisions only, in (start, span id) order. Valid until the
// iterator moves. column = index into FetchRequest::columns, of the scope that the call names.
class TraceView {
 public:
  virtual ~TraceView() = default;
  virtual const otlp::TraceId& trace_id() const = 0;
  virtual size_t span_count() const = 0;
  virtual const SpanCore& core(size_t span) const = 0;
  virtual Cell cell(size_t span,
                    size_t column) const = 0;         // scopes span, resource, instrumentation
  virtual size_t event_count(size_t span) const = 0;  // 0 unless with_events was requested
  virtual EventCore event(size_t span, size_t event) const = 0;
  virtual Cell event_cell(size_t span, size_t event, size_t column) const = 0;
  virtual size_t link_count(size_t span) const = 0;
  virtual LinkCore link(size_t span, size_t link) const = 0;
  virtual Cell link_cell(size_t span, size_t link, size_t column) const = 0;
};

class TraceIterator {
 public:
  virtual ~TraceIterator() = default;
  // The next trace, nullptr at the end. Newest trace start first, ties by ascending trace id.
  virtual Result<const TraceView*> next() = 0;
};

enum class SpanField : uint8_t {  // what a condition can look at besides attributes
  attribute,
  name,
  kind,
  status,
  status_message,
  duration,
  start,
  end,
  span_id,
  parent_span_id,
  trace_id,  // operands: lower-case hex of full width
  scope_name,
  scope_version,
  event_name,
  link_trace_id,
  link_span_id,
};

enum class Op : uint8_t {
  exists,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  regex,
  not_regex
};

// kind and status are compared as their OTLP numbers, durations and times as nanoseconds.
using Operand = std::variant<std::string, int64_t, double, bool>;

// True for a span when its value (any element of an array, any event, any link) satisfies op with
// any operand. A missing attribute satisfies nothing. regex operands are RE2, fully anchored, dot =
// all.
struct Condition {
  SpanField field = SpanField::attribute;
  Column column;  // for SpanField::attribute
  Op op = Op::exists;
  std::vector<Operand> operands;
};

struct TimeRange {  // closed; the default is all time
  int64_t start_ns = INT64_MIN;
  int64_t end_ns = INT64_MAX;
};

struct FetchRequest {
  TimeRange range;                    // traces with a span that overlaps it
  std::vector<Condition> conditions;  // empty: every trace
  bool all_conditions = false;  // some span satisfies all (true) / some span satisfies any (false)
  std::vector<Column> columns;  // what cell() and its kin will be asked for
  bool with_events = false;     // event_count() and event() are needed
  bool with_links = false;
};

// ---- names and values of attributes
// ---------------------------------------------------------------

// Which spans are looked at: those that overlap the range and satisfy all conditions.
struct SpanSelection {
  TimeRange range;
  std::vector<Condition> conditions;
};

// ---- logs
// ----------------------------------------------------------------------------------------
//
// A log record as LogQL sees it (the rules Loki has for OTLP): stream labels from these resource
// attributes: service.name service.namespace service.instance.id deployment.environment
// deployment.environment.name cloud.region cloud.availability_zone k8s.cluster.name
// k8s.namespace.name k8s.pod.name k8s.container.name container.name k8s.replicaset.name
// k8s.deployment.name k8s.statefulset.name k8s.daemonset.name k8s.cronjob.name k8s.job.name, and
// ours: service job project.id; characters outside [a-zA-Z0-9_:] become '_'; without service.name:
// "unknown_service". Structured metadata: the other resource attributes, scope_name, scope_version,
// scope attributes, the record's attributes (names made valid likewise, nested values joined by
// '_'), severity_number, severity_text, trace_id, span_id, flags, observed_timestamp,
// detected_level. Line: the body; a body that is not a string as JSON text.

using LabelPairs = std::vector<std::pair<std::string, std::string>>;  // sorted by name

struct LogEntry {
  int64_t time_ns = 0;                 // the record's time, else its observed time
  const LabelPairs* stream = nullptr;  // same pointer for the same stream within one iterator
  std::string_view line;
  const LabelPairs* metadata = nullptr;
  bool journal = false;   // written by the work journal
  uint64_t sequence = 0;  // of the transaction it came with
};

class LogIterator {
 public:
  virtual ~LogIterator() = default;
  // False at the end. What entry points to is valid until the next call (stream: of the iterator).
  virtual Result<bool> next(LogEntry& entry) = 0;
};

struct LogFetchRequest {
  int64_t start_ns = INT64_MIN;  // start_ns ≤ time
  int64_t end_ns = INT64_MAX;    // time < end_ns; INT64_MAX: no end
  // Asked once per distinct stream; empty: all streams.
  std::function<bool(const LabelPairs&)> stream_filter;
  // Every one of these occurs in the line (case-sensitive). A superset may come back.
  std::vector<std::string> line_contains;
  bool backward = true;  // newest first; ties in the order of arrival (backward: reversed)
  bool journal_only = false;
  // Only what came with later transactions than this one, and in the order of arrival (backward is
  // ignored): what a follower has not seen yet. Costs nothing when there is nothing new.
  std::optional<uint64_t> after_sequence;
};

// ---- snapshot
// ------------------------------------------------------------------------------------

// One consistent state: never two revisions of a span, half a transaction, or a step back.
// Thread-safe. Iterators must not outlive it.
class Source {
 public:
  virtual ~Source() = default;
  virtual int64_t now_ns() const = 0;
  virtual Result<std::unique_ptr<TraceIterator>> fetch(const FetchRequest& request) const = 0;
  // For answers that look at one span at a time: every span that may satisfy the conditions and overlaps the range is in
  // some view, in any order; what else is in a view is no matter, and a trace may come in many views. Costs less than
  // whole traces. REQUIRES: no events are wanted
  virtual Result<std::unique_ptr<TraceIterator>> fetch_spans(const FetchRequest& request) const {
    return fetch(request);
  }
  virtual Result<std::unique_ptr<LogIterator>> fetch_logs(const LogFetchRequest& request) const = 0;
  // The attributes that some span of the selection has, each once. Events of work spans are looked at in the newest
  // traces only, since they lie in the log.
  virtual Result<std::vector<Column>> attributes(const SpanSelection&) const {
    return Error{Code::unsupported, "names of attributes not yet supported", {}, {}, {}};
  }
  // Calls each for the values that spans of the selection have of a field (column: of SpanField::attribute), some of
  // them more than once, until it returns false. Fields are name, kind, status, status_message, scope_name,
  // scope_version, event_name and attribute. Read from dictionaries wherever there are some.
  virtual Status values(const SpanSelection&, SpanField, const Column&, const std::function<bool(const Cell&)>&) const {
    return Error{Code::unsupported, "values of attributes not yet supported", {}, {}, {}};
  }
  // The distinct streams with an entry in [start, end).
  virtual Result<std::vector<LabelPairs>> streams(int64_t start_ns, int64_t end_ns) const = 0;
  // The whole trace with every field, events of work spans joined, grouped by resource and scope in
  // order of start; nullopt when there is none. Follows the forward of a trace that has moved.
  virtual Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId& id) const = 0;
  // Where that forward leads, whether or not spans are left in the trace.
  virtual std::optional<otlp::TraceId> forward(const otlp::TraceId&) const { return std::nullopt; }
};

}  // namespace contextcore::store
