#pragma once
// The samples that a function over a range sees at one step, and the functions. Private to this folder.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "store/metric_source.h"

namespace contextcore::promql {

struct Window {
  std::vector<store::SampleRun> runs;  // not empty; no stale markers
  int64_t start_ms = 0;                // excluded
  int64_t end_ms = 0;                  // included
  int64_t range_ms = 0;
  int64_t step_ms = 0;  // the time of the step, without offset

  int64_t count() const {
    int64_t n = 0;
    for (const auto& run : runs) n += run.count;
    return n;
  }
  const store::SampleRun& first() const { return runs.front(); }
  const store::SampleRun& last() const { return runs.back(); }
};

// Cuts windows out of runs, for ends that do not fall.
class WindowCursor {
 public:
  explicit WindowCursor(const std::vector<store::SampleRun>& runs) : runs_(runs) {}
  // The samples in (start, end], into window.runs.
  void cut(int64_t start_ms, int64_t end_ms, Window& window);

 private:
  const std::vector<store::SampleRun>& runs_;
  size_t first_ = 0;
};

// nullopt: no value at this step. number: the scalar argument, where there is one.
using RangeFunction = std::optional<double> (*)(const Window& window, double number);

struct RangeEntry {
  std::string_view name;
  RangeFunction function;
  bool keeps_name = false;
  bool counter = false;  // means something for counters only
};
// nullptr when it is none, or not built.
const RangeEntry* find_range_function(std::string_view name);

}  // namespace contextcore::promql
