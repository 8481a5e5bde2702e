#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "query/logql/series_math.h"

namespace contextcore::logql {
namespace {

// The numbers of one group at one step.
struct Moments {
  size_t count = 0;
  double sum = 0, min = 0, max = 0, mean = 0,
         squares = 0;  // squares: of the distances from the mean

  void add(double value) {
    if (count == 0 || value < min || std::isnan(min)) min = value;
    if (count == 0 || value > max || std::isnan(max)) max = value;
    ++count;
    sum += value;
    const double delta = value - mean;
    mean += delta / static_cast<double>(count);
    squares += delta * (value - mean);
  }
  double result(VectorOp op) const {
    const auto n = static_cast<double>(count);
    switch (op) {
      case VectorOp::sum:
        return sum;
      case VectorOp::avg:
        return sum / n;
      case VectorOp::max:
        return max;
      case VectorOp::min:
        return min;
      case VectorOp::stdvar:
        return squares / n;
      case VectorOp::stddev:
        return std::sqrt(squares / n);
      default:
        return n;
    }
  }
};

struct Group {
  LabelPairs labels;
  std::vector<size_t> members;
};

std::vector<Group> group(const std::vector<GridSeries>& series,
                         const std::optional<Grouping>& grouping) {
  std::vector<Group> groups;
  std::unordered_map<std::string, size_t> index;
  for (size_t i = 0; i < series.size(); ++i) {
    LabelPairs labels = group_labels(series[i].labels, grouping);
    const auto [at, is_new] = index.try_emplace(key_of(labels), groups.size());
    if (is_new) groups.push_back({std::move(labels), {}});
    groups[at->second].members.push_back(i);
  }
  return groups;
}

GridSeries reduce(VectorOp op, Group group, const std::vector<GridSeries>& series,
                  std::vector<Moments>& scratch) {
  for (const size_t member : group.members) {
    for (const Point& point : series[member].points) scratch[point.step].add(point.value);
  }
  GridSeries out;
  out.labels = std::move(group.labels);
  for (size_t step = 0; step < scratch.size(); ++step) {
    if (scratch[step].count == 0) continue;
    out.points.push_back({step, scratch[step].result(op)});
    scratch[step] = {};
  }
  return out;
}

// NaN is worse than any number, in both directions.
bool better(bool largest, double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  return largest ? a > b : a < b;
}

// REQUIRES: one point each, and distinct labels
void order_by_value(bool largest, std::vector<GridSeries>& series) {
  std::sort(series.begin(), series.end(), [&](const GridSeries& a, const GridSeries& b) {
    const double left = a.points.front().value, right = b.points.front().value;
    if (better(largest, left, right) || better(largest, right, left))
      return better(largest, left, right);
    return a.labels < b.labels;
  });
}

// The k best of each group at each step keep their own labels.
void select_best(bool largest, size_t k, const std::optional<Grouping>& grouping, const Grid& grid,
                 std::vector<GridSeries>& series) {
  std::vector<GridSeries> out(series.size());
  std::vector<std::vector<std::pair<double, size_t>>> steps(grid.points);
  for (const Group& one : group(series, grouping)) {
    for (const size_t member : one.members) {
      for (const Point& point : series[member].points)
        steps[point.step].emplace_back(point.value, member);
    }
    for (size_t step = 0; step < steps.size(); ++step) {
      auto& candidates = steps[step];
      std::sort(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) {
        if (better(largest, a.first, b.first) || better(largest, b.first, a.first)) {
          return better(largest, a.first, b.first);
        }
        return a.second < b.second;
      });
      for (size_t i = 0; i < std::min(k, candidates.size()); ++i) {
        out[candidates[i].second].points.push_back({step, candidates[i].first});
      }
      candidates.clear();
    }
  }
  for (size_t i = 0; i < series.size(); ++i) out[i].labels = std::move(series[i].labels);
  std::erase_if(out, [](const GridSeries& one) { return one.points.empty(); });
  series = std::move(out);
}

}  // namespace

std::string key_of(const LabelPairs& labels) {
  std::string key;
  for (const auto& [name, value] : labels) {
    key += name;
    key.push_back('\0');
    key += std::to_string(value.size());
    key.push_back('\0');
    key += value;
  }
  return key;
}

LabelPairs group_labels(const LabelPairs& labels, const std::optional<Grouping>& grouping) {
  LabelPairs out;
  if (!grouping) return out;
  for (const auto& label : labels) {
    const bool listed = std::find(grouping->labels.begin(), grouping->labels.end(), label.first) !=
                        grouping->labels.end();
    if (listed != grouping->without) out.push_back(label);
  }
  return out;
}

Result<GridValue> aggregate(const VectorAggregation& aggregation, GridValue operand,
                            const Grid& grid) {
  std::sort(operand.series.begin(), operand.series.end(),
            [](const GridSeries& a, const GridSeries& b) { return a.labels < b.labels; });
  GridValue out;
  switch (aggregation.op) {
    case VectorOp::approx_topk:
      return Error{Code::unsupported, "approx_topk is not yet supported", "use topk", {}, {}};
    case VectorOp::sort:
    case VectorOp::sort_desc:
      if (grid.points == 1) order_by_value(aggregation.op == VectorOp::sort_desc, operand.series);
      operand.ordered = true;
      return operand;
    case VectorOp::topk:
    case VectorOp::bottomk: {
      const bool largest = aggregation.op == VectorOp::topk;
      select_best(largest, static_cast<size_t>(aggregation.parameter.value_or(1)),
                  aggregation.grouping, grid, operand.series);
      if (grid.points == 1) order_by_value(largest, operand.series);
      operand.ordered = true;
      return operand;
    }
    default:
      break;
  }
  std::vector<Moments> scratch(grid.points);
  for (Group& one : group(operand.series, aggregation.grouping)) {
    out.series.push_back(reduce(aggregation.op, std::move(one), operand.series, scratch));
  }
  return out;
}

}  // namespace contextcore::logql
