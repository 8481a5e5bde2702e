#pragma once
// Range aggregations that only count: entries, or the bytes of their lines. A window's value is a sum of whole numbers, so
// entries are added to the steps that see them as they come, in any order, and none is kept; and entries of a batch that
// have the same values of all that is looked at go through the pipeline once. Private to this folder.

#include <optional>

#include "query/logql/pipeline.h"
#include "query/logql/range_eval.h"

namespace contextcore::logql {

// nullopt: the aggregation is of another kind, or fails (evaluating it entry by entry tells how). grouping: by which series are told apart. request: the entries to count.
Result<std::optional<GridValue>> count_range(const RangeAggregation& aggregation, const std::optional<Grouping>& grouping,
                                             const Pipeline& pipeline, int64_t start_ns, int64_t end_ns,
                                             EvalContext& context);

}  // namespace contextcore::logql
