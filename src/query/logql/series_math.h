#pragma once
// Series on a step grid: what range aggregations give and vector operations transform. Private to
// this folder.

#include <cstdint>

#include "base/result.h"
#include "query/logql/ast.h"
#include "query/logql/labels.h"
#include "query/vector/series.h"

namespace contextcore::logql {

using query::GridSeries;
using query::group_labels;
using query::key_of;
using query::Point;

struct Grid {
  int64_t start_ns = 0;
  int64_t step_ns = 1;
  size_t points = 1;
  int64_t time_ns(size_t step) const { return start_ns + static_cast<int64_t>(step) * step_ns; }
};

// A vector per step, or one number for all of them.
struct GridValue {
  bool is_scalar = false;
  double scalar = 0;
  query::GridVector series;  // distinct labels
  bool ordered = false;      // sort, topk ...: the order of series is part of the answer
};

Result<GridValue> aggregate(const VectorAggregation& aggregation, GridValue operand,
                            const Grid& grid);
Result<GridValue> combine(const BinaryOperation& operation, GridValue left, GridValue right,
                          const Grid& grid);
Result<GridValue> replace_label(const LabelReplace& replace, GridValue operand);

}  // namespace contextcore::logql
