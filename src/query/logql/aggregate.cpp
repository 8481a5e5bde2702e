#include "query/vector/aggregate.h"

#include "query/logql/series_math.h"

namespace contextcore::logql {
namespace {

using query::AggregateOp;

// REQUIRES: op makes one series of each group
AggregateOp aggregate_op(VectorOp op) {
  switch (op) {
    case VectorOp::sum:
      return AggregateOp::sum;
    case VectorOp::avg:
      return AggregateOp::avg;
    case VectorOp::max:
      return AggregateOp::max;
    case VectorOp::min:
      return AggregateOp::min;
    case VectorOp::stddev:
      return AggregateOp::stddev;
    case VectorOp::stdvar:
      return AggregateOp::stdvar;
    default:
      return AggregateOp::count;
  }
}

}  // namespace

Result<GridValue> aggregate(const VectorAggregation& aggregation, GridValue operand,
                            const Grid& grid) {
  query::sort_by_labels(operand.series);
  const Grouping grouping = aggregation.grouping.value_or(Grouping{});
  switch (aggregation.op) {
    case VectorOp::sort:
    case VectorOp::sort_desc:
      if (grid.points == 1) {
        query::sort_by_value(aggregation.op == VectorOp::sort_desc, operand.series);
      }
      operand.ordered = true;
      return operand;
    case VectorOp::approx_topk:  // what it estimates in Loki
    case VectorOp::topk:
    case VectorOp::bottomk: {
      const bool largest = aggregation.op != VectorOp::bottomk;
      const query::StepNumbers k{{static_cast<double>(aggregation.parameter.value_or(1))}};
      operand.series =
          query::select_best(largest, k, grouping, std::move(operand.series), grid.points);
      if (grid.points == 1) query::sort_by_value(largest, operand.series);
      operand.ordered = true;
      return operand;
    }
    default:
      break;
  }
  GridValue out;
  out.series =
      query::aggregate(aggregate_op(aggregation.op), grouping, operand.series, grid.points);
  return out;
}

}  // namespace contextcore::logql
