#include "query/vector/aggregate.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "query/vector/numbers.h"

namespace contextcore::query {
namespace {

struct Group {
  LabelPairs labels;
  std::vector<size_t> members;
};

// labels(i): of series i of so many.
template <typename LabelsOf>
std::vector<Group> group(size_t series, const Grouping& grouping, LabelsOf labels) {
  std::vector<Group> groups;
  std::unordered_map<std::string, size_t> index;
  std::string key;
  for (size_t i = 0; i < series; ++i) {
    key.clear();
    append_key(labels(i), grouping, key);
    const auto [at, is_new] = index.try_emplace(key, groups.size());
    if (is_new) groups.push_back({group_labels(labels(i), grouping), {}});
    groups[at->second].members.push_back(i);
  }
  return groups;
}

// The numbers of one group at one step.
struct Moments {
  size_t count = 0;
  double min = 0, max = 0;
  Average average;
  Variance variance;

  void add(AggregateOp op, double value) {
    if (op == AggregateOp::sum || op == AggregateOp::avg) average.add(value, 1);
    if (op == AggregateOp::min && (count == 0 || value < min || std::isnan(min))) min = value;
    if (op == AggregateOp::max && (count == 0 || value > max || std::isnan(max))) max = value;
    if (op == AggregateOp::stddev || op == AggregateOp::stdvar) variance.add(value, 1);
    ++count;
  }
  double result(AggregateOp op) const {
    switch (op) {
      case AggregateOp::sum:
        return average.sum();
      case AggregateOp::avg:
        return average.mean();
      case AggregateOp::max:
        return max;
      case AggregateOp::min:
        return min;
      case AggregateOp::stdvar:
        return variance.value();
      case AggregateOp::stddev:
        return std::sqrt(variance.value());
      case AggregateOp::group:
        return 1;
      case AggregateOp::count:
      case AggregateOp::quantile:
        break;
    }
    return static_cast<double>(count);
  }
};

Result<GridSeries> reduce(AggregateOp op, Group group, SeriesOnDemand& series, std::vector<Moments>& scratch) {
  for (const size_t member : group.members) {
    CC_ASSIGN(const std::vector<Point>* points, series.points(member));
    for (const Point& point : *points) scratch[point.step].add(op, point.value);
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

Result<GridSeries> quantiles(Group group, SeriesOnDemand& series, const StepNumbers& q,
                             std::vector<std::vector<double>>& scratch) {
  for (const size_t member : group.members) {
    CC_ASSIGN(const std::vector<Point>* points, series.points(member));
    for (const Point& point : *points) scratch[point.step].push_back(point.value);
  }
  GridSeries out;
  out.labels = std::move(group.labels);
  for (size_t step = 0; step < scratch.size(); ++step) {
    if (scratch[step].empty()) continue;
    out.points.push_back({step, quantile(q.at(step), scratch[step])});
    scratch[step].clear();
  }
  return out;
}

class SeriesAtHand : public SeriesOnDemand {
 public:
  explicit SeriesAtHand(const GridVector& series) : series_(series) {}
  size_t size() const override { return series_.size(); }
  const LabelPairs& labels(size_t series) const override { return series_[series].labels; }
  Result<const std::vector<Point>*> points(size_t series) override { return &series_[series].points; }

 private:
  const GridVector& series_;
};

// NaN is worse than any number, in both directions.
bool better(bool largest, double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  return largest ? a > b : a < b;
}

// How many a step may keep; k as people give it.
size_t limit_of(double k, size_t candidates) {
  if (!(k >= 1)) return 0;
  return k >= static_cast<double>(candidates) ? candidates : static_cast<size_t>(k);
}

}  // namespace

Result<GridVector> aggregate(AggregateOp op, const Grouping& grouping, SeriesOnDemand& series, size_t points,
                             const StepNumbers& q) {
  std::vector<Group> groups =
      group(series.size(), grouping, [&](size_t i) -> const LabelPairs& { return series.labels(i); });
  std::vector<Moments> moments(op == AggregateOp::quantile ? 0 : points);
  std::vector<std::vector<double>> values(op == AggregateOp::quantile ? points : 0);
  GridVector out;
  for (Group& one : groups) {
    CC_ASSIGN(GridSeries result, op == AggregateOp::quantile ? quantiles(std::move(one), series, q, values)
                                                             : reduce(op, std::move(one), series, moments));
    if (!result.points.empty()) out.push_back(std::move(result));
  }
  return out;
}

GridVector aggregate(AggregateOp op, const Grouping& grouping, const GridVector& series, size_t points,
                     const StepNumbers& q) {
  SeriesAtHand at_hand(series);
  return *aggregate(op, grouping, at_hand, points, q);  // these points cannot fail
}

void sort_by_value(bool descending, GridVector& series) {
  std::sort(series.begin(), series.end(), [&](const GridSeries& a, const GridSeries& b) {
    const double left = a.points.front().value, right = b.points.front().value;
    if (better(descending, left, right) || better(descending, right, left)) return better(descending, left, right);
    return a.labels < b.labels;
  });
}

GridVector select_best(bool largest, const StepNumbers& k, const Grouping& grouping, GridVector series, size_t points) {
  GridVector out(series.size());
  std::vector<std::vector<std::pair<double, size_t>>> steps(points);
  for (const Group& one : group(series.size(), grouping, [&](size_t i) -> const LabelPairs& { return series[i].labels; })) {
    for (const size_t member : one.members) {
      for (const Point& point : series[member].points) steps[point.step].emplace_back(point.value, member);
    }
    for (size_t step = 0; step < steps.size(); ++step) {
      auto& candidates = steps[step];
      if (candidates.empty()) continue;
      std::sort(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) {
        if (better(largest, a.first, b.first) || better(largest, b.first, a.first)) {
          return better(largest, a.first, b.first);
        }
        return a.second < b.second;
      });
      const size_t limit = limit_of(k.at(step), candidates.size());
      for (size_t i = 0; i < limit; ++i) out[candidates[i].second].points.push_back({step, candidates[i].first});
      candidates.clear();
    }
  }
  for (size_t i = 0; i < series.size(); ++i) out[i].labels = std::move(series[i].labels);
  std::erase_if(out, [](const GridSeries& one) { return one.points.empty(); });
  return out;
}

}  // namespace contextcore::query
