#include "query/traceql/parser_pipeline.h"

#include <algorithm>
#include <array>
#include <utility>

namespace contextcore::traceql {

namespace {

struct SpansetOperator {
  std::string_view symbol;
  Operator op;
};
constexpr std::array<SpansetOperator, 17> kSpansetOperators = {{
    {"&&", Operator::logical_and},
    {"||", Operator::logical_or},
    {">", Operator::child},
    {"<", Operator::parent},
    {">>", Operator::descendant},
    {"<<", Operator::ancestor},
    {"~", Operator::sibling},
    {"!>", Operator::not_child},
    {"!<", Operator::not_parent},
    {"!>>", Operator::not_descendant},
    {"!<<", Operator::not_ancestor},
    {"!~", Operator::not_sibling},
    {"&>", Operator::union_child},
    {"&<", Operator::union_parent},
    {"&>>", Operator::union_descendant},
    {"&<<", Operator::union_ancestor},
    {"&~", Operator::union_sibling},
}};

Operator spanset_operator(const Token& token) {
  for (const SpansetOperator& row : kSpansetOperators) {
    if (token.is_symbol(row.symbol)) return row.op;
  }
  return Operator::none;
}

// Precedence of the token between stage operands; 0 when it is no operator there.
int stage_precedence(const Token& token) {
  if (const OperatorToken field = field_operator(token); field.op != Operator::none) {
    return field.precedence;
  }
  return spanset_operator(token) != Operator::none ? kComparison : 0;
}

bool is_pipeline_operand(const SpansetExpr& expr) {
  if (!expr.pipeline.empty()) return true;
  return expr.op != Operator::none && is_pipeline_operand(expr.operands[0]);
}

bool has_scalar_pipeline(const ScalarExpr& expr) {
  if (!expr.pipeline.empty()) return true;
  return expr.op != Operator::none && has_scalar_pipeline(expr.operands[0]);
}

int height_of(const Stage& stage) {
  if (const auto* spanset = std::get_if<SpansetExpr>(&stage)) return spanset->height.value;
  if (const auto* filter = std::get_if<ScalarFilter>(&stage)) {
    return 1 + std::max(filter->left.height.value, filter->right.height.value);
  }
  return 1;
}

Operand wrap(Pipeline pipeline, Position position) {
  SpansetExpr expr;
  expr.height.value = 1 + height_of(pipeline);
  expr.position = position;
  expr.pipeline.push_back(std::move(pipeline));
  return expr;
}

}  // namespace

int height_of(const Pipeline& pipeline) {
  int height = 0;
  for (const Stage& stage : pipeline.stages) height = std::max(height, height_of(stage));
  return height;
}

Result<SpansetExpr> PipelineParser::filter() {
  SpansetExpr expr;
  expr.position = cursor_.position();
  CC_TRY(cursor_.expect_symbol("{"));
  if (cursor_.peek().is_symbol("}")) {
    expr.filter.emplace();
    expr.filter->leaf = Static(true);
    expr.filter->position = expr.position;
  } else {
    CC_ASSIGN(expr.filter, parse_field_expr(cursor_));
  }
  CC_TRY(cursor_.expect_symbol("}"));
  return expr;
}

Result<Operand> PipelineParser::operand(int precedence_min) {
  CC_ASSIGN(Operand left, primary());
  for (;;) {
    const Token& token = cursor_.peek();
    const int precedence = stage_precedence(token);
    if (precedence == 0 || precedence < precedence_min) return left;
    // A comparison after metrics filters the finished series: a second stage, read by the caller.
    if (precedence == kComparison && std::holds_alternative<MetricsExpr>(left)) return left;
    const Position position = cursor_.position();
    cursor_.take();
    CC_ASSIGN(Operand right, precedence == kPower ? power_operand() : operand(precedence + 1));
    CC_ASSIGN(left, join(token, position, std::move(left), std::move(right)));
  }
}

// Powers associate to the right, so their depth is that of the input.
Result<Operand> PipelineParser::power_operand() {
  const auto nesting = cursor_.nest_pipeline();
  CC_TRY(cursor_.check_pipeline_nesting());
  return operand(kPower);
}

Result<Operand> PipelineParser::primary() {
  const Token& token = cursor_.peek();
  if (token.is_symbol("{")) {
    CC_ASSIGN(SpansetExpr expr, filter());
    return Operand(std::move(expr));
  }
  if (token.is_symbol("(")) return parenthesized();
  if (token.is_symbol("-")) return negative();
  ScalarExpr scalar;
  scalar.position = cursor_.position();
  if (is_aggregate_word(token)) {
    CC_ASSIGN(scalar.leaf, aggregate());
    return Operand(std::move(scalar));
  }
  if (token.kind == TokenKind::integer || token.kind == TokenKind::real ||
      token.kind == TokenKind::duration) {
    CC_ASSIGN(Static value, parse_static(cursor_));
    scalar.leaf = std::move(value);
    return Operand(std::move(scalar));
  }
  if (token.kind == TokenKind::attribute || starts_field(token)) {
    return cursor_.unexpected(
        {}, "conditions stand in braces: { " + std::string(token.text) + " = ... }");
  }
  return cursor_.unexpected();
}

Result<Operand> PipelineParser::negative() {
  const Position position = cursor_.position();
  const auto nesting = cursor_.nest_pipeline();
  CC_TRY(cursor_.check_pipeline_nesting());
  cursor_.take();
  CC_ASSIGN(Operand inner, primary());
  auto* scalar = std::get_if<ScalarExpr>(&inner);
  if (scalar == nullptr || !scalar->is_literal()) {
    return cursor_.error_at(position, "syntax error: unexpected -",
                            "only numbers can be negated here");
  }
  auto& value = std::get<Static>(scalar->leaf);
  if (auto* duration = std::get_if<Duration>(&value)) {
    duration->ns = -duration->ns;
  } else if (auto* real = std::get_if<double>(&value)) {
    *real = -*real;
  } else {
    CC_ASSIGN(value, fold(Operator::subtract, position, Static(int64_t{0}), value));
  }
  return inner;
}

Result<Operand> PipelineParser::parenthesized() {
  const Position position = cursor_.position();
  const auto nesting = cursor_.nest_pipeline();
  CC_TRY(cursor_.check_pipeline_nesting());
  cursor_.take();
  CC_ASSIGN(Sequence inner, sequence());
  CC_TRY(cursor_.expect_symbol(")"));
  CC_TRY(cursor_.check_height(1 + height_of(inner.pipeline), position, kPipelineHeightMax));
  if (inner.metrics) {
    MetricsExpr expr;
    expr.position = position;
    expr.height.value = 1 + height_of(inner.pipeline);
    expr.leaf = MetricsPipeline{std::move(inner.pipeline), std::move(*inner.metrics),
                                std::move(inner.second)};
    return Operand(std::move(expr));
  }
  if (inner.aggregate) {
    ScalarExpr expr;
    expr.position = position;
    expr.height.value = 1 + height_of(inner.pipeline);
    expr.pipeline.push_back({std::move(inner.pipeline), std::move(*inner.aggregate)});
    return Operand(std::move(expr));
  }
  if (!inner.lone) return wrap(std::move(inner.pipeline), position);
  if (auto* filter = std::get_if<ScalarFilter>(&*inner.lone)) {
    Pipeline pipeline;
    pipeline.stages.emplace_back(std::move(*filter));
    return wrap(std::move(pipeline), position);
  }
  return std::move(*inner.lone);
}

Status PipelineParser::not_an_operator(const Token& token, std::string hint) {
  return parse_error(cursor_.text(), token.offset,
                     "syntax error: unexpected " + std::string(token.text), std::move(hint));
}

Result<Operand> PipelineParser::join(const Token& token, Position position, Operand left,
                                     Operand right) {
  auto* left_spanset = std::get_if<SpansetExpr>(&left);
  auto* right_spanset = std::get_if<SpansetExpr>(&right);
  if (left_spanset != nullptr && right_spanset != nullptr) {
    return join_spansets(token, position, std::move(*left_spanset), std::move(*right_spanset));
  }
  auto* left_scalar = std::get_if<ScalarExpr>(&left);
  auto* right_scalar = std::get_if<ScalarExpr>(&right);
  if (left_scalar != nullptr && right_scalar != nullptr) {
    return join_scalars(token, position, std::move(*left_scalar), std::move(*right_scalar));
  }
  // Numbers beside metrics take part as metrics.
  const auto as_metrics = [](Operand& side) -> std::optional<MetricsExpr> {
    if (auto* metrics = std::get_if<MetricsExpr>(&side)) return std::move(*metrics);
    auto* scalar = std::get_if<ScalarExpr>(&side);
    if (scalar == nullptr || !scalar->is_literal()) return std::nullopt;
    MetricsExpr expr;
    expr.leaf = std::get<Static>(scalar->leaf);
    expr.position = scalar->position;
    return expr;
  };
  std::optional<MetricsExpr> left_metrics = as_metrics(left);
  std::optional<MetricsExpr> right_metrics = as_metrics(right);
  if (left_metrics && right_metrics) {
    return join_metrics(token, position, std::move(*left_metrics), std::move(*right_metrics));
  }
  if (std::holds_alternative<ScalarFilter>(left) || std::holds_alternative<ScalarFilter>(right)) {
    return not_an_operator(token,
                           "conditions on aggregates are pipeline stages: {...} | count() > 2")
        .error();
  }
  return not_an_operator(token).error();
}

Result<Operand> PipelineParser::join_spansets(const Token& token, Position position,
                                              SpansetExpr left, SpansetExpr right) {
  const Operator op = spanset_operator(token);
  if (op == Operator::none) return not_an_operator(token).error();
  if (is_pipeline_operand(left) != is_pipeline_operand(right)) {
    return not_an_operator(
               token,
               "a pipeline in parentheses combines with pipelines only: ({ } | { }) && (...)")
        .error();
  }
  SpansetExpr expr;
  expr.op = op;
  expr.position = position;
  expr.height.value = 1 + std::max(left.height.value, right.height.value);
  CC_TRY(cursor_.check_height(expr.height.value, position, kPipelineHeightMax));
  expr.operands.push_back(std::move(left));
  expr.operands.push_back(std::move(right));
  return Operand(std::move(expr));
}

Result<Operand> PipelineParser::join_scalars(const Token& token, Position position, ScalarExpr left,
                                             ScalarExpr right) {
  const Operator op = field_operator(token).op;
  const bool compares = is_comparison(op) && op != Operator::regex && op != Operator::not_regex;
  if (!is_arithmetic(op) && !compares) return not_an_operator(token).error();
  const bool constants = left.is_literal() && right.is_literal();
  if (constants && compares) {
    return not_an_operator(token, "a comparison needs an aggregate such as count()").error();
  }
  if (constants) {
    ScalarExpr folded;
    folded.position = left.position;
    CC_ASSIGN(folded.leaf,
              fold(op, position, std::get<Static>(left.leaf), std::get<Static>(right.leaf)));
    return Operand(std::move(folded));
  }
  // Pipelines in parentheses combine among themselves and compare with a number on the right.
  if (has_scalar_pipeline(left) != has_scalar_pipeline(right) &&
      !(compares && right.is_literal())) {
    return not_an_operator(token).error();
  }
  if (compares) {
    ScalarFilter filter{op, std::move(left), std::move(right), position};
    return Operand(std::move(filter));
  }
  ScalarExpr expr;
  expr.op = op;
  expr.position = position;
  expr.height.value = 1 + std::max(left.height.value, right.height.value);
  CC_TRY(cursor_.check_height(expr.height.value, position, kPipelineHeightMax));
  expr.operands.push_back(std::move(left));
  expr.operands.push_back(std::move(right));
  return Operand(std::move(expr));
}

Result<Operand> PipelineParser::join_metrics(const Token& token, Position position,
                                             MetricsExpr left, MetricsExpr right) {
  const Operator op = field_operator(token).op;
  if (op != Operator::add && op != Operator::subtract && op != Operator::multiply &&
      op != Operator::divide) {
    return not_an_operator(token, "metrics combine with + - * /").error();
  }
  for (const MetricsExpr* side : {&left, &right}) {
    const auto* value = std::get_if<Static>(&side->leaf);
    if (side->op == Operator::none && value != nullptr &&
        std::holds_alternative<Duration>(*value)) {
      return cursor_.error_at(side->position,
                              "duration cannot be used as a scalar operand in metric arithmetic",
                              "write the number of seconds");
    }
  }
  MetricsExpr expr;
  expr.op = op;
  expr.position = position;
  expr.height.value = 1 + std::max(left.height.value, right.height.value);
  CC_TRY(cursor_.check_height(expr.height.value, position, kPipelineHeightMax));
  expr.operands.push_back(std::move(left));
  expr.operands.push_back(std::move(right));
  return Operand(std::move(expr));
}

// Constant arithmetic as Tempo does it while parsing: integers stay integers (1 / 2 is 0).
Result<Static> PipelineParser::fold(Operator op, Position position, const Static& left,
                                    const Static& right) {
  if (std::holds_alternative<Duration>(left) || std::holds_alternative<Duration>(right)) {
    return cursor_.error_at(position, "duration cannot be used in scalar arithmetic");
  }
  const auto* a = std::get_if<int64_t>(&left);
  const auto* b = std::get_if<int64_t>(&right);
  const bool integers = a != nullptr && b != nullptr;
  const double x = a != nullptr ? static_cast<double>(*a) : std::get<double>(left);
  const double y = b != nullptr ? static_cast<double>(*b) : std::get<double>(right);
  int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case Operator::add:
      if (!integers) return Static(x + y);
      overflow = __builtin_add_overflow(*a, *b, &result);
      break;
    case Operator::subtract:
      if (!integers) return Static(x - y);
      overflow = __builtin_sub_overflow(*a, *b, &result);
      break;
    case Operator::multiply:
      if (!integers) return Static(x * y);
      overflow = __builtin_mul_overflow(*a, *b, &result);
      break;
    case Operator::divide:
      if (y == 0) return cursor_.error_at(position, "division by zero");
      if (!integers) return Static(x / y);
      overflow = *b == -1 && __builtin_sub_overflow(int64_t{0}, *a, &result);
      if (*b != -1) result = *a / *b;
      break;
    default:
      return cursor_.error_at(position, "syntax error: unexpected " + std::string(symbol(op)),
                              "constants combine with + - * /");
  }
  if (overflow) return cursor_.error_at(position, "integer overflow");
  return Static(result);
}

}  // namespace contextcore::traceql
