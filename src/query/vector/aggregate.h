#pragma once
// Aggregation of a vector over its series, step by step.

#include <cstdint>

#include "base/result.h"
#include "query/vector/series.h"

namespace contextcore::query {

enum class AggregateOp : uint8_t { sum, avg, max, min, count, group, stddev, stdvar, quantile };

// What each group gives at a step where it has a value. q: of quantile, else unused.
GridVector aggregate(AggregateOp op, const Grouping& grouping, const GridVector& series, size_t points,
                     const StepNumbers& q = {{0}});

// The k best of each group at each step keep their own labels; NaN is worse than any number. Series stay in their
// order, in which earlier ones win ties.
GridVector select_best(bool largest, const StepNumbers& k, const Grouping& grouping, GridVector series, size_t points);

// By value, NaN last, then by labels. REQUIRES: one point each
void sort_by_value(bool descending, GridVector& series);

}  // namespace contextcore::query
