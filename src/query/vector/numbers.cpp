#include "query/vector/numbers.h"

#include <algorithm>

namespace contextcore::query {
namespace {

bool sorts_before(double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; }

// True if q itself decides the answer.
bool is_outside(double q, double& out) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!std::isnan(q) && q >= 0 && q <= 1) return false;
  out = std::isnan(q) ? q : q < 0 ? -kInfinity : kInfinity;
  return true;
}

}  // namespace

double quantile(double q, std::vector<double>& values) {
  double out = 0;
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (is_outside(q, out)) return out;
  std::sort(values.begin(), values.end(), sorts_before);
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto lower = static_cast<size_t>(std::floor(rank));
  const size_t upper = std::min(lower + 1, values.size() - 1);
  const double weight = rank - std::floor(rank);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

double quantile(double q, std::vector<Weighted>& values) {
  double out = 0;
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (is_outside(q, out)) return out;
  std::sort(values.begin(), values.end(),
            [](const Weighted& a, const Weighted& b) { return sorts_before(a.value, b.value); });
  double count = 0;
  for (const Weighted& one : values) count += one.times;
  const double rank = q * (count - 1);
  const double lower = std::floor(rank), upper = std::min(lower + 1, count - 1);
  const double weight = rank - lower;
  const auto at = [&](double index) {
    for (const Weighted& one : values) {
      if (index < one.times) return one.value;
      index -= one.times;
    }
    return values.back().value;
  };
  return at(lower) * (1 - weight) + at(upper) * weight;
}

}  // namespace contextcore::query
