#pragma once
// TraceQL that gives numbers: over a store in this process, and from a server's answer.

#include <string>
#include <string_view>

#include "base/result.h"
#include "sdk/backend.h"
#include "store/fetch.h"

namespace contextcore::sdk {

Result<MetricAnswer> query_span_metrics(const store::Source& source, const std::string& traceql,
                                        const SpanMetricOptions& options);
// Of /api/metrics/query_range, or of /api/metrics/query for an instant.
Result<MetricAnswer> parse_span_metrics_answer(std::string_view json, bool instant);

}  // namespace contextcore::sdk
