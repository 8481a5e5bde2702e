#pragma once
// Random telemetry from a seed: every field now and then, extremes, odd text, nested values.

#include <cstdint>

#include "base/random.h"
#include "otlp/metrics_model.h"
#include "otlp/model.h"

namespace contextcore::otlp::test {

class RandomTelemetry {
 public:
  explicit RandomTelemetry(uint64_t seed) : random_(seed) {}

  TracesData traces();
  LogsData logs();
  MetricsData metrics();
  Span span();
  LogRecord log_record();
  Resource resource();
  Scope scope();
  Value value(int depth_max);
  // Bytes that are no message at all, or nearly one.
  std::string mutate(std::string bytes);

 private:
  bool chance(uint64_t one_in) { return random_.below(one_in) == 0; }
  uint64_t count(uint64_t max) { return random_.below(max + 1); }
  std::string text();
  uint64_t number();
  double real();
  uint32_t small();
  template <typename Id>
  Id id();
  NumberValue number_value();
  std::vector<Exemplar> exemplars();
  NumberPoint number_point();
  HistogramPoint histogram_point();
  SummaryPoint summary_point();
  Metric metric();
  Attributes attributes(uint64_t max, int depth_max = 3);

  SeededRandom random_;
};

template <typename Id>
Id RandomTelemetry::id() {
  Id out;
  if (!chance(4)) random_.fill(out.bytes.data(), out.bytes.size());
  return out;
}

}  // namespace contextcore::otlp::test
