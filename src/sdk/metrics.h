#pragma once
// PromQL over the metrics of a store in this process: views over the log, and received ones.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "sdk/backend.h"
#include "store/metric_source.h"
#include "work/metrics/metric_views.h"

namespace contextcore::sdk {

Result<MetricAnswer> query_metrics(const store::MetricSource& source, const std::string& promql,
                                   const MetricOptions& options, int64_t now_ns);

}  // namespace contextcore::sdk
