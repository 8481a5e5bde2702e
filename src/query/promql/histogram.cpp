#include "query/promql/histogram.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace contextcore::promql {
namespace {

// Differences below this share are taken for errors of rounding.
constexpr double kTolerance = 1e-12;

bool almost_equal(double a, double b) {
  constexpr double kSmallest = std::numeric_limits<double>::min();
  if (a == b) return true;
  const double sum = std::abs(a) + std::abs(b);
  const double difference = std::abs(a - b);
  if (a == 0 || b == 0 || sum < kSmallest) return difference < kTolerance * kSmallest;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kTolerance;
}

void join_equal_bounds(std::vector<Bucket>& buckets) {
  size_t kept = 0;
  for (size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].upper_bound == buckets[kept].upper_bound) {
      buckets[kept].count += buckets[i].count;
    } else {
      buckets[++kept] = buckets[i];
    }
  }
  buckets.resize(kept + 1);
}

// True if a count had to be raised by more than rounding explains.
bool make_monotonic(std::vector<Bucket>& buckets) {
  bool forced = false;
  double before = buckets[0].count;
  for (size_t i = 1; i < buckets.size(); ++i) {
    double& count = buckets[i].count;
    if (count == before) continue;
    if (almost_equal(before, count)) {
      count = before;
    } else if (count < before) {
      count = before;
      forced = true;
    } else {
      before = count;
    }
  }
  return forced;
}

}  // namespace

double bucket_quantile(double q, std::vector<Bucket>& buckets, bool& forced) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  forced = false;
  if (std::isnan(q)) return kNan;
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  std::sort(buckets.begin(), buckets.end(),
            [](const Bucket& a, const Bucket& b) { return a.upper_bound < b.upper_bound; });
  if (buckets.empty() || buckets.back().upper_bound != kInfinity) return kNan;
  join_equal_bounds(buckets);
  forced = make_monotonic(buckets);
  if (buckets.size() < 2) return kNan;
  const double observations = buckets.back().count;
  if (observations == 0) return kNan;
  const double rank = q * observations;
  const auto found = std::find_if(buckets.begin(), buckets.end() - 1, [&](const Bucket& b) { return b.count >= rank; });
  if (found == buckets.end() - 1) return buckets[buckets.size() - 2].upper_bound;
  if (found == buckets.begin()) {
    if (found->upper_bound <= 0) return found->upper_bound;
    return found->upper_bound * (rank / found->count);
  }
  const Bucket& below = *(found - 1);
  return below.upper_bound +
         (found->upper_bound - below.upper_bound) * ((rank - below.count) / (found->count - below.count));
}

std::optional<double> parse_bound(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(value)) return std::nullopt;
  return value;
}

}  // namespace contextcore::promql
