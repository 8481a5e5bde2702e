// Clock, Random, Executor, log and Result: small things, a few tests each.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"

namespace contextcore {
namespace {

TEST(Clock, RealOneMovesForward) {
  const int64_t before = real_clock().monotonic_ns();
  real_clock().sleep_ns(1000);
  real_clock().sleep_ns(-5);
  EXPECT_GE(real_clock().monotonic_ns() - before, 1000);
  EXPECT_GT(real_clock().wall_ns(), 1'700'000'000'000'000'000);
  EXPECT_EQ(real_clock().boot_id(), real_clock().boot_id());
}

TEST(Clock, ManualOneObeys) {
  ManualClock clock(1000);
  EXPECT_EQ(clock.wall_ns(), 1000);
  const int64_t start = clock.monotonic_ns();
  clock.sleep_ns(5);
  clock.sleep_ns(-5);
  clock.advance_ns(10);
  EXPECT_EQ(clock.wall_ns(), 1015);
  EXPECT_EQ(clock.monotonic_ns() - start, 15);
  clock.set_wall_ns(3);
  EXPECT_EQ(clock.wall_ns(), 3);
  EXPECT_EQ(clock.monotonic_ns() - start, 15);
  clock.set_boot_id("second");
  EXPECT_EQ(clock.boot_id(), "second");
}

TEST(Random, SeededOneRepeats) {
  // The reference values of splitmix64 for seed 1234567.
  SeededRandom reference(1234567);
  EXPECT_EQ(reference.next_u64(), 6457827717110365317U);
  EXPECT_EQ(reference.next_u64(), 3203168211198807973U);
  SeededRandom a(1), b(1), c(2);
  std::array<char, 37> x{}, y{};
  a.fill(x.data(), x.size());
  b.fill(y.data(), y.size());
  EXPECT_EQ(x, y);
  c.fill(y.data(), y.size());
  EXPECT_NE(x, y);
}

TEST(Random, BelowIsBoundedAndMeetsAll) {
  SeededRandom random(8);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) ++seen[random.below(7)];
  for (const int count : seen) {
    EXPECT_GT(count, 800);
    EXPECT_LT(count, 1200);
  }
  EXPECT_EQ(random.below(1), 0U);
  const uint64_t half = (uint64_t{1} << 63) + 1;
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below(half), half);
}

TEST(Random, RealOneDoesNotRepeat) {
  EXPECT_NE(real_random().next_u64(), real_random().next_u64());
  real_random().fill(nullptr, 0);
}

TEST(Random, UuidsAreVersion7AndSortByTime) {
  SeededRandom random(8);
  const std::string id = uuid_v7(0x0123456789ab * 1'000'000 + 999'999, random);
  EXPECT_THAT(id,
              testing::MatchesRegex("01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_LT(id, uuid_v7(0x0123456789ac * 1'000'000, random));
  EXPECT_EQ(uuid_v7(-5, random).substr(0, 13), "00000000-0000");
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(uuid_v7(1, random));
  EXPECT_EQ(ids.size(), 1000U);
}

TEST(Executor, RunsEverythingPostedBeforeStop) {
  const auto executor = make_thread_executor("test-executor-with-a-long-name", 3);
  std::atomic<int> count = 0;
  for (int i = 0; i < 1000; ++i) {
    executor->post([&] {
      executor->post([&] { ++count; });
      ++count;
    });
  }
  executor->stop();
  // What ran before stop() may have posted; what ran after it was refused.
  EXPECT_GE(count.load(), 1000);
  const int before = count.load();
  executor->post([&] { ++count; });
  executor->post_after(1, [&] { ++count; });
  executor->stop();
  EXPECT_EQ(count.load(), before);
}

TEST(Executor, RunsInParallel) {
  const auto executor = make_thread_executor("parallel", 2);
  // Each waits for the other: with one thread this would never end.
  std::promise<void> first, second;
  std::promise<void> done;
  executor->post([&] {
    first.set_value();
    second.get_future().wait();
    done.set_value();
  });
  executor->post([&] {
    first.get_future().wait();
    second.set_value();
  });
  done.get_future().wait();
}

TEST(Executor, TimersRunInOrderAndNotEarly) {
  const auto executor = make_thread_executor("timers", 1);
  std::vector<int> order;
  std::promise<void> done;
  const int64_t start = real_clock().monotonic_ns();
  int64_t ran_at = 0;
  std::promise<void> posted;
  executor->post([&] { posted.get_future().wait(); });
  executor->post_after(3'000'000, [&] {
    order.push_back(3);
    ran_at = real_clock().monotonic_ns();
    done.set_value();
  });
  executor->post_after(1'000'000, [&] { order.push_back(1); });
  executor->post_after(2'000'000, [&] { order.push_back(2); });
  executor->post_after(-1, [&] { order.push_back(0); });
  posted.set_value();
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_GE(ran_at - start, 3'000'000);
}

TEST(Executor, StopDropsTimersThatAreNotDue) {
  auto executor = make_thread_executor("drop", 0);
  bool ran = false;
  auto held = std::make_shared<int>(1);
  executor->post_after(INT64_MAX, [&ran, held] { ran = true; });
  EXPECT_EQ(held.use_count(), 2);
  executor->stop();
  EXPECT_EQ(held.use_count(), 1);
  executor.reset();
  EXPECT_FALSE(ran);
}

class LogTest : public testing::Test {
 protected:
  LogTest() {
    set_log_sink([this](std::string_view line) { lines_.emplace_back(line); });
  }
  ~LogTest() override {
    set_log_sink({});
    set_log_level(LogLevel::off);
  }
  std::vector<std::string> lines_;
};

TEST_F(LogTest, IsSilentUntilTold) {
  log_error("nobody hears this");
  EXPECT_TRUE(lines_.empty());
  set_log_level(LogLevel::warn);
  log_debug("no");
  log_info("no");
  log_warn("yes", {{"n", 3}, {"text", "two words"}});
  log_error("yes");
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_THAT(lines_[0], testing::HasSubstr("Z WARN yes n=3 text=\"two words\"\n"));
  EXPECT_THAT(lines_[1], testing::HasSubstr("Z ERROR yes\n"));
}

TEST_F(LogTest, FormatsOneLineWhateverIsLogged) {
  EXPECT_EQ(format_log_line(1'795'361'069'005'456'789, LogLevel::info, "started",
                            {{"port", 4319},
                             {"ok", true},
                             {"url", "http://x/y"},
                             {"empty", ""},
                             {"odd", std::string("a=\"b\"\nc")}}),
            "2026-11-22T15:24:29.005Z INFO started port=4319 ok=true url=http://x/y empty=\"\" "
            "odd=\"a=\\\"b\\\"\\nc\"\n");
  EXPECT_EQ(format_log_line(-1, LogLevel::error, "two\nlines", {}),
            "1969-12-31T23:59:59.999Z ERROR \"two\\nlines\"\n");
}

TEST_F(LogTest, ThreadsDoNotMixTheirLines) {
  set_log_level(LogLevel::info);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 100; ++i) log_info("hello", {{"thread", t}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lines_.size(), 400U);
}

TEST(Log, KnowsItsLevels) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
  EXPECT_EQ(parse_log_level("off"), LogLevel::off);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
  EXPECT_EQ(parse_log_level(""), std::nullopt);
}

Result<int> half(int n) {
  if (n % 2 != 0) return Error{Code::invalid_argument, "odd", "give an even one", {}, 4};
  return n / 2;
}

Result<int> quarter(int n) {
  CC_ASSIGN(const int h, half(n));
  CC_TRY(half(h));
  return half(h);
}

TEST(Result, CarriesValuesAndErrors) {
  EXPECT_EQ(*quarter(8), 2);
  const Result<int> bad = quarter(6);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, Code::invalid_argument);
  EXPECT_EQ(bad.error().to_string(), "odd (give an even one)");
  EXPECT_EQ(bad.error().position, 4);
  EXPECT_EQ(bad.status().error().message, "odd");
  EXPECT_TRUE(quarter(8).status().ok());
  EXPECT_EQ(quarter(7).value_or(-1), -1);
  EXPECT_EQ(Error{}.to_string(), "");
}

TEST(Result, CodesHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Code::internal); ++code) {
    names.insert(code_name(static_cast<Code>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(Code::internal) + 1);
}

}  // namespace
}  // namespace contextcore
