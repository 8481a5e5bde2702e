// Random histories: whatever is done, the stored spans are the fold of the log lines, revisions and
// times never go back, errors write nothing, and every command gives the same result when it is
// repeated.

#include <gtest/gtest.h>

#include "random_changes.h"
#include "work/names.h"

namespace contextcore::work::testing {
namespace {

class HistoryTest : public RandomChangeTest {
 protected:
  void check_order() {
    std::map<otlp::SpanId, std::tuple<int64_t, int64_t, uint64_t>> last;
    for (const auto& event : journal.events_written) {
      const auto number = [&](std::string_view key) {
        return *otlp::find(event.record.attributes, key)->as_int();
      };
      const auto& [revision, seq, time] = last[event.record.span_id];
      const std::pair now(number("revision"), number("event_seq"));
      ASSERT_GT(now, std::pair(revision, seq)) << event.record.event_name;
      ASSERT_GE(event.record.time_ns, time);
      last[event.record.span_id] = {now.first, now.second, event.record.time_ns};
    }
  }
};

TEST_F(HistoryTest, AnyHistoryIsTheFoldOfItsEvents) {
  int succeeded = 0;
  for (uint64_t seed = 0; seed < 60; seed++) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    const int64_t start = journal.now;
    journal = MemoryJournal();
    journal.now = start;
    for (int step = 0; step < 120; step++) {
      act_as(pick(random, {"claude", "other"}), pick(random, {"s1", "s2", "s3"}));
      // The clock steps back now and then; some times are given.
      journal.now += static_cast<int64_t>(random.below(30)) * kSecondNs -
                     (random.below(10) == 0 ? 60 * kSecondNs : 0);
      Command next = any_command(random);
      if (random.below(10) == 0)
        next.time_ns = journal.now - static_cast<int64_t>(random.below(100)) * kSecondNs;
      const size_t events = mark();
      const auto rows = journal.rows;
      const auto spans = journal.spans.size();
      const auto result = run(next);
      if (!result.ok()) {
        ASSERT_EQ(events, mark());
        ASSERT_EQ(rows, journal.rows);
        ASSERT_EQ(spans, journal.spans.size());
        ASSERT_NE(result.error().code, Code::corruption) << result.error().to_string();
        ASSERT_NE(result.error().code, Code::internal) << result.error().to_string();
        continue;
      }
      succeeded++;
      ASSERT_EQ(*parse(*result).find("changed")->as_bool(), events != mark());
      const auto again = run(next);
      ASSERT_TRUE(again.ok());
      ASSERT_EQ(*again, *result);
    }
    check_order();
    expect_rebuilds();
    if (HasFailure()) return;
  }
  EXPECT_GT(succeeded, 1000);
}

TEST_F(HistoryTest, AChangedLineIsNoticed) {
  create("a");
  ok("task.complete", R"({"id":"a"})");
  journal.events_written[2].record.body = otlp::Value("{not json");
  EXPECT_EQ(rebuild(journal).error().code, Code::corruption);
  journal.events_written.erase(journal.events_written.begin());
  journal.events_written[1].record.body = otlp::Value("{}");
  EXPECT_FALSE(rebuild(journal).ok());
}

}  // namespace
}  // namespace contextcore::work::testing
