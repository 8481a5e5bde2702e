#pragma once
// Series on a step grid: what range aggregations give and vector operations transform. Private to
// this folder.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/logql/ast.h"
#include "query/logql/labels.h"

namespace contextcore::logql {

struct Grid {
  int64_t start_ns = 0;
  int64_t step_ns = 1;
  size_t points = 1;
  int64_t time_ns(size_t step) const { return start_ns + static_cast<int64_t>(step) * step_ns; }
};

struct Point {
  size_t step = 0;
  double value = 0;
};
struct GridSeries {
  LabelPairs labels;
  std::vector<Point> points;  // rising steps, gaps where there is no value
};
// A vector per step, or one number for all of them.
struct GridValue {
  bool is_scalar = false;
  double scalar = 0;
  std::vector<GridSeries> series;  // distinct labels
  bool ordered = false;            // sort, topk ...: the order of series is part of the answer
};

// A key that differs when the labels do.
std::string key_of(const LabelPairs& labels);
// by keeps the listed labels, without removes them; none keeps no label.
LabelPairs group_labels(const LabelPairs& labels, const std::optional<Grouping>& grouping);

Result<GridValue> aggregate(const VectorAggregation& aggregation, GridValue operand,
                            const Grid& grid);
Result<GridValue> combine(const BinaryOperation& operation, GridValue left, GridValue right,
                          const Grid& grid);
Result<GridValue> replace_label(const LabelReplace& replace, GridValue operand);

// False if the comparison filters the pair out. REQUIRES: op is no set operation
bool apply(BinaryOp op, bool return_bool, double left, double right, double kept, double& out);

}  // namespace contextcore::logql
