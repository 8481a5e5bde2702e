#pragma once
// TraceQL, the query language over traces: from text to matched spans of the store.
//
// Start here: ast.h (what a query is) → parser.h (text to AST) → validate.h (types) → printer.h
// (AST to canonical text) → engine.h (queries over the store).
//
// Invariants: the AST of parse() is at most kHeightMax (inside braces) and kPipelineHeightMax
// (above) high, so recursion over it is safe; printing it gives text that parses to an equal AST.
// Nodes are plain values that hold their operands in vectors; positions (byte offsets into the
// query) and heights take no part in comparison.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace contextcore::traceql {

// Low enough that the canonical text, which may have a parenthesis or two for each level, stays
// below ParseOptions::nesting_max.
constexpr int kHeightMax = 128;
// The same for spansets, aggregates and metrics above braces.
constexpr int kPipelineHeightMax = 64;

// A number about a node that is not part of its meaning: equal to every other.
template <typename T>
struct Note {
  T value{};
  bool operator==(const Note&) const { return true; }
};
using Position = Note<uint32_t>;
using Height = Note<int>;

enum class Operator : uint8_t {
  none,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  power,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  regex,
  not_regex,
  logical_and,  // between expressions and between spansets
  logical_or,
  negate,       // -x
  logical_not,  // !x
  exists,       // x != nil
  not_exists,   // x = nil
  // between spansets; {A} op {B}
  child,
  parent,
  descendant,
  ancestor,
  sibling,
  not_child,
  not_parent,
  not_descendant,
  not_ancestor,
  not_sibling,
  union_child,
  union_parent,
  union_descendant,
  union_ancestor,
  union_sibling,
};
std::string_view symbol(Operator op);
bool is_arithmetic(Operator op);
bool is_comparison(Operator op);  // = != < <= > >= =~ !~
bool is_boolean(Operator op);     // its result is true or false
bool is_structural(Operator op);

// ---- values and fields ----

struct Nil {
  bool operator==(const Nil&) const = default;
};
struct Duration {
  int64_t ns = 0;
  bool operator==(const Duration&) const = default;
};
enum class SpanStatus : uint8_t { error, ok, unset };
enum class SpanKind : uint8_t { unspecified, internal, client, server, producer, consumer };
std::string_view word(SpanStatus status);
std::string_view word(SpanKind kind);

using Static =
    std::variant<Nil, int64_t, double, std::string, bool, Duration, SpanStatus, SpanKind>;

enum class Scope : uint8_t { none, span, resource, event, link, instrumentation };
std::string_view word(Scope scope);

enum class Intrinsic : uint8_t {
  none,
  duration,
  name,
  status,
  status_message,
  kind,
  child_count,
  span_id,
  parent_id,
  root_name,
  root_service,
  trace_duration,
  trace_id,
  event_name,
  event_time_since_start,
  link_trace_id,
  link_span_id,
  instrumentation_name,
  instrumentation_version,
  nested_set_left,
  nested_set_right,
  nested_set_parent,
  parent,
};
// The form in which Tempo prints it, which is also the label key of results: "duration", "span:id".
std::string_view word(Intrinsic intrinsic);

// An intrinsic, or an attribute of a scope.
struct Attribute {
  Scope scope = Scope::none;
  bool of_parent = false;  // parent.x; parses, not supported
  Intrinsic intrinsic = Intrinsic::none;
  std::string name;  // of an attribute; empty for intrinsics
  Position position;
  bool operator==(const Attribute&) const = default;
};

// What is known of a value before there is a span. attribute: only the span knows.
enum class Type : uint8_t {
  nil,
  attribute,
  integer,
  real,
  string,
  boolean,
  duration,
  status,
  kind
};
Type type_of(const Static& value);
Type type_of(const Attribute& attribute);
inline bool is_numeric(Type type) {
  return type == Type::integer || type == Type::real || type == Type::duration;
}

// A literal (no operands, op none), a field (likewise), or an operation. && and || hold their whole
// chain: a || b || c is one node with three operands.
struct FieldExpr {
  std::variant<Static, Attribute> leaf;
  Operator op = Operator::none;
  std::vector<FieldExpr> operands;
  Position position;
  Height height{1};

  bool is_literal() const { return op == Operator::none && leaf.index() == 0; }
  bool is_attribute() const { return op == Operator::none && leaf.index() == 1; }
  const Static& literal() const { return std::get<Static>(leaf); }
  const Attribute& attribute() const { return std::get<Attribute>(leaf); }
  bool operator==(const FieldExpr&) const = default;
};
bool references_span(const FieldExpr& expr);
Type type_of(const FieldExpr& expr);

// ---- pipelines ----

struct Pipeline;

// { filter }, an operation between two spansets, or a pipeline in parentheses.
struct SpansetExpr {
  std::optional<FieldExpr> filter;
  Operator op = Operator::none;
  std::vector<SpansetExpr> operands;
  std::vector<Pipeline> pipeline;  // at most one
  Position position;
  Height height{1};
  bool operator==(const SpansetExpr&) const = default;
};

enum class AggregateFunction : uint8_t { count, avg, min, max, sum };
std::string_view word(AggregateFunction function);

struct Aggregate {
  AggregateFunction function = AggregateFunction::count;
  std::optional<FieldExpr> argument;  // none for count()
  Position position;
  bool operator==(const Aggregate&) const = default;
};

// ({…} | count()): a pipeline that ends in a number.
struct ScalarPipeline;

struct ScalarExpr {
  std::variant<Static, Aggregate> leaf;
  Operator op = Operator::none;
  std::vector<ScalarExpr> operands;
  std::vector<ScalarPipeline> pipeline;  // at most one; then leaf means nothing
  Position position;
  Height height{1};
  bool is_literal() const { return op == Operator::none && pipeline.empty() && leaf.index() == 0; }
  bool is_aggregate() const {
    return op == Operator::none && pipeline.empty() && leaf.index() == 1;
  }
  bool operator==(const ScalarExpr&) const = default;
};

struct ScalarFilter {
  Operator op = Operator::none;
  ScalarExpr left, right;
  Position position;
  bool operator==(const ScalarFilter&) const = default;
};
struct GroupBy {
  FieldExpr expr;
  Position position;
  bool operator==(const GroupBy&) const = default;
};
struct Coalesce {
  bool operator==(const Coalesce&) const = default;
};
struct Select {
  std::vector<Attribute> attributes;
  bool operator==(const Select&) const = default;
};
using Stage = std::variant<SpansetExpr, ScalarFilter, GroupBy, Coalesce, Select>;

struct Pipeline {
  std::vector<Stage> stages;
  bool operator==(const Pipeline&) const = default;
};
struct ScalarPipeline {
  Pipeline pipeline;
  Aggregate aggregate;
  bool operator==(const ScalarPipeline&) const = default;
};

// ---- metrics ----

enum class MetricsFunction : uint8_t {
  rate,
  count_over_time,
  min_over_time,
  max_over_time,
  avg_over_time,
  sum_over_time,
  quantile_over_time,
  histogram_over_time,
  compare,
};
std::string_view word(MetricsFunction function);

struct Metrics {
  MetricsFunction function = MetricsFunction::rate;
  std::optional<Attribute> attribute;
  std::vector<double> quantiles;
  std::vector<Attribute> by;
  std::optional<SpansetExpr> selection;  // compare
  int64_t top = 10;                      // compare
  int64_t start_ns = 0, end_ns = 0;      // compare; both 0: not given
  Position position;
  bool operator==(const Metrics&) const = default;
};

// | topk(n), | bottomk(n), or a comparison with a number. A duration counts as seconds.
struct SecondStage {
  enum class Function : uint8_t { topk, bottomk, filter };
  Function function = Function::filter;
  int64_t limit = 0;
  Operator op = Operator::none;
  Static value;
  Position position;
  bool operator==(const SecondStage&) const = default;
};

struct MetricsPipeline {
  Pipeline pipeline;
  Metrics metrics;
  std::vector<SecondStage> stages;
  bool operator==(const MetricsPipeline&) const = default;
};

// A metrics pipeline, a number, or arithmetic between two of them.
struct MetricsExpr {
  std::variant<Static, MetricsPipeline> leaf;
  Operator op = Operator::none;
  std::vector<MetricsExpr> operands;
  Position position;
  Height height{1};
  bool operator==(const MetricsExpr&) const = default;
};

struct MetricsQuery {
  MetricsExpr expr;
  std::vector<SecondStage> stages;  // after arithmetic; those of one pipeline stand there
  bool operator==(const MetricsQuery&) const = default;
};

// ---- queries ----

struct Hint {
  std::string name;
  Static value;
  bool operator==(const Hint&) const = default;
};

// A trailing aggregate gives a number instead of spans: {…} | count() by (span.x). Not in Tempo.
struct TrailingAggregate {
  Aggregate aggregate;
  std::vector<Attribute> by;
  bool operator==(const TrailingAggregate&) const = default;
};

// A place where the query uses what Tempo's grammar does not have.
struct Extension {
  Position position;
  std::string text;      // as written
  std::string standard;  // how Tempo writes it; empty when it cannot
  bool operator==(const Extension&) const { return true; }
};

struct Query {
  std::variant<Pipeline, MetricsQuery> body;
  std::optional<TrailingAggregate> trailing;  // with a Pipeline body only
  std::vector<Hint> hints;
  std::vector<Extension> extensions;  // no part of comparison
  bool is_metrics() const { return body.index() == 1; }
  // REQUIRES: !is_metrics()
  const Pipeline& pipeline() const { return std::get<Pipeline>(body); }
  bool operator==(const Query& other) const {
    return body == other.body && trailing == other.trailing && hints == other.hints;
  }
};

}  // namespace contextcore::traceql
