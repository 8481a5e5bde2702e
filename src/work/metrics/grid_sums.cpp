#include "work/metrics/grid_sums.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/sort.h"

namespace contextcore::work {
namespace {

constexpr int kDigitBits = 11;
constexpr size_t kFew = 256;

bool earlier(const Step& a, const Step& b) { return a.first < b.first; }

}  // namespace

// Digit by digit, since they are many and all of one grid.
std::vector<Step> by_time(std::vector<Step> changes) {
  if (std::is_sorted(changes.begin(), changes.end(), earlier)) return changes;
  if (changes.size() < kFew) {
    sort_stably(changes, earlier);
    return changes;
  }
  const auto [least, greatest] = std::minmax_element(changes.begin(), changes.end());
  const int64_t first_ms = least->first;
  const auto range = static_cast<uint64_t>(greatest->first - first_ms) / kGridMs;
  std::vector<Step> other(changes.size());
  for (int shift = 0; shift < 64 && range >> shift != 0; shift += kDigitBits) {
    const auto digit = [&](const Step& step) {
      return static_cast<uint64_t>(step.first - first_ms) / kGridMs >> shift & ((1u << kDigitBits) - 1);
    };
    std::array<size_t, 1u << kDigitBits> places{};
    for (const Step& step : changes) ++places[digit(step)];
    size_t before = 0;
    for (size_t& place : places) before += std::exchange(place, before);
    for (const Step& step : changes) other[places[digit(step)]++] = step;
    changes.swap(other);
  }
  return changes;
}

std::vector<Step> GridSums::in_order() const {
  std::vector<Step> out;
  if (changes_.empty()) return out;
  const bool ordered = std::is_sorted(changes_.begin(), changes_.end(), earlier);
  for (const Step& change : ordered ? changes_ : by_time(changes_)) {
    if (out.empty() || out.back().first != change.first) out.emplace_back(change.first, 0);
    out.back().second += change.second;
  }
  return out;
}

}  // namespace contextcore::work
