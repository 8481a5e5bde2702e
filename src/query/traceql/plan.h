#pragma once
// A pipeline ready to run, and its evaluation on one whole trace: spansets in, spansets out.

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "query/traceql/compiled.h"

namespace contextcore::traceql {

// Spans of one trace (ascending indexes), and what group and aggregate stages say about them.
struct Spanset {
  std::vector<uint32_t> spans;
  std::vector<std::pair<std::string, otlp::Value>> attributes;
};

struct Plan;

struct PlanSpanset {
  std::optional<CompiledExpr> filter;
  Operator op = Operator::none;
  std::vector<PlanSpanset> operands;
  std::vector<Plan> pipeline;  // at most one
};

// A number of a spanset: a constant, an aggregate over its spans, over those that a pipeline makes
// of them, or arithmetic between such.
struct PlanScalar {
  Value constant;
  std::optional<AggregateFunction> function;
  std::optional<CompiledExpr> argument;
  std::vector<Plan> pipeline;  // at most one
  Operator op = Operator::none;
  std::vector<PlanScalar> operands;
  std::string key;  // under which the number is attached; empty: it is not
};

struct PlanScalarFilter {
  Operator op = Operator::none;
  PlanScalar left, right;
};

struct PlanGroup {
  CompiledExpr expr;
  std::string key;
};
struct PlanCoalesce {};

using PlanStage = std::variant<PlanSpanset, PlanScalarFilter, PlanGroup, PlanCoalesce>;

struct Plan {
  std::vector<PlanStage> stages;
};

// Compiles the stages; fields that the query touches or selects are appended to touched, each once.
Result<Plan> make_plan(const Pipeline& pipeline, ColumnSet& columns,
                       std::vector<FieldRef>& touched);

// Starts from one spanset of all spans. Empty: the trace does not match.
Result<std::vector<Spanset>> run(const Plan& plan, const TraceContext& trace);

// Spans of one side in their relation to the other side (structural operators).
std::vector<uint32_t> relate(Operator op, const TraceContext& trace,
                             const std::vector<uint32_t>& left, const std::vector<uint32_t>& right);

}  // namespace contextcore::traceql
