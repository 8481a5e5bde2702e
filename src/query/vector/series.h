#pragma once
// Vectors on a grid of steps, and what LogQL and PromQL do with them: labels and grouping (here), aggregation
// (aggregate.h), binary operations with matching of labels (match.h), new labels from old ones (relabel.h), quantiles
// (quantile.h). What the languages see differently is told by rules that they give. Pure functions.
//
// A vector is a list of series with distinct labels; each has a value at some of the steps.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/fetch.h"

namespace contextcore::query {

using store::LabelPairs;

struct Point {
  size_t step = 0;
  double value = 0;
};
struct GridSeries {
  LabelPairs labels;
  std::vector<Point> points;  // rising steps, gaps where there is no value
};
using GridVector = std::vector<GridSeries>;

// A number per step; a single value stands for all steps.
struct StepNumbers {
  std::vector<double> values;
  double at(size_t step) const { return values.size() == 1 ? values[0] : values[step]; }
};

// The label that names the metric.
inline constexpr std::string_view kNameLabel = "__name__";

// "" when it is not there.
std::string_view label_of(const LabelPairs& labels, std::string_view name);
// An empty value removes the label.
void set_label(LabelPairs& labels, std::string_view name, std::string value);
void drop_label(LabelPairs& labels, std::string_view name);
// A key that differs when the labels do.
std::string key_of(const LabelPairs& labels);
void sort_by_labels(GridVector& series);

struct Grouping {
  bool without = false;
  std::vector<std::string> labels;
  bool operator==(const Grouping&) const = default;
};
// by keeps the listed labels, without removes them.
LabelPairs group_labels(const LabelPairs& labels, const Grouping& grouping);
// Appends key_of(group_labels(labels, grouping)), without making these labels.
void append_key(const LabelPairs& labels, const Grouping& grouping, std::string& key);

// Adds points to the series of the same labels.
class Merger {
 public:
  void add(LabelPairs labels, std::vector<Point> points);
  // nullopt when two series of the same labels have a value at the same step.
  std::optional<GridVector> take();

 private:
  GridVector out_;
  std::unordered_map<std::string, size_t> index_;
  bool merged_ = false;
};

}  // namespace contextcore::query
