#pragma once
// LogQL, Loki's query language: from text to answers over the store's logs.
//
// Start here: ast.h (what a query is) → parser.h (text to AST, with validation; print.h goes back)
// → pipeline.h (stages over one entry) → engine.h (queries over the store).
//
// Invariants: an Expr made by parse() is valid: its regular expressions compile, its patterns
// parse, literal operations are folded, its height is at most kExprHeightMax. print() of it parses
// to an equal Expr. Nodes are plain values; recursive ones hold their operands in vectors.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "query/vector/match.h"
#include "query/vector/series.h"

namespace contextcore::logql {

// Of expressions and of label filters each. Their canonical text nests at most twice as deep, plus
// one.
constexpr int kExprHeightMax = 100;
// How deep the parser follows nesting in text.
constexpr int kParseDepthMax = 4 * kExprHeightMax + 10;

// ---- selectors and pipeline stages ----

enum class MatchOp : uint8_t { equal, not_equal, regex, not_regex };

// name op "value"; a regular expression is anchored at both ends.
struct Matcher {
  std::string name;
  MatchOp op = MatchOp::equal;
  std::string value;
  bool operator==(const Matcher&) const = default;
};

enum class LineOp : uint8_t { contains, not_contains, regex, not_regex, pattern, not_pattern };

// |= "a" or "b": any operand suffices. Negated operators have one operand each (`!= "a" or "b"`
// parses to two filters).
struct LineFilter {
  struct Operand {
    std::string text;
    bool ip = false;  // ip("...")
    bool operator==(const Operand&) const = default;
  };
  LineOp op = LineOp::contains;
  std::vector<Operand> operands;
  bool operator==(const LineFilter&) const = default;
};

enum class CompareOp : uint8_t { equal, not_equal, greater, greater_equal, less, less_equal };

struct NumberFilter {
  std::string name;
  CompareOp op = CompareOp::equal;
  double value = 0;
  bool operator==(const NumberFilter&) const = default;
};
struct DurationFilter {
  std::string name;
  CompareOp op = CompareOp::equal;
  int64_t value_ns = 0;
  bool operator==(const DurationFilter&) const = default;
};
struct BytesFilter {
  std::string name;
  CompareOp op = CompareOp::equal;
  uint64_t value_bytes = 0;
  bool operator==(const BytesFilter&) const = default;
};
struct IpFilter {
  std::string name;
  bool negated = false;
  std::string pattern;
  bool operator==(const IpFilter&) const = default;
};
struct LabelFilter;
struct LabelFilterGroup {
  bool any = false;                   // or; else and
  std::vector<LabelFilter> operands;  // two or more; none of them a group of the same kind
  bool operator==(const LabelFilterGroup&) const;
};
struct LabelFilter {
  std::variant<Matcher, NumberFilter, DurationFilter, BytesFilter, IpFilter, LabelFilterGroup> node;
  bool operator==(const LabelFilter&) const = default;
};
inline bool LabelFilterGroup::operator==(const LabelFilterGroup&) const = default;

// label="path" of json and logfmt.
struct Extraction {
  std::string label;
  std::string path;
  bool operator==(const Extraction&) const = default;
};
struct JsonStage {
  std::vector<Extraction> extractions;  // empty: everything
  bool operator==(const JsonStage&) const = default;
};
struct LogfmtStage {
  bool strict = false;
  bool keep_empty = false;
  std::vector<Extraction> extractions;  // empty: everything
  bool operator==(const LogfmtStage&) const = default;
};
struct RegexpStage {
  std::string regex;
  bool operator==(const RegexpStage&) const = default;
};
struct PatternStage {
  std::string pattern;
  bool operator==(const PatternStage&) const = default;
};
struct UnpackStage {
  bool operator==(const UnpackStage&) const = default;
};
struct DecolorizeStage {
  bool operator==(const DecolorizeStage&) const = default;
};
struct LineFormatStage {
  std::string text;  // a Go text/template
  bool operator==(const LineFormatStage&) const = default;
};
struct LabelFormatStage {
  struct Assignment {
    std::string name;
    bool rename = false;  // name=source, else name="template"
    std::string value;
    bool operator==(const Assignment&) const = default;
  };
  std::vector<Assignment> assignments;
  bool operator==(const LabelFormatStage&) const = default;
};
// An operand of drop and keep: a name, or a matcher that acts only on matching values.
struct LabelChoice {
  std::string name;
  std::optional<Matcher> matcher;
  bool operator==(const LabelChoice&) const = default;
};
struct DropStage {
  std::vector<LabelChoice> labels;
  bool operator==(const DropStage&) const = default;
};
struct KeepStage {
  std::vector<LabelChoice> labels;
  bool operator==(const KeepStage&) const = default;
};

using Stage = std::variant<LineFilter, LabelFilter, JsonStage, LogfmtStage, RegexpStage,
                           PatternStage, UnpackStage, DecolorizeStage, LineFormatStage,
                           LabelFormatStage, DropStage, KeepStage>;

struct LogSelector {
  std::vector<Matcher> matchers;
  std::vector<Stage> stages;
  bool operator==(const LogSelector&) const = default;
};

// ---- metrics ----

enum class Conversion : uint8_t { none, bytes, duration, duration_seconds };

struct Unwrap {
  std::string label;
  Conversion conversion = Conversion::none;
  std::vector<LabelFilter> filters;  // applied after the conversion
  bool operator==(const Unwrap&) const = default;
};

struct LogRange {
  LogSelector selector;
  std::optional<Unwrap> unwrap;
  int64_t range_ns = 0;
  int64_t offset_ns = 0;
  bool operator==(const LogRange&) const = default;
};

using query::Grouping;

enum class RangeOp : uint8_t {
  count,
  rate,
  bytes,
  bytes_rate,
  absent,
  rate_counter,
  sum,
  avg,
  max,
  min,
  first,
  last,
  stdvar,
  stddev,
  quantile,
};

struct RangeAggregation {
  RangeOp op = RangeOp::count;
  std::optional<double> parameter;  // quantile
  LogRange range;
  std::optional<Grouping> grouping;  // by () makes one series, none keeps them apart
  bool operator==(const RangeAggregation&) const = default;
};

enum class VectorOp : uint8_t {
  sum,
  avg,
  max,
  min,
  count,
  stddev,
  stdvar,
  bottomk,
  topk,
  approx_topk,
  sort,
  sort_desc,
};

struct Expr;

struct VectorAggregation {
  VectorOp op = VectorOp::sum;
  std::optional<int64_t> parameter;  // topk, bottomk, approx_topk
  std::optional<Grouping> grouping;  // none: one series (by () is stored as none)
  std::vector<Expr> operand;         // one
  bool operator==(const VectorAggregation&) const;
};

using query::BinaryOp;
using query::VectorMatching;

struct BinaryOperation {
  BinaryOp op = BinaryOp::add;
  bool return_bool = false;
  std::optional<VectorMatching> matching;
  std::vector<Expr> operands;  // two, not both literals
  bool operator==(const BinaryOperation&) const;
};

struct LabelReplace {
  std::vector<Expr> operand;  // one
  std::string destination, replacement, source, regex;
  bool operator==(const LabelReplace&) const;
};

struct Literal {
  double value = 0;
  // NaN equals itself here, so that trees can be compared.
  bool operator==(const Literal& other) const {
    return value == other.value || (value != value && other.value != other.value);
  }
};

// vector(n)
struct VectorLiteral {
  double value = 0;
  bool operator==(const VectorLiteral&) const = default;
};

struct Expr {
  std::variant<LogSelector, RangeAggregation, VectorAggregation, BinaryOperation, LabelReplace,
               Literal, VectorLiteral>
      node;
  bool operator==(const Expr&) const = default;
  bool is_log() const { return std::holds_alternative<LogSelector>(node); }
};
inline bool VectorAggregation::operator==(const VectorAggregation&) const = default;
inline bool BinaryOperation::operator==(const BinaryOperation&) const = default;
inline bool LabelReplace::operator==(const LabelReplace&) const = default;

// Names as written in queries.
const char* name_of(MatchOp op);
const char* name_of(LineOp op);
const char* name_of(CompareOp op);
const char* name_of(Conversion conversion);
const char* name_of(RangeOp op);
const char* name_of(VectorOp op);
using query::name_of;

}  // namespace contextcore::logql
