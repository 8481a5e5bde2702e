#include "otlp/reference.h"

namespace contextcore::otlp::test {
namespace {

template <typename Id>
std::string id_bytes(const Id& id) {
  return id.empty() ? std::string() : std::string(id.bytes.begin(), id.bytes.end());
}

template <typename Message>
void write_value(const NumberValue& value, Message& out) {
  if (const auto* real = std::get_if<Real>(&value)) out.set_as_double(real->value);
  if (const auto* integer = std::get_if<int64_t>(&value)) out.set_as_int(*integer);
}

template <typename Point, typename Message>
void write_common(const Point& point, Message& out) {
  write_reference(point.attributes, *out.mutable_attributes());
  out.set_start_time_unix_nano(point.start_ns);
  out.set_time_unix_nano(point.time_ns);
  out.set_flags(point.flags);
}

template <typename Message>
void write_exemplars(const std::vector<Exemplar>& exemplars, Message& out) {
  for (const Exemplar& exemplar : exemplars) {
    auto& item = *out.add_exemplars();
    write_reference(exemplar.filtered_attributes, *item.mutable_filtered_attributes());
    item.set_time_unix_nano(exemplar.time_ns);
    write_value(exemplar.value, item);
    item.set_span_id(id_bytes(exemplar.span_id));
    item.set_trace_id(id_bytes(exemplar.trace_id));
  }
}

void write(const NumberPoint& point, reference::NumberDataPoint& out) {
  write_common(point, out);
  write_value(point.value, out);
  write_exemplars(point.exemplars, out);
}

void write(const HistogramPoint& point, reference::HistogramDataPoint& out) {
  write_common(point, out);
  write_exemplars(point.exemplars, out);
  out.set_count(point.count);
  if (point.sum) out.set_sum(*point.sum);
  if (point.min) out.set_min(*point.min);
  if (point.max) out.set_max(*point.max);
  for (const uint64_t count : point.bucket_counts) out.add_bucket_counts(count);
  for (const Real& bound : point.explicit_bounds) out.add_explicit_bounds(bound);
}

void write(const SummaryPoint& point, reference::SummaryDataPoint& out) {
  write_common(point, out);
  out.set_count(point.count);
  out.set_sum(point.sum);
  for (const Quantile& quantile : point.quantiles) {
    auto& item = *out.add_quantile_values();
    item.set_quantile(quantile.quantile);
    item.set_value(quantile.value);
  }
}

void write(const Metric& metric, reference::Metric& out) {
  out.set_name(metric.name);
  out.set_description(metric.description);
  out.set_unit(metric.unit);
  write_reference(metric.metadata, *out.mutable_metadata());
  const auto points = [](const auto& from, auto& to) {
    for (const auto& point : from.points) write(point, *to.add_data_points());
  };
  if (const auto* gauge = std::get_if<Gauge>(&metric.data)) points(*gauge, *out.mutable_gauge());
  if (const auto* sum = std::get_if<Sum>(&metric.data)) {
    points(*sum, *out.mutable_sum());
    out.mutable_sum()->set_aggregation_temporality(
        static_cast<reference::AggregationTemporality>(sum->temporality));
    out.mutable_sum()->set_is_monotonic(sum->monotonic);
  }
  if (const auto* histogram = std::get_if<Histogram>(&metric.data)) {
    points(*histogram, *out.mutable_histogram());
    out.mutable_histogram()->set_aggregation_temporality(
        static_cast<reference::AggregationTemporality>(histogram->temporality));
  }
  if (const auto* summary = std::get_if<Summary>(&metric.data)) {
    points(*summary, *out.mutable_summary());
  }
  if (const auto* other = std::get_if<ExponentialHistogram>(&metric.data)) {
    auto& to = *out.mutable_exponential_histogram();
    for (uint64_t i = 0; i < other->points; ++i) to.add_data_points();
  }
}

}  // namespace

reference::MetricsData to_reference(const MetricsData& data) {
  reference::MetricsData out;
  for (const ResourceMetrics& resource_metrics : data.resource_metrics) {
    auto& outer = *out.add_resource_metrics();
    write_reference(resource_metrics.resource, *outer.mutable_resource());
    outer.set_schema_url(resource_metrics.resource.schema_url);
    for (const ScopeMetrics& scope_metrics : resource_metrics.scope_metrics) {
      auto& inner = *outer.add_scope_metrics();
      write_reference(scope_metrics.scope, *inner.mutable_scope());
      inner.set_schema_url(scope_metrics.scope.schema_url);
      for (const Metric& metric : scope_metrics.metrics) write(metric, *inner.add_metrics());
    }
  }
  return out;
}

}  // namespace contextcore::otlp::test
