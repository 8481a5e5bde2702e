// A window that rises is told by its ends; the same window cut out run by run says the same.

#include "query/promql/window.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace contextcore::promql {
namespace {

using store::SampleRun;

// Runs with gaps, falls, NaN and ends of series, as far as the dice say.
std::vector<SampleRun> some_runs(SeededRandom& dice) {
  std::vector<SampleRun> runs;
  int64_t at_ms = static_cast<int64_t>(dice.below(50));
  double value = static_cast<double>(dice.below(5));
  const bool troubled = dice.below(2) == 0;
  for (uint64_t i = dice.below(30); i > 0; --i) {
    SampleRun run{at_ms, 0, 1 + static_cast<int64_t>(dice.below(4)), value};
    if (run.count > 1) run.step_ms = 1 + static_cast<int64_t>(dice.below(20));
    const uint64_t trouble = troubled ? dice.below(12) : 12;
    if (trouble == 0) run = {at_ms, 0, 1, store::stale_marker()};
    if (trouble == 1) run.value = std::nan("");
    if (trouble == 2) value = 0;
    runs.push_back(run);
    at_ms = run.end_ms() + 1 + static_cast<int64_t>(dice.below(30));
    value += static_cast<double>(dice.below(4));
  }
  return runs;
}

TEST(PromqlWindow, ARiseIsWhatTheWindowHas) {
  SeededRandom dice(7);
  size_t rises = 0, others = 0;
  WindowCursor cursor, check;
  for (int round = 0; round < 3000; ++round) {
    const std::vector<SampleRun> runs = some_runs(dice);
    cursor.begin(runs);
    check.begin(runs);
    const auto range_ms = static_cast<int64_t>(1 + dice.below(200));
    Window window;
    for (int64_t end_ms = 0; end_ms < 900; end_ms += static_cast<int64_t>(dice.below(60))) {
      const auto rise = cursor.rise(end_ms - range_ms, end_ms);
      check.cut(end_ms - range_ms, end_ms, window);
      bool rising = !window.runs.empty() && !std::isnan(window.first().value);
      for (size_t i = 1; i < window.runs.size(); ++i) rising = rising && window.runs[i].value >= window.runs[i - 1].value;
      if (!rise) {
        ++others;
        continue;
      }
      ++rises;
      ASSERT_TRUE(rising);
      ASSERT_EQ(rise->count, window.count());
      ASSERT_EQ(rise->first_ms, window.first().start_ms);
      ASSERT_EQ(rise->last_ms, window.last().end_ms());
      ASSERT_EQ(rise->first, window.first().value);
      ASSERT_EQ(rise->last, window.last().value);
    }
  }
  EXPECT_GT(rises, 10'000U);
  EXPECT_GT(others, 1'000U);
}

TEST(PromqlWindow, OnlyWhatFallsOrIsEmptyHasToBeCut) {
  const std::vector<SampleRun> runs = {{0, 10, 5, 1}, {60, 10, 3, 2}, {100, 0, 1, 2}, {110, 10, 4, 7}};
  WindowCursor cursor;
  cursor.begin(runs);
  for (int64_t end_ms = 5; end_ms < 160; end_ms += 5) EXPECT_TRUE(cursor.rise(end_ms - 30, end_ms)) << end_ms;
  EXPECT_FALSE(cursor.rise(170, 200));
}

}  // namespace
}  // namespace contextcore::promql
