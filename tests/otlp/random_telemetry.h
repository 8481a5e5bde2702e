#pragma once
// Random telemetry from a seed: every field now and then, extremes, odd text, nested values.

#include <cstdint>

#include "base/random.h"
#include "otlp/model.h"

namespace contextcore::otlp::test {

class RandomTelemetry {
 public:
  explicit RandomTelemetry(uint64_t seed) : random_(seed) {}

  TracesData traces();
  LogsData logs();
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
  Attributes attributes(uint64_t max, int depth_max = 3);

  SeededRandom random_;
};

}  // namespace contextcore::otlp::test
