#pragma once
// Runs metrics queries over one snapshot of the store: {…} | rate() by (span.x), arithmetic between
// such, topk, bottomk and comparisons behind them; also a query that ends in a bare aggregate, {…}
// | count(), whose number is that of the spans themselves.
//
// Whole traces are evaluated, and a matched span counts in the interval of its start. Counts are 0
// where nothing matched; a number over the values of a field has no point there. Durations are
// seconds.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "otlp/model.h"
#include "query/traceql/ast.h"
#include "query/traceql/metrics_grid.h"
#include "query/vector/series.h"
#include "store/fetch.h"

namespace contextcore::traceql {

struct MetricsOptions {
  MetricsGrid grid;
  size_t exemplars_max = 100;  // of a range; instants have none. The hint of the query comes first
  size_t series_max = 1000;    // 0: all
  // Called before each trace; an error ends the query with it (cancelled, deadline_exceeded).
  std::function<Status()> checkpoint;
};

// A span that stands for others of its interval.
struct Exemplar {
  int64_t time_ns = 0;
  double value = 0;
  otlp::Attributes labels;  // "trace:id", and what the query reads of the span
};

struct MetricsSeries {
  otlp::Attributes labels;  // typed, in the order of by(...); "__name__" alone without one
  std::vector<query::Point> points;
  std::vector<Exemplar> exemplars;
};

struct MetricsResult {
  std::vector<MetricsSeries> series;  // by labels
  bool truncated = false;             // there were more than series_max
  uint64_t inspected_traces = 0;
  uint64_t inspected_spans = 0;
};

// Whether the query gives numbers over time: search() does not answer it.
bool is_metrics_query(const Query& query);

// REQUIRES: query went through validate(). Errors: invalid_argument for a query that is no metrics
// query.
Result<MetricsResult> query_metrics(const store::Source& source, const Query& query,
                                    const MetricsOptions& options);
// Parses and validates first.
Result<MetricsResult> query_metrics(const store::Source& source, std::string_view text,
                                    const MetricsOptions& options);

}  // namespace contextcore::traceql
