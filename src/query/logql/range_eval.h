#pragma once
// Range aggregations: entries to series on a grid. Private to this folder.

#include <optional>

#include "query/logql/engine.h"
#include "query/logql/series_math.h"

namespace contextcore::logql {

struct EvalContext {
  const store::Source& source;
  Grid grid;
  Limits limits;
  const std::function<bool()>& cancelled;
  Statistics& statistics;
};

// reduce: the grouping of a sum around the aggregation, where that may be applied to the entries.
Result<GridValue> evaluate(const RangeAggregation& aggregation,
                           const std::optional<std::optional<Grouping>>& reduce,
                           EvalContext& context);
// True if the sum of the aggregation's series is the aggregation of their entries together.
bool is_additive(RangeOp op);
// What is wrong in its pipeline.
Status check_pipelines(const RangeAggregation& aggregation);

}  // namespace contextcore::logql
