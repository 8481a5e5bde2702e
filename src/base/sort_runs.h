#pragma once
// A sort for what mostly is sorted already, in parts: several sorted lists one after the other.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace contextcore {

// Stable. Costs a look at each item, and as many merges of all of them as it takes to make the runs one.
template <typename T, typename Less>
void sort_runs(std::vector<T>& items, Less less) {
  std::vector<size_t> ends;  // of the runs
  for (size_t i = 1; i < items.size(); ++i) {
    if (less(items[i], items[i - 1])) ends.push_back(i);
  }
  if (ends.empty()) return;
  ends.push_back(items.size());
  const auto at = [&items](size_t i) {
    return std::make_move_iterator(items.begin() + static_cast<std::ptrdiff_t>(i));
  };
  while (ends.size() > 1) {
    std::vector<T> merged;
    merged.reserve(items.size());
    std::vector<size_t> merged_ends;
    size_t begin = 0;
    for (size_t i = 0; i < ends.size(); i += 2) {
      const size_t middle = ends[i], end = ends[std::min(i + 1, ends.size() - 1)];
      std::merge(at(begin), at(middle), at(middle), at(end), std::back_inserter(merged), less);
      merged_ends.push_back(end);
      begin = end;
    }
    items = std::move(merged);
    ends = std::move(merged_ends);
  }
}

}  // namespace contextcore
