#pragma once
// Aggregation of a vector over its series, step by step.

#include <cstdint>

#include "base/result.h"
#include "query/vector/series.h"

namespace contextcore::query {

enum class AggregateOp : uint8_t { sum, avg, max, min, count, group, stddev, stdvar, quantile };

// Series with distinct labels whose points are made when they are asked for, so that those of a group need not be kept all
// at once.
class SeriesOnDemand {
 public:
  virtual ~SeriesOnDemand() = default;
  virtual size_t size() const = 0;
  virtual const LabelPairs& labels(size_t series) const = 0;
  // Borrowed until the next call.
  virtual Result<const std::vector<Point>*> points(size_t series) = 0;
};

// What each group gives at a step where it has a value. q: of quantile, else unused.
Result<GridVector> aggregate(AggregateOp op, const Grouping& grouping, SeriesOnDemand& series, size_t points,
                             const StepNumbers& q = {{0}});
GridVector aggregate(AggregateOp op, const Grouping& grouping, const GridVector& series, size_t points,
                     const StepNumbers& q = {{0}});

// The k best of each group at each step keep their own labels; NaN is worse than any number. Series stay in their
// order, in which earlier ones win ties.
GridVector select_best(bool largest, const StepNumbers& k, const Grouping& grouping, GridVector series, size_t points);

// By value, NaN last, then by labels. REQUIRES: one point each
void sort_by_value(bool descending, GridVector& series);

}  // namespace contextcore::query
