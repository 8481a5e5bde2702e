#include "query/promql/check.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "query/common/regex.h"
#include "query/common/text.h"
#include "query/promql/functions.h"
#include "query/promql/parser.h"

namespace contextcore::promql {
namespace {

class Checker {
 public:
  explicit Checker(std::string_view query) : query_(query) {}

  Status check(const Expr& expr) const {
    return std::visit([&](const auto& node) { return check(node, expr); }, expr.node);
  }

 private:
  Error error(size_t at, const std::string& message) const { return parse_error(query_, at, message); }

  Status expect(const Expr& expr, ValueType type, const std::string& context) const {
    CC_TRY(check(expr));
    if (type_of(expr) == type) return {};
    return error(expr.start, "expected type " + std::string(documented_name(type)) + " in " + context + ", got " +
                                 std::string(documented_name(type_of(expr))));
  }

  Status check(const NumberLiteral&, const Expr&) const { return {}; }
  Status check(const StringLiteral&, const Expr&) const { return {}; }
  Status check(const VectorSelector& selector, const Expr& expr) const { return check(selector, expr.start); }
  Status check(const MatrixSelector& matrix, const Expr& expr) const { return check(matrix.selector, expr.start); }

  Status check(const VectorSelector& selector, size_t at) const {
    if (!selector.name.empty()) {
      for (size_t i = 0; i + 1 < selector.matchers.size(); ++i) {
        const Matcher& matcher = selector.matchers[i];
        if (matcher.name != query::kNameLabel) continue;
        return error(at, "metric name must not be set twice: " + query::quote(selector.name) + " or " +
                             query::quote(matcher.value));
      }
      return {};
    }
    if (std::all_of(selector.matchers.begin(), selector.matchers.end(), matches_empty)) {
      return error(at, "vector selector must contain at least one non-empty matcher");
    }
    return {};
  }

  Status check(const Subquery& subquery, const Expr& expr) const {
    CC_TRY(check(subquery.operand[0]));
    constexpr std::string_view kShortNames[] = {"scalar", "vector", "matrix", "string"};
    const ValueType type = type_of(subquery.operand[0]);
    if (type == ValueType::vector) return {};
    return error(expr.start, "subquery is only allowed on instant vector, got " +
                                 std::string(kShortNames[static_cast<size_t>(type)]) + " instead");
  }

  Status check(const Parentheses& parentheses, const Expr&) const { return check(parentheses.operand[0]); }

  Status check(const Unary& unary, const Expr& expr) const {
    CC_TRY(check(unary.operand[0]));
    const ValueType type = type_of(unary.operand[0]);
    if (type == ValueType::scalar || type == ValueType::vector) return {};
    return error(expr.start, "unary expression only allowed on expressions of type scalar or instant vector, got " +
                                 query::quote(documented_name(type)));
  }

  Status check(const Aggregation& aggregation, const Expr&) const {
    CC_TRY(expect(aggregation.operand[0], ValueType::vector, "aggregation expression"));
    if (aggregation.parameter.empty()) return {};
    const bool text = aggregation.op == AggregationOp::count_values;
    return expect(aggregation.parameter[0], text ? ValueType::string : ValueType::scalar, "aggregation parameter");
  }

  Status check(const Call& call, const Expr& expr) const {
    const Function& function = *call.function;
    const size_t given = call.arguments.size(), wanted = function.arguments.size();
    const std::string name =
        " argument(s) in call to " + query::quote(function.name) + ", got " + std::to_string(given);
    if (function.variadic == 0) {
      if (given != wanted) return error(expr.start, "expected " + std::to_string(wanted) + name);
    } else if (given + 1 < wanted) {
      return error(expr.start, "expected at least " + std::to_string(wanted - 1) + name);
    } else if (function.variadic > 0 && given > wanted - 1 + static_cast<size_t>(function.variadic)) {
      return error(expr.start,
                   "expected at most " + std::to_string(wanted - 1 + static_cast<size_t>(function.variadic)) + name);
    }
    for (size_t i = 0; i < given; ++i) {
      CC_TRY(expect(call.arguments[i], function.arguments[std::min(i, wanted - 1)],
                    "call to function " + query::quote(function.name)));
    }
    return {};
  }

  size_t operator_at(const BinaryOperation& binary) const {
    size_t at = binary.operands[0].end;
    while (at < query_.size() && (query_[at] == ' ' || query_[at] == '\t' || query_[at] == '\n' || query_[at] == '\r'))
      ++at;
    return at;
  }

  Status check(const BinaryOperation& binary, const Expr& expr) const {
    const Expr &left = binary.operands[0], &right = binary.operands[1];
    CC_TRY(check(left));
    CC_TRY(check(right));
    const ValueType l = type_of(left), r = type_of(right);
    if (binary.return_bool && !query::is_comparison(binary.op)) {
      return error(operator_at(binary), "bool modifier can only be used on comparison operators");
    }
    if (query::is_comparison(binary.op) && !binary.return_bool && l == ValueType::scalar && r == ValueType::scalar) {
      return error(operator_at(binary), "comparisons between scalars must use BOOL modifier");
    }
    CC_TRY(check_labels(binary));
    for (const Expr* side : {&left, &right}) {
      const ValueType type = type_of(*side);
      if (type != ValueType::scalar && type != ValueType::vector) {
        return error(side->start, "binary expression must contain only scalar and instant vector types");
      }
    }
    return check_matching(binary, expr, l == ValueType::vector && r == ValueType::vector);
  }

  Status check_labels(const BinaryOperation& binary) const {
    if (!binary.matching || !binary.matching->on) return {};
    const auto& include = binary.matching->include;
    for (const std::string& label : binary.matching->labels) {
      if (std::find(include.begin(), include.end(), label) == include.end()) continue;
      return error(operator_at(binary),
                   "label " + query::quote(label) + " must not occur in ON and GROUP clause at once");
    }
    return {};
  }

  Status check_matching(const BinaryOperation& binary, const Expr& expr, bool vectors) const {
    const bool set = query::is_set_operation(binary.op);
    const std::string name = query::quote(query::name_of(binary.op));
    if (!vectors) {
      if (binary.matching && !binary.matching->labels.empty()) {
        return error(expr.start, "vector matching only allowed between instant vectors");
      }
      if (set) return error(expr.start, "set operator " + name + " not allowed in binary scalar expression");
    } else if (set && binary.matching && binary.matching->cardinality != VectorMatching::Cardinality::one_to_one) {
      return error(expr.start, "no grouping allowed for " + name + " operation");
    }
    return {};
  }

  std::string_view query_;
};

}  // namespace

Status check(const Expr& expr, std::string_view query) { return Checker(query).check(expr); }

bool matches_empty(const Matcher& matcher) {
  switch (matcher.op) {
    case MatchOp::equal:
      return matcher.value.empty();
    case MatchOp::not_equal:
      return !matcher.value.empty();
    case MatchOp::regex:
    case MatchOp::not_regex:
      break;
  }
  const auto regex = query::Regex::compile(matcher.value);
  return regex.ok() && regex->matches("") == (matcher.op == MatchOp::regex);
}

}  // namespace contextcore::promql
