// Claims of work that happened before it was recorded: leases run at the given times.

#include <gmock/gmock.h>

#include "bench.h"

namespace contextcore::work::testing {
namespace {

using ::testing::Contains;

class BackdatedClaimTest : public WorkTest {
 protected:
  static constexpr int64_t kHour = 3600;
  void SetUp() override {
    start_ns_ = journal.now - 30 * kDayNs;
    at(0, "task.create", R"({"id":"a","title":"a"})");
    act_as("claude", "s1");
    at(kHour, "task.claim", R"({"id":"a","lease_seconds":7200})");
  }
  Command timed(int64_t seconds, std::string_view op, std::string_view args) {
    Command out = command(op, args);
    out.time_ns = start_ns_ + seconds * kSecondNs;
    return out;
  }
  void at(int64_t seconds, std::string_view op, std::string_view args) {
    ok(timed(seconds, op, args));
  }
  int64_t start_ns_ = 0;
};

TEST_F(BackdatedClaimTest, holds_within_its_lease) {
  act_as("gpt", "s2");
  EXPECT_EQ(fails(timed(2 * kHour, "task.claim", R"({"id":"a"})")).code, Code::conflict);
  EXPECT_EQ(fails(timed(2 * kHour, "task.complete", R"({"id":"a"})")).code, Code::conflict);
  act_as("claude", "s1");
  const size_t from = mark();
  at(2 * kHour, "task.complete", R"({"id":"a"})");
  EXPECT_EQ(field("a", "status"), "\"done\"");
  EXPECT_THAT(events_since(from), Contains("task.released"));
  expect_rebuilds();
}

TEST_F(BackdatedClaimTest, ends_with_its_lease) {
  EXPECT_EQ(fails(timed(4 * kHour, "task.complete", R"({"id":"a"})")).code, Code::conflict);
  act_as("gpt", "s2");
  const size_t from = mark();
  at(4 * kHour, "task.claim", R"({"id":"a","lease_seconds":3600})");
  EXPECT_THAT(events_since(from), Contains("task.released"));
  at(4 * kHour, "task.complete", R"({"id":"a"})");
  expect_rebuilds();
}

TEST_F(BackdatedClaimTest, is_over_for_who_works_now) {
  act_as("gpt", "s2");
  ok("task.claim", R"({"id":"a"})");
  ok("task.complete", R"({"id":"a"})");
}

TEST_F(BackdatedClaimTest, a_time_in_the_future_ends_no_lease) {
  create("b");
  ok("task.claim", R"({"id":"b","lease_seconds":600})");
  act_as("gpt", "s2");
  Command later = command("task.claim", R"({"id":"b"})");
  later.time_ns = journal.now + kDayNs;
  EXPECT_EQ(fails(later).code, Code::conflict);
}

}  // namespace
}  // namespace contextcore::work::testing
