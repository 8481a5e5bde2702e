#pragma once
// Answers of metric queries, PromQL's and TraceQL's: a chart, a table, or JSON lines.

#include "cli/context.h"
#include "sdk/backend.h"

namespace contextcore::cli {

// chart: of a range; else the table of last values. Notes of the answer go to the error output.
void print_metrics(Context& context, const sdk::MetricAnswer& answer, bool chart);

}  // namespace contextcore::cli
