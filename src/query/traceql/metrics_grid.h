#pragma once
// The intervals of a metrics query. Open at the left, closed at the right, each stamped with its
// right end; those of a range lie on multiples of the step, so that a query gives the same numbers
// whenever it is asked again.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/result.h"

namespace contextcore::traceql {

struct MetricsGrid {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  int64_t step_ns = 0;
  bool instant = false;  // one closed interval [start, end]

  size_t points() const;
  std::optional<size_t> interval(int64_t time_ns) const;
  int64_t time_of(size_t interval) const;
  double step_seconds() const;
};

// About 240 intervals, rounded down to a multiple of 1 h, 5 min, 1 min, 15 s, 5 s or 1 s; below a
// minute of 50 ms.
int64_t default_step(int64_t start_ns, int64_t end_ns);

// The start goes down to a multiple of the step and one interval further back, the end up to a
// multiple. Errors: invalid_argument for an empty range, a step that is not positive, more than
// 10,000 steps.
Result<MetricsGrid> range_grid(int64_t start_ns, int64_t end_ns, int64_t step_ns);
Result<MetricsGrid> instant_grid(int64_t start_ns, int64_t end_ns);

}  // namespace contextcore::traceql
