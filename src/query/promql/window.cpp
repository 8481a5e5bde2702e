#include "query/promql/window.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "query/vector/numbers.h"

namespace contextcore::promql {
namespace {

using store::SampleRun;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

template <typename Fn>
void for_each_sample(const Window& window, Fn fn) {
  for (const SampleRun& run : window.runs) {
    for (int64_t i = 0; i < run.count; ++i) fn(run.start_ms + i * run.step_ms, run.value);
  }
}

enum class Kind : uint8_t { delta, increase, rate };

// The change over the window, carried on to its edges where samples come close enough to them: within 1.1 of their
// mean distance, else half of it. A counter is not carried on below 0. result: the change itself.
std::optional<double> extrapolated(const Window& window, const Rise& ends, double result, Kind kind) {
  if (ends.count < 2) return std::nullopt;
  if (result == 0) return result;  // times whatever follows, which is positive; most windows are so
  const bool counter = kind != Kind::delta;
  double to_start = seconds(ends.first_ms - window.start_ms);
  double to_end = seconds(window.end_ms - ends.last_ms);
  const double sampled = seconds(ends.last_ms - ends.first_ms);
  const double distance = sampled / static_cast<double>(ends.count - 1);
  const double threshold = distance * 1.1;
  if (to_start >= threshold) to_start = distance / 2;
  if (counter) {
    double to_zero = to_start;
    if (result > 0 && ends.first >= 0) to_zero = sampled * (ends.first / result);
    to_start = std::min(to_start, to_zero);
  }
  if (to_end >= threshold) to_end = distance / 2;
  double factor = sampled != 0 ? (sampled + to_start + to_end) / sampled : 1;
  if (kind == Kind::rate) factor /= seconds(window.range_ms);
  return result * factor;
}

std::optional<double> extrapolated(const Window& window, Kind kind) {
  const Rise ends{window.first().start_ms, window.last().end_ms(), window.first().value, window.last().value,
                  window.count()};
  double result = ends.last - ends.first;
  if (kind != Kind::delta) {
    double before = ends.first;
    for (const SampleRun& run : window.runs) {
      if (run.value < before) result += before;
      before = run.value;
    }
  }
  return extrapolated(window, ends, result, kind);
}

template <Kind kind>
std::optional<double> extrapolated_rise(const Window& window, const Rise& rise) {
  return extrapolated(window, rise, rise.last - rise.first, kind);
}

// The last two samples.
struct LastTwo {
  SampleRun before, last;
};
std::optional<LastTwo> last_two(const Window& window) {
  if (window.count() < 2) return std::nullopt;
  const SampleRun& run = window.last();
  const SampleRun last{run.end_ms(), 0, 1, run.value};
  if (run.count > 1) return LastTwo{{run.end_ms() - run.step_ms, 0, 1, run.value}, last};
  const SampleRun& earlier = window.runs[window.runs.size() - 2];
  return LastTwo{{earlier.end_ms(), 0, 1, earlier.value}, last};
}

std::optional<double> rate(const Window& window, double) { return extrapolated(window, Kind::rate); }
std::optional<double> increase(const Window& window, double) { return extrapolated(window, Kind::increase); }
std::optional<double> delta(const Window& window, double) { return extrapolated(window, Kind::delta); }

std::optional<double> irate(const Window& window, double) {
  const auto two = last_two(window);
  if (!two || two->last.start_ms == two->before.start_ms) return std::nullopt;
  const double change = two->last.value < two->before.value ? two->last.value : two->last.value - two->before.value;
  return change / seconds(two->last.start_ms - two->before.start_ms);
}

std::optional<double> idelta(const Window& window, double) {
  const auto two = last_two(window);
  if (!two) return std::nullopt;
  return two->last.value - two->before.value;
}

// Counts the pairs of neighbours that differ; samples of one run do not.
template <typename Differs>
std::optional<double> count_pairs(const Window& window, Differs differs) {
  double count = 0;
  for (size_t i = 1; i < window.runs.size(); ++i) {
    if (differs(window.runs[i - 1].value, window.runs[i].value)) count += 1;
  }
  return count;
}

std::optional<double> changes(const Window& window, double) {
  return count_pairs(window, [](double a, double b) { return a != b && !(std::isnan(a) && std::isnan(b)); });
}
std::optional<double> resets(const Window& window, double) {
  return count_pairs(window, [](double a, double b) { return b < a; });
}

query::Average average_of(const Window& window) {
  query::Average average;
  for (const SampleRun& run : window.runs) average.add(run.value, static_cast<double>(run.count));
  return average;
}
std::optional<double> sum_over_time(const Window& window, double) { return average_of(window).sum(); }
std::optional<double> avg_over_time(const Window& window, double) { return average_of(window).mean(); }
std::optional<double> count_over_time(const Window& window, double) { return static_cast<double>(window.count()); }
std::optional<double> first_over_time(const Window& window, double) { return window.first().value; }
std::optional<double> last_over_time(const Window& window, double) { return window.last().value; }
std::optional<double> present_over_time(const Window&, double) { return 1; }

template <typename Better>
std::optional<double> extreme(const Window& window, Better better) {
  double out = window.first().value;
  for (const SampleRun& run : window.runs) {
    if (better(run.value, out) || std::isnan(out)) out = run.value;
  }
  return out;
}
std::optional<double> max_over_time(const Window& window, double) {
  return extreme(window, [](double a, double b) { return a > b; });
}
std::optional<double> min_over_time(const Window& window, double) {
  return extreme(window, [](double a, double b) { return a < b; });
}

std::optional<double> stdvar_over_time(const Window& window, double) {
  query::Variance variance;
  for (const SampleRun& run : window.runs) variance.add(run.value, static_cast<double>(run.count));
  return variance.value();
}
std::optional<double> stddev_over_time(const Window& window, double) { return std::sqrt(*stdvar_over_time(window, 0)); }

std::optional<double> quantile_over_time(const Window& window, double q) {
  std::vector<query::Weighted> values;
  values.reserve(window.runs.size());
  for (const SampleRun& run : window.runs) values.push_back({run.value, static_cast<double>(run.count)});
  return query::quantile(q, values);
}

// Least squares; x is seconds from intercept_ms.
struct Line {
  double slope = 0, intercept = 0;
};
Line fit_line(const Window& window, int64_t intercept_ms) {
  query::CompensatedSum x_sum, y_sum, xy_sum, x2_sum;
  double n = 0;
  const double first = window.first().value;
  bool constant = true;
  for_each_sample(window, [&](int64_t time_ms, double y) {
    constant = constant && y == first;
    const double x = seconds(time_ms - intercept_ms);
    n += 1;
    x_sum.add(x);
    y_sum.add(y);
    xy_sum.add(x * y);
    x2_sum.add(x * x);
  });
  if (constant) return std::isinf(first) ? Line{kNan, kNan} : Line{0, first};
  const double covariance = xy_sum.value() - x_sum.value() * y_sum.value() / n;
  const double variance = x2_sum.value() - x_sum.value() * x_sum.value() / n;
  Line line;
  line.slope = covariance / variance;
  line.intercept = y_sum.value() / n - line.slope * x_sum.value() / n;
  return line;
}

std::optional<double> deriv(const Window& window, double) {
  if (window.count() < 2) return std::nullopt;
  return fit_line(window, window.first().start_ms).slope;
}
std::optional<double> predict_linear(const Window& window, double ahead_s) {
  if (window.count() < 2) return std::nullopt;
  const Line line = fit_line(window, window.step_ms);
  return line.slope * ahead_s + line.intercept;
}

constexpr RangeEntry kRangeFunctions[] = {
    {"avg_over_time", avg_over_time},
    {"changes", changes},
    {"count_over_time", count_over_time},
    {"delta", delta, false, false, extrapolated_rise<Kind::delta>},
    {"deriv", deriv},
    {"first_over_time", first_over_time, true},
    {"idelta", idelta},
    {"increase", increase, false, true, extrapolated_rise<Kind::increase>},
    {"irate", irate, false, true},
    {"last_over_time", last_over_time, true},
    {"max_over_time", max_over_time},
    {"min_over_time", min_over_time},
    {"predict_linear", predict_linear},
    {"present_over_time", present_over_time},
    {"quantile_over_time", quantile_over_time},
    {"rate", rate, false, true, extrapolated_rise<Kind::rate>},
    {"resets", resets},
    {"stddev_over_time", stddev_over_time},
    {"stdvar_over_time", stdvar_over_time},
    {"sum_over_time", sum_over_time},
};

}  // namespace

void WindowCursor::begin(const std::vector<SampleRun>& runs) {
  runs_ = &runs;
  first_ = end_ = 0;
  samples_before_.clear();
  breaks_.clear();
}

void WindowCursor::cut(int64_t start_ms, int64_t end_ms, Window& window) {
  const std::vector<SampleRun>& runs = *runs_;
  window.runs.clear();
  while (first_ < runs.size() && runs[first_].end_ms() <= start_ms) ++first_;
  for (size_t i = first_; i < runs.size() && runs[i].start_ms <= end_ms; ++i) {
    SampleRun run = runs[i];
    if (store::is_stale_marker(run.value)) continue;
    if (run.start_ms <= start_ms) {
      const int64_t skipped = (start_ms - run.start_ms) / run.step_ms + 1;
      run.start_ms += skipped * run.step_ms;
      run.count -= skipped;
    }
    if (run.start_ms > end_ms) break;
    if (run.end_ms() > end_ms) run.count = (end_ms - run.start_ms) / run.step_ms + 1;
    window.runs.push_back(run);
  }
}

void WindowCursor::sum_up() {
  const std::vector<SampleRun>& runs = *runs_;
  samples_before_.reserve(runs.size());
  breaks_.reserve(runs.size());
  int64_t samples = 0;
  uint32_t breaks = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    const bool rises = i == 0 ? !std::isnan(runs[i].value) : runs[i].value >= runs[i - 1].value;  // stale markers are NaN
    if (!rises) ++breaks;
    samples_before_.push_back(samples);
    breaks_.push_back(breaks);
    samples += runs[i].count;
  }
}

std::optional<Rise> WindowCursor::rise(int64_t start_ms, int64_t end_ms) {
  const std::vector<SampleRun>& runs = *runs_;
  if (samples_before_.size() != runs.size()) sum_up();
  while (first_ < runs.size() && runs[first_].end_ms() <= start_ms) ++first_;
  while (end_ < runs.size() && runs[end_].start_ms <= end_ms) ++end_;
  if (first_ >= end_) return std::nullopt;
  const SampleRun& first = runs[first_];
  const SampleRun& last = runs[end_ - 1];
  if (breaks_[end_ - 1] != breaks_[first_] || std::isnan(first.value)) return std::nullopt;
  Rise rise{first.start_ms, last.end_ms(), first.value, last.value,
            samples_before_[end_ - 1] + last.count - samples_before_[first_]};
  if (first.start_ms <= start_ms) {
    const int64_t skipped = (start_ms - first.start_ms) / first.step_ms + 1;
    rise.first_ms += skipped * first.step_ms;
    rise.count -= skipped;
  }
  if (rise.first_ms > end_ms) return std::nullopt;
  if (rise.last_ms > end_ms) {
    const int64_t left = (rise.last_ms - end_ms + last.step_ms - 1) / last.step_ms;
    rise.last_ms -= left * last.step_ms;
    rise.count -= left;
  }
  return rise;
}

const RangeEntry* find_range_function(std::string_view name) {
  for (const RangeEntry& entry : kRangeFunctions) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace contextcore::promql
