#pragma once
// The part of the parser above braces. One precedence climber reads spansets, aggregates, numbers
// and metrics alike, since all of them may start with a parenthesis; what an operator means follows
// from the kinds of its operands. Not for use outside.

#include <optional>
#include <variant>
#include <vector>

#include "query/traceql/parser_impl.h"

namespace contextcore::traceql {

// What can stand between operators. A SpansetExpr with pipeline operands is a pipeline expression.
using Operand = std::variant<SpansetExpr, ScalarExpr, ScalarFilter, MetricsExpr>;

// Stages between | signs, and how the sequence ended.
struct Sequence {
  std::optional<Operand> lone;  // one operand and no | after it; the rest is empty
  Pipeline pipeline;
  std::optional<Aggregate> aggregate;
  std::optional<Metrics> metrics;
  std::vector<SecondStage> second;
};

class PipelineParser {
 public:
  explicit PipelineParser(Cursor& cursor) : cursor_(cursor) {}

  Result<Query> query();
  Result<SpansetExpr> filter();

 private:
  Result<Sequence> sequence();
  Result<Operand> operand(int precedence_min);
  Result<Operand> primary();
  Result<Operand> power_operand();
  Result<Operand> parenthesized();
  Result<Operand> negative();

  Result<Operand> join(const Token& token, Position position, Operand left, Operand right);
  Result<Operand> join_spansets(const Token& token, Position position, SpansetExpr left,
                                SpansetExpr right);
  Result<Operand> join_scalars(const Token& token, Position position, ScalarExpr left,
                               ScalarExpr right);
  Result<Operand> join_metrics(const Token& token, Position position, MetricsExpr left,
                               MetricsExpr right);
  Result<Static> fold(Operator op, Position position, const Static& left, const Static& right);
  Status not_an_operator(const Token& token, std::string hint = {});

  bool starts_stage_word() const;
  Result<Stage> stage_word();
  Status append(Sequence& sequence, Operand operand, bool first);
  Result<Aggregate> aggregate();
  Result<std::vector<Attribute>> attribute_list();

  Result<Metrics> metrics();
  Status metrics_arguments(Metrics& metrics);
  Status compare_arguments(Metrics& metrics);
  Status second_stages(std::vector<SecondStage>& stages);
  Result<int64_t> integer();
  Status hints(Query& query);
  Status trailing(Query& query, Sequence& sequence);
  Result<Query> finish(Sequence sequence);

  Cursor& cursor_;
};

bool is_aggregate_word(const Token& token);
bool is_metrics_word(const Token& token);
int height_of(const Pipeline& pipeline);

}  // namespace contextcore::traceql
