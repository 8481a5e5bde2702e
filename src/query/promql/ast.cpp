#include "query/promql/ast.h"

#include "query/promql/functions.h"

namespace contextcore::promql {

std::string_view documented_name(ValueType type) {
  constexpr std::string_view kNames[] = {"scalar", "instant vector", "range vector", "string"};
  return kNames[static_cast<size_t>(type)];
}

const char* name_of(MatchOp op) {
  constexpr const char* kNames[] = {"=", "!=", "=~", "!~"};
  return kNames[static_cast<size_t>(op)];
}

const char* name_of(AggregationOp op) {
  constexpr const char* kNames[] = {"sum",    "avg",    "count", "min",     "max",          "group",
                                    "stddev", "stdvar", "topk",  "bottomk", "count_values", "quantile"};
  return kNames[static_cast<size_t>(op)];
}

namespace {

struct TypeOf {
  ValueType operator()(const NumberLiteral&) const { return ValueType::scalar; }
  ValueType operator()(const StringLiteral&) const { return ValueType::string; }
  ValueType operator()(const VectorSelector&) const { return ValueType::vector; }
  ValueType operator()(const MatrixSelector&) const { return ValueType::matrix; }
  ValueType operator()(const Subquery&) const { return ValueType::matrix; }
  ValueType operator()(const Call& call) const { return call.function->result; }
  ValueType operator()(const Aggregation&) const { return ValueType::vector; }
  ValueType operator()(const BinaryOperation& binary) const {
    const bool scalars =
        type_of(binary.operands[0]) == ValueType::scalar && type_of(binary.operands[1]) == ValueType::scalar;
    return scalars ? ValueType::scalar : ValueType::vector;
  }
  ValueType operator()(const Unary& unary) const { return type_of(unary.operand[0]); }
  ValueType operator()(const Parentheses& parentheses) const { return type_of(parentheses.operand[0]); }
};

void append(std::vector<const Expr*>& out, const std::vector<Expr>& operands) {
  for (const Expr& operand : operands) out.push_back(&operand);
}

}  // namespace

ValueType type_of(const Expr& expr) { return std::visit(TypeOf{}, expr.node); }

const Expr& without_parentheses(const Expr& expr) {
  const Expr* inner = &expr;
  while (const auto* parentheses = std::get_if<Parentheses>(&inner->node)) inner = &parentheses->operand[0];
  return *inner;
}

std::vector<const Expr*> children_of(const Expr& expr) {
  std::vector<const Expr*> out;
  if (const auto* subquery = std::get_if<Subquery>(&expr.node)) append(out, subquery->operand);
  if (const auto* call = std::get_if<Call>(&expr.node)) append(out, call->arguments);
  if (const auto* aggregation = std::get_if<Aggregation>(&expr.node)) {
    append(out, aggregation->parameter);
    append(out, aggregation->operand);
  }
  if (const auto* binary = std::get_if<BinaryOperation>(&expr.node)) append(out, binary->operands);
  if (const auto* unary = std::get_if<Unary>(&expr.node)) append(out, unary->operand);
  if (const auto* parentheses = std::get_if<Parentheses>(&expr.node)) append(out, parentheses->operand);
  return out;
}

}  // namespace contextcore::promql
