#pragma once
// Sums by times of the grid of metrics, of very many changes.

#include <cstdint>
#include <vector>

#include "work/metrics/metric_build.h"

namespace contextcore::work {

// By times, equal ones as they were.
std::vector<Step> by_time(std::vector<Step> changes);

class GridSums {
 public:
  // REQUIRES: at_ms is a time of the grid
  void add(int64_t at_ms, double value) { changes_.emplace_back(at_ms, value); }
  // A sum for each time that has a change, times rising. Changes of one time are added in the order in which they came.
  std::vector<Step> in_order() const;

 private:
  std::vector<Step> changes_;
};

}  // namespace contextcore::work
