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

// The outermost samples of a window in which no value is below the one before it, and how many samples there are.
struct Rise {
  int64_t first_ms = 0, last_ms = 0;
  double first = 0, last = 0;
  int64_t count = 0;
};

// Cuts windows out of runs, for ends that do not fall.
class WindowCursor {
 public:
  // Of a series. REQUIRES: runs lives as long as it is asked for windows of it
  void begin(const std::vector<store::SampleRun>& runs);
  // The samples in (start, end], into window.runs.
  void cut(int64_t start_ms, int64_t end_ms, Window& window);
  // The same window where it is a rise and not empty, without looking at each of its runs; nullopt: cut() it.
  std::optional<Rise> rise(int64_t start_ms, int64_t end_ms);

 private:
  void sum_up();
  const std::vector<store::SampleRun>* runs_ = nullptr;
  size_t first_ = 0;
  // For rise(), by run: samples before it, and how often a value fell, or said that a series ends, up to it.
  std::vector<int64_t> samples_before_;
  std::vector<uint32_t> breaks_;
  size_t end_ = 0;  // of the last window
};

// nullopt: no value at this step. number: the scalar argument, where there is one.
using RangeFunction = std::optional<double> (*)(const Window& window, double number);
// The same function of a window that is a rise; window.runs is not filled in.
using RiseFunction = std::optional<double> (*)(const Window& window, const Rise& rise);

struct RangeEntry {
  std::string_view name;
  RangeFunction function;
  bool keeps_name = false;
  bool counter = false;  // means something for counters only
  RiseFunction of_rise = nullptr;
};
// nullptr when it is none, or not built.
const RangeEntry* find_range_function(std::string_view name);

}  // namespace contextcore::promql
