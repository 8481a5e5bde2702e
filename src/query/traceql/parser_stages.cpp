#include <algorithm>
#include <array>

#include "query/traceql/parser_pipeline.h"
#include "query/traceql/printer.h"

namespace contextcore::traceql {

namespace {

constexpr std::array<AggregateFunction, 5> kAggregates = {
    AggregateFunction::count, AggregateFunction::avg, AggregateFunction::min,
    AggregateFunction::max, AggregateFunction::sum};

constexpr std::array<MetricsFunction, 9> kMetrics = {MetricsFunction::rate,
                                                     MetricsFunction::count_over_time,
                                                     MetricsFunction::min_over_time,
                                                     MetricsFunction::max_over_time,
                                                     MetricsFunction::avg_over_time,
                                                     MetricsFunction::sum_over_time,
                                                     MetricsFunction::quantile_over_time,
                                                     MetricsFunction::histogram_over_time,
                                                     MetricsFunction::compare};

bool is_second_stage_word(const Token& token) {
  return token.is_word("topk") || token.is_word("bottomk");
}

}  // namespace

bool is_aggregate_word(const Token& token) {
  return std::any_of(kAggregates.begin(), kAggregates.end(),
                     [&](AggregateFunction f) { return token.is_word(word(f)); });
}

bool is_metrics_word(const Token& token) {
  return std::any_of(kMetrics.begin(), kMetrics.end(),
                     [&](MetricsFunction f) { return token.is_word(word(f)); });
}

bool PipelineParser::starts_stage_word() const {
  const Token& token = cursor_.peek();
  return token.is_word("by") || token.is_word("coalesce") || token.is_word("select");
}

Result<Stage> PipelineParser::stage_word() {
  const Position position = cursor_.position();
  const Token& token = cursor_.take();
  CC_TRY(cursor_.expect_symbol("("));
  Stage stage = Coalesce{};
  if (token.is_word("by")) {
    GroupBy group;
    group.position = position;
    CC_ASSIGN(group.expr, parse_field_expr(cursor_));
    stage = std::move(group);
  } else if (token.is_word("select")) {
    CC_ASSIGN(std::vector<Attribute> attributes, attribute_list());
    stage = Select{std::move(attributes)};
  }
  CC_TRY(cursor_.expect_symbol(")"));
  return stage;
}

Result<std::vector<Attribute>> PipelineParser::attribute_list() {
  std::vector<Attribute> attributes;
  do {
    CC_ASSIGN(Attribute attribute, parse_field(cursor_));
    attributes.push_back(std::move(attribute));
  } while (cursor_.accept_symbol(","));
  return attributes;
}

Result<Aggregate> PipelineParser::aggregate() {
  Aggregate result;
  result.position = cursor_.position();
  const Token& token = cursor_.take();
  for (const AggregateFunction function : kAggregates) {
    if (token.is_word(word(function))) result.function = function;
  }
  CC_TRY(cursor_.expect_symbol("("));
  if (result.function != AggregateFunction::count) {
    CC_ASSIGN(result.argument, parse_field_expr(cursor_));
  }
  CC_TRY(cursor_.expect_symbol(")"));
  return result;
}

// A stage, or the aggregate that ends the pipeline.
Status PipelineParser::append(Sequence& sequence, Operand operand, bool first) {
  if (auto* spanset = std::get_if<SpansetExpr>(&operand)) {
    const SpansetExpr* leftmost = spanset;
    while (leftmost->op != Operator::none) leftmost = &leftmost->operands[0];
    if (!leftmost->pipeline.empty()) {
      return cursor_.unexpected({}, "a pipeline in parentheses cannot be a stage of another one");
    }
    sequence.pipeline.stages.emplace_back(std::move(*spanset));
    return {};
  }
  if (auto* filter = std::get_if<ScalarFilter>(&operand)) {
    sequence.pipeline.stages.emplace_back(std::move(*filter));
    return {};
  }
  auto* scalar = std::get_if<ScalarExpr>(&operand);
  if (!first && scalar != nullptr && scalar->is_aggregate()) {
    sequence.aggregate = std::get<Aggregate>(std::move(scalar->leaf));
    return {};
  }
  return cursor_.unexpected(scalar != nullptr ? "a comparison" : "");
}

Result<Sequence> PipelineParser::sequence() {
  Sequence result;
  if (cursor_.peek().is_word("by") || cursor_.peek().is_word("select")) {
    CC_ASSIGN(Stage stage, stage_word());
    result.pipeline.stages.push_back(std::move(stage));
  } else {
    CC_ASSIGN(Operand first, operand(kLogical));
    if (!cursor_.peek().is_symbol("|") || std::holds_alternative<MetricsExpr>(first)) {
      result.lone = std::move(first);
      return result;
    }
    CC_TRY(append(result, std::move(first), true));
  }
  while (!result.aggregate && cursor_.accept_symbol("|")) {
    if (is_metrics_word(cursor_.peek())) {
      CC_ASSIGN(result.metrics, metrics());
      CC_TRY(second_stages(result.second));
      return result;
    }
    if (starts_stage_word()) {
      CC_ASSIGN(Stage stage, stage_word());
      result.pipeline.stages.push_back(std::move(stage));
      continue;
    }
    CC_ASSIGN(Operand next, operand(kLogical));
    CC_TRY(append(result, std::move(next), false));
  }
  return result;
}

Result<int64_t> PipelineParser::integer() {
  if (cursor_.peek().kind != TokenKind::integer) return cursor_.unexpected("INTEGER");
  return cursor_.take().integer;
}

Result<Metrics> PipelineParser::metrics() {
  Metrics result;
  result.position = cursor_.position();
  const Token& token = cursor_.take();
  for (const MetricsFunction function : kMetrics) {
    if (token.is_word(word(function))) result.function = function;
  }
  CC_TRY(cursor_.expect_symbol("("));
  if (result.function == MetricsFunction::compare) {
    CC_TRY(compare_arguments(result));
  } else {
    CC_TRY(metrics_arguments(result));
  }
  CC_TRY(cursor_.expect_symbol(")"));
  if (result.function != MetricsFunction::compare && cursor_.peek().is_word("by")) {
    cursor_.take();
    CC_TRY(cursor_.expect_symbol("("));
    CC_ASSIGN(result.by, attribute_list());
    CC_TRY(cursor_.expect_symbol(")"));
  }
  return result;
}

Status PipelineParser::metrics_arguments(Metrics& metrics) {
  const MetricsFunction function = metrics.function;
  if (function == MetricsFunction::rate || function == MetricsFunction::count_over_time) return {};
  CC_ASSIGN(metrics.attribute, parse_field(cursor_));
  if (function != MetricsFunction::quantile_over_time) return {};
  CC_TRY(cursor_.expect_symbol(","));
  do {
    const Token& token = cursor_.peek();
    if (token.kind == TokenKind::integer) {
      metrics.quantiles.push_back(static_cast<double>(token.integer));
    } else if (token.kind == TokenKind::real) {
      metrics.quantiles.push_back(token.real);
    } else {
      return cursor_.unexpected("FLOAT or INTEGER");
    }
    cursor_.take();
  } while (cursor_.accept_symbol(","));
  return {};
}

Status PipelineParser::compare_arguments(Metrics& metrics) {
  CC_ASSIGN(metrics.selection, filter());
  if (!cursor_.accept_symbol(",")) return {};
  CC_ASSIGN(metrics.top, integer());
  if (!cursor_.accept_symbol(",")) return {};
  CC_ASSIGN(metrics.start_ns, integer());
  CC_TRY(cursor_.expect_symbol(","));
  CC_ASSIGN(metrics.end_ns, integer());
  return {};
}

Status PipelineParser::second_stages(std::vector<SecondStage>& stages) {
  for (;;) {
    SecondStage stage;
    stage.position = cursor_.position();
    const Operator op = field_operator(cursor_.peek()).op;
    if (cursor_.peek().is_symbol("|") && is_second_stage_word(cursor_.peek_next())) {
      cursor_.take();
      stage.function = cursor_.peek().is_word("topk") ? SecondStage::Function::topk
                                                      : SecondStage::Function::bottomk;
      cursor_.take();
      CC_TRY(cursor_.expect_symbol("("));
      CC_ASSIGN(stage.limit, integer());
      CC_TRY(cursor_.expect_symbol(")"));
    } else if (is_comparison(op) && op != Operator::regex && op != Operator::not_regex) {
      cursor_.take();
      stage.op = op;
      const Position position = cursor_.position();
      CC_ASSIGN(Operand right, operand(kSum));
      auto* scalar = std::get_if<ScalarExpr>(&right);
      if (scalar == nullptr || !scalar->is_literal()) {
        return cursor_.error_at(position, "syntax error: series are compared with a number");
      }
      stage.value = std::get<Static>(std::move(scalar->leaf));
    } else {
      return {};
    }
    stages.push_back(std::move(stage));
  }
}

Status PipelineParser::hints(Query& query) {
  while (cursor_.peek().is_word("with")) {
    cursor_.take();
    query.hints.clear();  // the last list counts
    CC_TRY(cursor_.expect_symbol("("));
    do {
      Hint hint;
      if (cursor_.peek().kind != TokenKind::word) return cursor_.unexpected("IDENTIFIER");
      hint.name = std::string(cursor_.take().text);
      CC_TRY(cursor_.expect_symbol("="));
      CC_ASSIGN(hint.value, parse_static(cursor_));
      query.hints.push_back(std::move(hint));
    } while (cursor_.accept_symbol(","));
    CC_TRY(cursor_.expect_symbol(")"));
  }
  return {};
}

Status PipelineParser::trailing(Query& query, Sequence& sequence) {
  TrailingAggregate trailing{std::move(*sequence.aggregate), {}};
  if (cursor_.peek().is_word("by")) {
    cursor_.take();
    CC_TRY(cursor_.expect_symbol("("));
    CC_ASSIGN(trailing.by, attribute_list());
    CC_TRY(cursor_.expect_symbol(")"));
  }
  CC_TRY(cursor_.extension(trailing.aggregate.position, "| " + to_string(trailing.aggregate), ""));
  query.trailing = std::move(trailing);
  return {};
}

Result<Query> PipelineParser::finish(Sequence sequence) {
  Query query;
  if (sequence.metrics) {
    MetricsQuery metrics;
    metrics.expr.height.value = 1 + height_of(sequence.pipeline);
    metrics.expr.leaf = MetricsPipeline{std::move(sequence.pipeline), std::move(*sequence.metrics),
                                        std::move(sequence.second)};
    query.body = std::move(metrics);
    return query;
  }
  if (!sequence.lone) {
    if (sequence.aggregate) CC_TRY(trailing(query, sequence));
    query.body = std::move(sequence.pipeline);
    return query;
  }
  if (auto* expr = std::get_if<MetricsExpr>(&*sequence.lone)) {
    MetricsQuery metrics{std::move(*expr), {}};
    // ({…} | rate()) > 1 says the same as {…} | rate() > 1.
    auto* single = std::get_if<MetricsPipeline>(&metrics.expr.leaf);
    const bool flat = metrics.expr.op == Operator::none && single != nullptr;
    CC_TRY(second_stages(flat ? single->stages : metrics.stages));
    query.body = std::move(metrics);
    return query;
  }
  Pipeline pipeline;
  if (auto* spanset = std::get_if<SpansetExpr>(&*sequence.lone)) {
    pipeline.stages.emplace_back(std::move(*spanset));
  } else if (auto* filter = std::get_if<ScalarFilter>(&*sequence.lone)) {
    pipeline.stages.emplace_back(std::move(*filter));
  } else {
    return cursor_.unexpected({}, "a number alone is no query; compare it: {...} | count() > 2");
  }
  query.body = std::move(pipeline);
  return query;
}

Result<Query> PipelineParser::query() {
  if (cursor_.peek().kind == TokenKind::end) {
    return cursor_.unexpected({}, "{ } matches every span");
  }
  CC_ASSIGN(Sequence parsed, sequence());
  CC_ASSIGN(Query result, finish(std::move(parsed)));
  CC_TRY(hints(result));
  if (cursor_.peek().kind != TokenKind::end) return cursor_.unexpected();
  return result;
}

}  // namespace contextcore::traceql
