#include "otlp/random_telemetry.h"

namespace contextcore::otlp::test {

NumberValue RandomTelemetry::number_value() {
  if (chance(5)) return {};
  if (chance(2)) return Real(real());
  return static_cast<int64_t>(chance(2) ? number() : ~number());
}

std::vector<Exemplar> RandomTelemetry::exemplars() {
  std::vector<Exemplar> out;
  for (uint64_t n = chance(3) ? count(2) : 0; n > 0; --n) {
    out.push_back({attributes(2), number(), number_value(), id<SpanId>(), id<TraceId>()});
  }
  return out;
}

NumberPoint RandomTelemetry::number_point() {
  return {attributes(3), number(), number(), number_value(), exemplars(), small()};
}

HistogramPoint RandomTelemetry::histogram_point() {
  HistogramPoint out;
  out.attributes = attributes(3);
  out.start_ns = number();
  out.time_ns = number();
  out.count = number();
  if (chance(2)) out.sum = Real(real());
  if (chance(3)) out.min = Real(real());
  if (chance(3)) out.max = Real(real());
  for (uint64_t n = count(20); n > 0; --n) out.bucket_counts.push_back(number());
  for (uint64_t n = count(20); n > 0; --n) out.explicit_bounds.emplace_back(real());
  out.exemplars = exemplars();
  out.flags = small();
  return out;
}

SummaryPoint RandomTelemetry::summary_point() {
  SummaryPoint out;
  out.attributes = attributes(3);
  out.start_ns = number();
  out.time_ns = number();
  out.count = number();
  out.sum = Real(chance(2) ? real() : 0);
  for (uint64_t n = count(4); n > 0; --n) out.quantiles.push_back({Real(real()), Real(real())});
  out.flags = small();
  return out;
}

Metric RandomTelemetry::metric() {
  Metric out;
  out.name = text();
  out.description = text();
  out.unit = text();
  const auto temporality = static_cast<Temporality>(count(3));
  switch (random_.below(6)) {
    case 0:
      break;
    case 1: {
      auto& gauge = out.data.emplace<Gauge>();
      for (uint64_t n = count(3); n > 0; --n) gauge.points.push_back(number_point());
      break;
    }
    case 2: {
      auto& sum = out.data.emplace<Sum>();
      for (uint64_t n = count(3); n > 0; --n) sum.points.push_back(number_point());
      sum.temporality = temporality;
      sum.monotonic = chance(2);
      break;
    }
    case 3: {
      auto& histogram = out.data.emplace<Histogram>();
      for (uint64_t n = count(3); n > 0; --n) histogram.points.push_back(histogram_point());
      histogram.temporality = temporality;
      break;
    }
    case 4: {
      auto& summary = out.data.emplace<Summary>();
      for (uint64_t n = count(3); n > 0; --n) summary.points.push_back(summary_point());
      break;
    }
    default:
      out.data = ExponentialHistogram{count(3)};
  }
  out.metadata = attributes(2);
  return out;
}

MetricsData RandomTelemetry::metrics() {
  MetricsData out;
  for (uint64_t n = count(2); n > 0; --n) {
    ResourceMetrics& outer = out.resource_metrics.emplace_back();
    outer.resource = resource();
    outer.resource.schema_url = text();
    for (uint64_t k = count(2); k > 0; --k) {
      ScopeMetrics& inner = outer.scope_metrics.emplace_back();
      inner.scope = scope();
      inner.scope.schema_url = text();
      for (uint64_t m = count(4); m > 0; --m) inner.metrics.push_back(metric());
    }
  }
  return out;
}

}  // namespace contextcore::otlp::test
