// Aggregations over series.

#include "query/vector/aggregate.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/sort.h"
#include "base/utf8.h"
#include "query/common/text.h"
#include "query/promql/evaluator.h"
#include "query/promql/functions.h"
#include "query/vector/relabel.h"

namespace contextcore::promql {
namespace {

// REQUIRES: op makes one series of each group
query::AggregateOp aggregate_op(AggregationOp op) {
  switch (op) {
    case AggregationOp::sum:
      return query::AggregateOp::sum;
    case AggregationOp::avg:
      return query::AggregateOp::avg;
    case AggregationOp::min:
      return query::AggregateOp::min;
    case AggregationOp::max:
      return query::AggregateOp::max;
    case AggregationOp::group:
      return query::AggregateOp::group;
    case AggregationOp::stddev:
      return query::AggregateOp::stddev;
    case AggregationOp::stdvar:
      return query::AggregateOp::stdvar;
    case AggregationOp::quantile:
      return query::AggregateOp::quantile;
    case AggregationOp::count:
    case AggregationOp::topk:
    case AggregationOp::bottomk:
    case AggregationOp::count_values:
      break;
  }
  return query::AggregateOp::count;
}

// What the operand calls over a range; nullptr: it is something else.
const Call* call_over_range(const Expr& operand) {
  const auto* call = std::get_if<Call>(&without_parentheses(operand).node);
  return call != nullptr && find_range_function(call->function->name) != nullptr ? call : nullptr;
}

// Whether no two become one, and all stay in order, when they lose their name.
bool alike_in_name(const SelectedSeries& series) {
  std::string_view name;
  for (size_t i = 0; i < series.size(); ++i) {
    const query::LabelPairs& labels = series.labels(i);
    const std::string_view of_this = query::label_of(labels, query::kNameLabel);
    if (i > 0 && of_this != name) return false;
    name = of_this;
    for (const std::string_view other : query::kMetricLabels) {
      if (other != query::kNameLabel && !query::label_of(labels, other).empty()) return false;
    }
  }
  return true;
}

// The same groups of series that still have the labels which a function would have taken from them.
Grouping without_metric_labels(Grouping grouping) {
  for (const std::string_view name : query::kMetricLabels) {
    if (grouping.without) {
      grouping.labels.emplace_back(name);
    } else {
      std::erase(grouping.labels, name);
    }
  }
  return grouping;
}

// without takes the name away, too.
Grouping grouping_of(const Aggregation& aggregation) {
  Grouping grouping = aggregation.grouping;
  if (grouping.without) grouping.labels.emplace_back(query::kNameLabel);
  return grouping;
}

}  // namespace

Result<Value> Evaluator::node_value(const Aggregation& aggregation, const Expr&, const Steps& steps) {
  Value parameter;
  if (!aggregation.parameter.empty()) {
    CC_ASSIGN(parameter, evaluate(aggregation.parameter[0], steps));
  }
  switch (aggregation.op) {
    case AggregationOp::topk:
    case AggregationOp::bottomk:
    case AggregationOp::count_values:
      break;
    default:
      return one_of_each_group(aggregation, std::move(parameter.numbers), steps);
  }
  CC_ASSIGN(Value operand, evaluate(aggregation.operand[0], steps));
  query::sort_by_labels(operand.vector);
  if (aggregation.op == AggregationOp::count_values) {
    return count_values(aggregation, parameter.text, std::move(operand), steps);
  }
  return best(aggregation, parameter.numbers, std::move(operand), steps);
}

// number: of quantile.
Result<Value> Evaluator::one_of_each_group(const Aggregation& aggregation, query::StepNumbers number,
                                           const Steps& steps) {
  const query::AggregateOp op = aggregate_op(aggregation.op);
  const Grouping grouping = grouping_of(aggregation);
  const auto settle_number = [&] {
    if (aggregation.op == AggregationOp::quantile) {
      check_quantile(number, aggregation.parameter[0]);
    } else {
      number.values = {0};
    }
  };
  Value operand, out;
  if (const Call* over_range = call_over_range(aggregation.operand[0])) {
    CC_ASSIGN(RangeCall call, begin_range_call(*over_range, steps));
    const bool keeps_name = call.entry->keeps_name;
    // Series that become one are merged first, which takes the points of all of them.
    if (keeps_name || alike_in_name(call.input.series)) {
      settle_number();
      RangeCallSeries series(*this, call, steps);
      CC_ASSIGN(out.vector, query::aggregate(op, keeps_name ? grouping : without_metric_labels(grouping), series,
                                             steps.count, number));
      return out;
    }
    CC_ASSIGN(operand, values_of(std::move(call), steps));
  } else {
    CC_ASSIGN(operand, evaluate(aggregation.operand[0], steps));
  }
  query::sort_by_labels(operand.vector);
  settle_number();
  out.vector = query::aggregate(op, grouping, operand.vector, steps.count, number);
  return out;
}

Result<Value> Evaluator::best(const Aggregation& aggregation, const query::StepNumbers& k, Value operand,
                              const Steps& steps) {
  for (const double number : k.values) {
    if (std::isnan(number)) return execution_error("Parameter value is NaN");
    if (std::abs(number) >= 9.2e18) {
      return execution_error("Scalar value " + query::format_sample(number) + " overflows int64");
    }
  }
  const bool largest = aggregation.op == AggregationOp::topk;
  const Grouping grouping = grouping_of(aggregation);
  Value out;
  out.vector = query::select_best(largest, k, grouping, std::move(operand.vector), steps.count);
  out.ordered = steps.count == 1;
  if (!out.ordered) return out;
  query::sort_by_value(largest, out.vector);
  if (!grouping.without && grouping.labels.empty()) return out;
  // Group by group.
  sort_stably(out.vector, [&](const query::GridSeries& a, const query::GridSeries& b) {
    return query::group_labels(a.labels, grouping) < query::group_labels(b.labels, grouping);
  });
  return out;
}

Result<Value> Evaluator::count_values(const Aggregation& aggregation, const std::string& label, Value operand,
                                      const Steps& steps) const {
  if (label.empty() || !is_valid_utf8(label)) return execution_error("invalid label name " + query::quote(label));
  const Grouping grouping = grouping_of(aggregation);
  std::map<query::LabelPairs, std::vector<double>> counts;
  for (const query::GridSeries& series : operand.vector) {
    const query::LabelPairs group = query::group_labels(series.labels, grouping);
    for (const query::Point& point : series.points) {
      query::LabelPairs labels = group;
      query::set_label(labels, label, query::format_sample(point.value));
      std::vector<double>& steps_of = counts[std::move(labels)];
      steps_of.resize(steps.count);
      steps_of[point.step] += 1;
    }
  }
  Value out;
  for (const auto& [labels, numbers] : counts) {
    query::GridSeries series{labels, {}};
    for (size_t step = 0; step < numbers.size(); ++step) {
      if (numbers[step] > 0) series.points.push_back({step, numbers[step]});
    }
    out.vector.push_back(std::move(series));
  }
  return out;
}

}  // namespace contextcore::promql
