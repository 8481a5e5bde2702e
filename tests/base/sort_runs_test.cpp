#include "base/sort_runs.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "base/random.h"

namespace contextcore {
namespace {

using Item = std::pair<int, size_t>;  // what it is sorted by, where it was

bool before(const Item& a, const Item& b) { return a.first < b.first; }

// Equal items stay in their order, whatever the number of runs.
TEST(SortRuns, SortsStably) {
  SeededRandom random(7);
  for (size_t round = 0; round < 300; ++round) {
    std::vector<Item> items;
    const size_t runs = random.below(9);
    for (size_t run = 0; run < runs; ++run) {
      int value = static_cast<int>(random.below(20));
      for (size_t i = random.below(12); i > 0; --i) {
        items.emplace_back(value, items.size());
        value += static_cast<int>(random.below(3));
      }
    }
    std::multimap<int, size_t> expected;
    for (const Item& item : items) expected.insert(item);
    sort_runs(items, before);
    ASSERT_EQ(items, std::vector<Item>(expected.begin(), expected.end())) << "round " << round;
  }
}

TEST(SortRuns, MovesWhatCannotBeCopied) {
  std::vector<std::unique_ptr<int>> items;
  for (const int value : {3, 5, 1, 4, 2}) items.push_back(std::make_unique<int>(value));
  sort_runs(items, [](const auto& a, const auto& b) { return *a < *b; });
  std::vector<int> values;
  for (const auto& item : items) values.push_back(*item);
  EXPECT_EQ(values, (std::vector<int>{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace contextcore
