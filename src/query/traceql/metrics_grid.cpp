#include "query/traceql/metrics_grid.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/time.h"

namespace contextcore::traceql {

namespace {

constexpr int64_t kStepsWanted = 240;
constexpr int64_t kStepsMax = 10'000;
constexpr int64_t kFinestStepNs = 50 * kMillisecondNs;
constexpr int64_t kFarNs = 9'000'000'000'000'000'000;  // year 2255: leaves room for rounding up

Error invalid(std::string message) {
  return {Code::invalid_argument, std::move(message), {}, {}, {}};
}

Status check_range(int64_t start_ns, int64_t end_ns) {
  if (end_ns <= start_ns) return invalid("end must be greater than start");
  return {};
}

}  // namespace

size_t MetricsGrid::points() const {
  return instant ? 1 : static_cast<size_t>((end_ns - start_ns) / step_ns);
}

std::optional<size_t> MetricsGrid::interval(int64_t time_ns) const {
  if (instant) {
    if (time_ns < start_ns || time_ns > end_ns) return std::nullopt;
    return 0;
  }
  if (time_ns <= start_ns || time_ns > end_ns) return std::nullopt;
  return static_cast<size_t>((time_ns - start_ns - 1) / step_ns);
}

int64_t MetricsGrid::time_of(size_t interval) const {
  return instant ? end_ns : start_ns + (static_cast<int64_t>(interval) + 1) * step_ns;
}

double MetricsGrid::step_seconds() const {
  const double ns = instant ? static_cast<double>(end_ns) - static_cast<double>(start_ns)
                            : static_cast<double>(step_ns);
  return ns / 1e9;
}

int64_t default_step(int64_t start_ns, int64_t end_ns) {
  const int64_t range_ns = end_ns - start_ns;
  const int64_t wanted = range_ns / kStepsWanted;
  if (range_ns < kMinuteNs) return std::max(wanted / kFinestStepNs * kFinestStepNs, kFinestStepNs);
  constexpr std::array<int64_t, 6> kUnits = {kHourNs,        5 * kMinuteNs, kMinuteNs,
                                             15 * kSecondNs, 5 * kSecondNs, kSecondNs};
  for (const int64_t unit : kUnits) {
    if (wanted > unit) return wanted / unit * unit;
  }
  return kSecondNs;
}

Result<MetricsGrid> range_grid(int64_t start_ns, int64_t end_ns, int64_t step_ns) {
  CC_TRY(check_range(start_ns, end_ns));
  if (start_ns < 0 || end_ns > kFarNs)
    return invalid("the range has to lie between the years 1970 and 2255");
  if (step_ns <= 0) return invalid("step must be greater than 0");
  const int64_t range_ns = end_ns - start_ns;
  if (range_ns / step_ns > kStepsMax) {
    return invalid("step of " + format_go_duration(step_ns) +
                   " is too small, minimum step for given range is " +
                   format_go_duration(range_ns / kStepsMax));
  }
  MetricsGrid grid{start_ns - start_ns % step_ns, end_ns, step_ns, false};
  if (grid.start_ns > step_ns) grid.start_ns -= step_ns;
  if (const int64_t beyond = end_ns % step_ns;
      beyond != 0 && __builtin_add_overflow(end_ns, step_ns - beyond, &grid.end_ns)) {
    return invalid("the step is too large");
  }
  return grid;
}

Result<MetricsGrid> instant_grid(int64_t start_ns, int64_t end_ns) {
  CC_TRY(check_range(start_ns, end_ns));
  return MetricsGrid{start_ns, end_ns, 0, true};
}

}  // namespace contextcore::traceql
