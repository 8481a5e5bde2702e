#include "query/logql/engine.h"

#include <algorithm>

#include "query/logql/log_query.h"
#include "query/logql/parser.h"
#include "query/logql/pipeline.h"
#include "query/logql/range_eval.h"

namespace contextcore::logql {
namespace {

Error bad(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

// Compiles every pipeline, so that what is wrong in one is said before anything is read.
Status check_pipelines(const Expr& expr) {
  if (const auto* range = std::get_if<RangeAggregation>(&expr.node)) return check_pipelines(*range);
  const std::vector<Expr>* operands = nullptr;
  if (const auto* vector = std::get_if<VectorAggregation>(&expr.node)) operands = &vector->operand;
  if (const auto* binary = std::get_if<BinaryOperation>(&expr.node)) operands = &binary->operands;
  if (const auto* replace = std::get_if<LabelReplace>(&expr.node)) operands = &replace->operand;
  if (operands == nullptr) return {};
  for (const Expr& operand : *operands) CC_TRY(check_pipelines(operand));
  return {};
}

class Evaluator {
 public:
  explicit Evaluator(EvalContext& context) : context_(context) {}

  Result<GridValue> evaluate(const Expr& expr) {
    return std::visit([&](const auto& node) { return node_value(node); }, expr.node);
  }

 private:
  Result<GridValue> node_value(const LogSelector&) {
    return Error{Code::internal, "a log selector is no metric expression", {}, {}, {}};
  }
  Result<GridValue> node_value(const RangeAggregation& aggregation) {
    return logql::evaluate(aggregation, std::nullopt, context_);
  }
  Result<GridValue> node_value(const VectorAggregation& aggregation) {
    const auto* range = std::get_if<RangeAggregation>(&aggregation.operand[0].node);
    if (aggregation.op == VectorOp::sum && range != nullptr && is_additive(range->op) &&
        !range->grouping) {
      return logql::evaluate(*range, std::optional<std::optional<Grouping>>(aggregation.grouping),
                             context_);
    }
    CC_ASSIGN(GridValue operand, evaluate(aggregation.operand[0]));
    if (operand.is_scalar)
      return bad("expected a vector inside " + std::string(name_of(aggregation.op)));
    return aggregate(aggregation, std::move(operand), context_.grid);
  }
  Result<GridValue> node_value(const BinaryOperation& operation) {
    CC_ASSIGN(GridValue left, evaluate(operation.operands[0]));
    CC_ASSIGN(GridValue right, evaluate(operation.operands[1]));
    return combine(operation, std::move(left), std::move(right), context_.grid);
  }
  Result<GridValue> node_value(const LabelReplace& replace) {
    CC_ASSIGN(GridValue operand, evaluate(replace.operand[0]));
    if (operand.is_scalar) return bad("expected a vector inside label_replace");
    return replace_label(replace, std::move(operand));
  }
  Result<GridValue> node_value(const Literal& literal) {
    GridValue out;
    out.is_scalar = true;
    out.scalar = literal.value;
    return out;
  }
  Result<GridValue> node_value(const VectorLiteral& vector) {
    GridValue out;
    out.series.emplace_back();
    for (size_t step = 0; step < context_.grid.points; ++step)
      out.series[0].points.push_back({step, vector.value});
    return out;
  }

  EvalContext& context_;
};

std::vector<Series> to_series(GridValue value, const Grid& grid) {
  if (!value.ordered) {
    std::sort(value.series.begin(), value.series.end(),
              [](const GridSeries& a, const GridSeries& b) { return a.labels < b.labels; });
  }
  std::vector<Series> out;
  for (GridSeries& series : value.series) {
    Series one;
    one.labels = std::move(series.labels);
    for (const Point& point : series.points)
      one.samples.push_back({grid.time_ns(point.step), point.value});
    out.push_back(std::move(one));
  }
  return out;
}

int64_t floor_to(int64_t value, int64_t step) {
  const int64_t rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

Result<Grid> make_grid(const RangeParams& params) {
  constexpr int64_t kFarthestNs = INT64_MAX / 4;
  if (params.step_ns <= 0) {
    return bad(
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (params.start_ns < -kFarthestNs || params.end_ns > kFarthestNs * 3 ||
      params.step_ns > kFarthestNs) {
    return bad("query range is too far from now for metrics");
  }
  Grid grid;
  grid.step_ns = params.step_ns;
  grid.start_ns = floor_to(params.start_ns, params.step_ns);
  const int64_t end = -floor_to(-params.end_ns, params.step_ns);
  const auto points = static_cast<uint64_t>((end - grid.start_ns) / params.step_ns) + 1;
  if (points > params.limits.points_max) {
    return bad(
        "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of "
        "the step "
        "parameter");
  }
  grid.points = static_cast<size_t>(points);
  return grid;
}

}  // namespace

Result<QueryResult> query_range(const store::Source& source, std::string_view query,
                                const RangeParams& params) {
  CC_ASSIGN(const Expr expr, parse(query));
  if (params.end_ns < params.start_ns)
    return bad("end timestamp must not be before or equal to start time");
  QueryResult out;
  if (const auto* selector = std::get_if<LogSelector>(&expr.node)) {
    CC_ASSIGN(out.data, query_logs(source, *selector, params, out.statistics));
    return out;
  }
  CC_TRY(check_pipelines(expr));
  CC_ASSIGN(const Grid grid, make_grid(params));
  EvalContext context{source, grid, params.limits, params.cancelled, out.statistics};
  CC_ASSIGN(GridValue value, Evaluator(context).evaluate(expr));
  if (value.is_scalar) {
    GridSeries constant;
    for (size_t step = 0; step < grid.points; ++step)
      constant.points.push_back({step, value.scalar});
    value.series.push_back(std::move(constant));
  }
  out.data = Matrix{to_series(std::move(value), grid)};
  return out;
}

Result<QueryResult> query_instant(const store::Source& source, std::string_view query,
                                  const InstantParams& params) {
  CC_ASSIGN(const Expr expr, parse(query));
  if (const auto* selector = std::get_if<LogSelector>(&expr.node)) {
    CC_TRY(Pipeline::compile(*selector));
    return bad(
        "log queries are not supported as an instant query type, please change your query to a "
        "range query "
        "type");
  }
  CC_TRY(check_pipelines(expr));
  QueryResult out;
  Grid grid;
  grid.start_ns = params.time_ns;
  EvalContext context{source, grid, params.limits, params.cancelled, out.statistics};
  CC_ASSIGN(GridValue value, Evaluator(context).evaluate(expr));
  if (value.is_scalar) {
    out.data = Scalar{{params.time_ns, value.scalar}};
  } else {
    out.data = Vector{to_series(std::move(value), grid)};
  }
  return out;
}

}  // namespace contextcore::logql
