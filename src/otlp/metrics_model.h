#pragma once
// OTLP metrics as plain values (opentelemetry-proto 1.9, metrics/v1), beside model.h. Every field
// is kept but those of exponential histograms, of which only the number of data points is: this
// version refuses them. Value types; copying is deep. Times are nanoseconds since the Unix epoch.

#include <bit>
#include <optional>

#include "otlp/model.h"

namespace contextcore::otlp {

// A double that compares by its bits, so that NaN equals itself.
struct Real {
  double value = 0;
  Real() = default;
  Real(double v) : value(v) {}               // NOLINT: implicit
  operator double() const { return value; }  // NOLINT: implicit
  bool operator==(const Real& other) const {
    return std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(other.value);
  }
};

using NumberValue = std::variant<std::monostate, Real, int64_t>;  // monostate: none was set
double to_double(const NumberValue& value);

struct Exemplar {
  Attributes filtered_attributes;
  uint64_t time_ns = 0;
  NumberValue value;
  SpanId span_id;
  TraceId trace_id;
  bool operator==(const Exemplar&) const = default;
};

// DataPointFlags.
inline constexpr uint32_t kNoRecordedValue = 1;

struct NumberPoint {
  Attributes attributes;
  uint64_t start_ns = 0;
  uint64_t time_ns = 0;
  NumberValue value;
  std::vector<Exemplar> exemplars;
  uint32_t flags = 0;
  bool operator==(const NumberPoint&) const = default;
};

struct HistogramPoint {
  Attributes attributes;
  uint64_t start_ns = 0;
  uint64_t time_ns = 0;
  uint64_t count = 0;
  std::optional<Real> sum, min, max;
  std::vector<uint64_t> bucket_counts;  // as sent; one more than bounds, or none
  std::vector<Real> explicit_bounds;
  std::vector<Exemplar> exemplars;
  uint32_t flags = 0;
  bool operator==(const HistogramPoint&) const = default;
};

struct Quantile {
  Real quantile, value;
  bool operator==(const Quantile&) const = default;
};
struct SummaryPoint {
  Attributes attributes;
  uint64_t start_ns = 0;
  uint64_t time_ns = 0;
  uint64_t count = 0;
  Real sum;
  std::vector<Quantile> quantiles;
  uint32_t flags = 0;
  bool operator==(const SummaryPoint&) const = default;
};

// Numbers beyond the enum are kept as sent.
enum class Temporality : int32_t { unspecified = 0, delta = 1, cumulative = 2 };

struct Gauge {
  std::vector<NumberPoint> points;
  bool operator==(const Gauge&) const = default;
};
struct Sum {
  std::vector<NumberPoint> points;
  Temporality temporality = Temporality::unspecified;
  bool monotonic = false;
  bool operator==(const Sum&) const = default;
};
struct Histogram {
  std::vector<HistogramPoint> points;
  Temporality temporality = Temporality::unspecified;
  bool operator==(const Histogram&) const = default;
};
struct ExponentialHistogram {
  uint64_t points = 0;  // that came; their content is not kept
  bool operator==(const ExponentialHistogram&) const = default;
};
struct Summary {
  std::vector<SummaryPoint> points;
  bool operator==(const Summary&) const = default;
};

struct Metric {
  std::string name, description, unit;
  std::variant<std::monostate, Gauge, Sum, Histogram, ExponentialHistogram, Summary> data;
  Attributes metadata;
  size_t point_count() const;
  bool operator==(const Metric&) const = default;
};

struct ScopeMetrics {
  Scope scope;
  std::vector<Metric> metrics;
  bool operator==(const ScopeMetrics&) const = default;
};
struct ResourceMetrics {
  Resource resource;
  std::vector<ScopeMetrics> scope_metrics;
  bool operator==(const ResourceMetrics&) const = default;
};
// ExportMetricsServiceRequest = MetricsData.
struct MetricsData {
  std::vector<ResourceMetrics> resource_metrics;
  size_t point_count() const;
  bool operator==(const MetricsData&) const = default;
};

}  // namespace contextcore::otlp
