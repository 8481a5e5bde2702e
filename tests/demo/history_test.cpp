#include "demo/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/time.h"
#include "demo/draw.h"

namespace contextcore::demo {
namespace {

constexpr int64_t kUntilNs = 1'795'000'000 * kSecondNs;

DemoOptions options(int64_t tasks = 600, uint64_t seed = 42) {
  DemoOptions out;
  out.tasks = tasks;
  out.projects = 1;
  out.seed = seed;
  out.until_ns = kUntilNs;
  return out;
}

auto steps_of(const History& history) {
  std::vector<std::tuple<int64_t, uint32_t, int, uint32_t>> out;
  for (const Step& step : history.steps)
    out.emplace_back(step.time_ns, step.item, static_cast<int>(step.kind), step.detail);
  return out;
}

TEST(HistoryTest, follows_from_the_seed_alone) {
  EXPECT_EQ(steps_of(plan_history(options(), 0)), steps_of(plan_history(options(), 0)));
  EXPECT_NE(steps_of(plan_history(options(), 0)), steps_of(plan_history(options(600, 43), 0)));
  EXPECT_NE(steps_of(plan_history(options(), 0)), steps_of(plan_history(options(), 1)));
}

TEST(HistoryTest, has_as_many_items_as_asked_for_all_of_them_created) {
  for (const int64_t tasks : {1, 7, 100, 2500}) {
    const History history = plan_history(options(tasks), 0);
    EXPECT_EQ(history.items.size(), static_cast<size_t>(tasks));
    EXPECT_EQ(std::count_if(history.steps.begin(), history.steps.end(),
                            [](const Step& step) { return step.kind == StepKind::create; }),
              tasks);
  }
}

TEST(HistoryTest, time_goes_on_and_ends_at_the_end) {
  const History history = plan_history(options(), 0);
  EXPECT_TRUE(std::is_sorted(history.steps.begin(), history.steps.end(),
                             [](const Step& a, const Step& b) { return a.time_ns < b.time_ns; }));
  EXPECT_GE(history.steps.front().time_ns, history.start_ns);
  EXPECT_LE(history.steps.back().time_ns, kUntilNs);
}

TEST(HistoryTest, nothing_happens_to_an_item_or_under_a_parent_before_it_exists) {
  const History history = plan_history(options(3000), 0);
  std::set<uint32_t> created;
  for (const Step& step : history.steps) {
    if (step.item == kNoItem) continue;
    const Item& item = history.items[step.item];
    if (step.kind != StepKind::create) {
      ASSERT_TRUE(created.contains(step.item));
      continue;
    }
    for (const uint32_t before : {item.first_parent, item.depends_on}) {
      if (before == kNoItem) continue;
      ASSERT_TRUE(created.contains(before)) << step.item;
    }
    created.insert(step.item);
  }
}

TEST(HistoryTest, parents_end_after_what_they_hold) {
  const History history = plan_history(options(3000), 0);
  std::map<uint32_t, int64_t> ended;
  for (const Step& step : history.steps) {
    if (step.item == kNoItem) continue;
    const bool ends =
        step.kind == StepKind::done || step.kind == StepKind::fail || step.kind == StepKind::cancel;
    if (ends) ended[step.item] = step.time_ns;
  }
  size_t checked = 0;
  for (const auto& [number, end_ns] : ended) {
    const uint32_t parent = history.items[number].parent;
    if (parent == kNoItem || !ended.contains(parent)) continue;
    EXPECT_GE(ended[parent], end_ns) << number;
    ++checked;
  }
  EXPECT_GT(checked, 500u);
}

TEST(HistoryTest, holds_every_kind_of_step_and_item) {
  const History history = plan_history(options(3000), 0);
  std::set<StepKind> kinds;
  for (const Step& step : history.steps) kinds.insert(step.kind);
  EXPECT_EQ(kinds.size(), static_cast<size_t>(StepKind::sprint_end) + 1);
  std::set<ItemType> types;
  for (const Item& item : history.items) types.insert(item.type);
  EXPECT_EQ(types.size(), static_cast<size_t>(ItemType::incident) + 1);
}

// The shape that docs/demo.md promises: a long tail, a median well below the mean.
TEST(HistoryTest, lead_times_are_skewed) {
  const History history = plan_history(options(3000), 0);
  std::map<uint32_t, int64_t> created;
  std::vector<double> days;
  for (const Step& step : history.steps) {
    if (step.item == kNoItem || history.items[step.item].type == ItemType::epic ||
        history.items[step.item].type == ItemType::story) {
      continue;
    }
    if (step.kind == StepKind::create) created[step.item] = step.time_ns;
    if (step.kind == StepKind::done) {
      days.push_back(static_cast<double>(step.time_ns - created[step.item]) / kDayNs);
    }
  }
  ASSERT_GT(days.size(), 500u);
  std::sort(days.begin(), days.end());
  double sum = 0;
  for (const double one : days) sum += one;
  const double mean = sum / static_cast<double>(days.size());
  const double median = days[days.size() / 2];
  EXPECT_GT(mean, 1.2 * median);
  EXPECT_GT(days[days.size() * 95 / 100], 2.5 * median);
  EXPECT_GT(median, 1);
  EXPECT_LT(median, 60);
}

TEST(DrawTest, working_hours_skip_nights_and_weekends) {
  const auto at = [](const char* text) { return *parse_rfc3339(text); };
  const int64_t friday = at("2026-11-20T16:00:00Z");
  EXPECT_EQ(format_rfc3339(add_working_hours(friday, 2)), "2026-11-23T10:00:00Z");
  EXPECT_EQ(format_rfc3339(add_working_hours(friday, 0)), "2026-11-20T16:00:00Z");
  EXPECT_EQ(format_rfc3339(add_working_hours(friday, 40)), "2026-11-27T16:00:00Z");
  EXPECT_EQ(format_rfc3339(next_working_time(at("2026-11-21T03:00:00Z"))), "2026-11-23T09:00:00Z");
  EXPECT_EQ(format_rfc3339(week_start(friday)), "2026-11-16T00:00:00Z");
}

TEST(DrawTest, log_normal_has_the_median_it_is_given) {
  Draw draw(7);
  std::vector<double> values;
  for (int i = 0; i < 4001; ++i) values.push_back(draw.log_normal(5, 1));
  std::nth_element(values.begin(), values.begin() + 2000, values.end());
  EXPECT_NEAR(values[2000], 5, 0.4);
}

}  // namespace
}  // namespace contextcore::demo
