#include "demo/draw.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "base/time.h"

namespace contextcore::demo {
namespace {

constexpr int64_t kOpenHour = 9;
constexpr int64_t kCloseHour = 17;
constexpr int64_t kWeekNs = 7 * kDayNs;
constexpr int64_t kFirstMondayNs = 4 * kDayNs;  // 1970-01-05

int64_t day_start(int64_t t_ns) { return t_ns - t_ns % kDayNs; }
int64_t weekday(int64_t t_ns) { return (t_ns / kDayNs + 3) % 7; }  // Monday is 0

}  // namespace

double Draw::uniform() { return static_cast<double>(random_.next_u64() >> 11) * 0x1.0p-53; }

int64_t Draw::between(int64_t low, int64_t high) {
  assert(low <= high);
  return low + static_cast<int64_t>(random_.below(static_cast<uint64_t>(high - low) + 1));
}

double Draw::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

double Draw::log_normal(double median, double sigma) { return median * std::exp(sigma * normal()); }

int64_t Draw::poisson(double mean) {
  const double limit = std::exp(-mean);
  int64_t count = 0;
  for (double product = uniform(); product > limit; product *= uniform()) ++count;
  return count;
}

size_t Draw::weighted(std::span<const double> weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  double left = uniform() * sum;
  for (size_t i = 0; i + 1 < weights.size(); ++i) {
    if (left < weights[i]) return i;
    left -= weights[i];
  }
  return weights.size() - 1;
}

int64_t next_working_time(int64_t t_ns) {
  for (;;) {
    const int64_t day = day_start(t_ns);
    if (weekday(t_ns) < 5) {
      if (t_ns < day + kOpenHour * kHourNs) return day + kOpenHour * kHourNs;
      if (t_ns < day + kCloseHour * kHourNs) return t_ns;
    }
    t_ns = day + kDayNs;
  }
}

int64_t add_working_hours(int64_t t_ns, double hours) {
  constexpr double kHoursPerDay = kCloseHour - kOpenHour;
  t_ns = next_working_time(t_ns);
  // Whole weeks at once: a long wait must not take long to compute.
  const auto weeks = static_cast<int64_t>(hours / (5 * kHoursPerDay));
  t_ns += weeks * kWeekNs;
  auto left_ns = static_cast<int64_t>((hours - static_cast<double>(weeks) * 5 * kHoursPerDay) *
                                      static_cast<double>(kHourNs));
  for (;;) {
    const int64_t today_ns = day_start(t_ns) + kCloseHour * kHourNs - t_ns;
    if (left_ns < today_ns) return t_ns + left_ns;
    left_ns -= today_ns;
    t_ns = next_working_time(t_ns + today_ns);
  }
}

int64_t week_start(int64_t t_ns) { return t_ns - (t_ns - kFirstMondayNs) % kWeekNs; }

}  // namespace contextcore::demo
