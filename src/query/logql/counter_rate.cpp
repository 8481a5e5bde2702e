#include "query/logql/counter_rate.h"

#include <algorithm>

namespace contextcore::logql {
namespace {

double seconds(double ns) { return ns / 1e9; }

// What the counter grew by, as if it had never been reset.
double growth(const RawSample* first, const RawSample* last) {
  double out = (last - 1)->value - first->value;
  double before = 0;
  for (const RawSample* at = first; at != last; ++at) {
    if (at->value < before) out += before;
    before = at->value;
  }
  return out;
}

}  // namespace

double counter_rate(const RawSample* first, const RawSample* last, int64_t range_ns,
                    int64_t end_ns) {
  if (last - first < 2) return 0;
  const double grown = growth(first, last);
  const auto begin_ns = static_cast<double>(end_ns) - static_cast<double>(range_ns);
  const double sampled = seconds(static_cast<double>((last - 1)->time_ns - first->time_ns));
  const double between = sampled / static_cast<double>(last - first - 1);
  // A sample that is far from an end of the window speaks for half a step beyond it only.
  const double far = between * 1.1;
  double to_begin = seconds(static_cast<double>(first->time_ns) - begin_ns);
  double to_end = seconds(static_cast<double>(end_ns - (last - 1)->time_ns));
  if (to_begin >= far) to_begin = between / 2;
  if (to_end >= far) to_end = between / 2;
  // A counter was not below zero.
  if (grown > 0 && first->value >= 0)
    to_begin = std::min(to_begin, sampled * (first->value / grown));
  return grown * ((sampled + to_begin + to_end) / sampled) / seconds(static_cast<double>(range_ns));
}

}  // namespace contextcore::logql
