#include "otlp/metrics_model.h"

namespace contextcore::otlp {

double to_double(const NumberValue& value) {
  if (const auto* real = std::get_if<Real>(&value)) return real->value;
  if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  return 0;
}

size_t Metric::point_count() const {
  if (const auto* gauge = std::get_if<Gauge>(&data)) return gauge->points.size();
  if (const auto* sum = std::get_if<Sum>(&data)) return sum->points.size();
  if (const auto* histogram = std::get_if<Histogram>(&data)) return histogram->points.size();
  if (const auto* summary = std::get_if<Summary>(&data)) return summary->points.size();
  if (const auto* other = std::get_if<ExponentialHistogram>(&data)) return other->points;
  return 0;
}

size_t MetricsData::point_count() const {
  size_t count = 0;
  for (const ResourceMetrics& resource : resource_metrics) {
    for (const ScopeMetrics& scope : resource.scope_metrics) {
      for (const Metric& metric : scope.metrics) count += metric.point_count();
    }
  }
  return count;
}

}  // namespace contextcore::otlp
