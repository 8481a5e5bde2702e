#pragma once
// PromQL, the query language of Prometheus 3 and Mimir: from text to answers over metrics.
//
// Start here: ast.h (what a query is) → parser.h (text to AST, with checks of types; print.h goes back) → engine.h
// (queries over a MetricSource of the store).
//
// Invariants: an Expr made by parse() is well typed, its regular expressions compile, its height is at most
// kExprHeightMax. print() of it parses to an equal Expr. Nodes are plain values; recursive ones hold their operands in
// vectors. What the original has behind feature flags is refused as the original refuses it without them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/vector/match.h"
#include "query/vector/series.h"

namespace contextcore::promql {

using query::BinaryOp;
using query::Grouping;
using query::VectorMatching;

// Of expressions inside each other.
constexpr int kExprHeightMax = 200;

enum class ValueType : uint8_t { scalar, vector, matrix, string };
// "scalar", "instant vector", "range vector", "string"
std::string_view documented_name(ValueType type);

enum class MatchOp : uint8_t { equal, not_equal, regex, not_regex };
const char* name_of(MatchOp op);

// name op "value"; a regular expression is anchored at both ends.
struct Matcher {
  std::string name;
  MatchOp op = MatchOp::equal;
  std::string value;
  bool operator==(const Matcher&) const = default;
};

// offset 5m, @ 1609746000, @ start(), @ end()
struct TimeShift {
  enum class At : uint8_t { none, time, start, end };
  int64_t offset_ms = 0;
  At at = At::none;
  int64_t at_ms = 0;
  bool operator==(const TimeShift&) const = default;
};

struct Expr;

struct NumberLiteral {
  double value = 0;
  bool duration = false;  // written as one
  // NaN equals itself here, so that trees can be compared.
  bool operator==(const NumberLiteral& other) const {
    return duration == other.duration && (value == other.value || (value != value && other.value != other.value));
  }
};
struct StringLiteral {
  std::string value;
  bool operator==(const StringLiteral&) const = default;
};
struct VectorSelector {
  std::string name;               // written before the braces; a matcher of __name__ besides
  std::vector<Matcher> matchers;  // as written; that of name last
  TimeShift shift;
  bool operator==(const VectorSelector&) const = default;
};
struct MatrixSelector {
  VectorSelector selector;
  int64_t range_ms = 0;
  bool operator==(const MatrixSelector&) const = default;
};
struct Subquery {
  std::vector<Expr> operand;  // one
  int64_t range_ms = 0;
  int64_t step_ms = 0;  // 0: the server's
  TimeShift shift;
  bool operator==(const Subquery&) const;
};
struct Function;  // functions.h
struct Call {
  const Function* function = nullptr;
  std::vector<Expr> arguments;
  bool operator==(const Call&) const;
};
enum class AggregationOp : uint8_t {
  sum,
  avg,
  count,
  min,
  max,
  group,
  stddev,
  stdvar,
  topk,
  bottomk,
  count_values,
  quantile,
};
const char* name_of(AggregationOp op);
constexpr bool has_parameter(AggregationOp op) { return op >= AggregationOp::topk; }
struct Aggregation {
  AggregationOp op = AggregationOp::sum;
  Grouping grouping;            // by () where there is none
  std::vector<Expr> parameter;  // one, if it has one
  std::vector<Expr> operand;    // one
  bool operator==(const Aggregation&) const;
};
struct BinaryOperation {
  BinaryOp op = BinaryOp::add;
  bool return_bool = false;
  std::optional<VectorMatching> matching;  // of two vectors, where something is said
  std::vector<Expr> operands;              // two
  bool operator==(const BinaryOperation&) const;
};
struct Unary {
  bool negative = false;
  std::vector<Expr> operand;  // one; no number
  bool operator==(const Unary&) const;
};
struct Parentheses {
  std::vector<Expr> operand;  // one
  bool operator==(const Parentheses&) const;
};

struct Expr {
  std::variant<NumberLiteral, StringLiteral, VectorSelector, MatrixSelector, Subquery, Call, Aggregation,
               BinaryOperation, Unary, Parentheses>
      node;
  size_t start = 0, end = 0;  // bytes of the text; not part of what is compared
  bool operator==(const Expr& other) const { return node == other.node; }
};
inline bool Subquery::operator==(const Subquery&) const = default;
inline bool Call::operator==(const Call&) const = default;
inline bool Aggregation::operator==(const Aggregation&) const = default;
inline bool BinaryOperation::operator==(const BinaryOperation&) const = default;
inline bool Unary::operator==(const Unary&) const = default;
inline bool Parentheses::operator==(const Parentheses&) const = default;

ValueType type_of(const Expr& expr);
// What parentheses hold, however many.
const Expr& without_parentheses(const Expr& expr);
// The operands and arguments, left to right.
std::vector<const Expr*> children_of(const Expr& expr);

}  // namespace contextcore::promql
