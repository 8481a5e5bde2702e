#include "base/sim_scheduler.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "base/sim_file_system.h"

namespace contextcore {
namespace {

constexpr uint64_t kSteps = 10'000;
constexpr int64_t kSecondNs = 1'000'000'000;

// What three tasks do in turn.
std::string order_of(uint64_t seed) {
  SimScheduler scheduler(seed);
  std::string order;
  for (const char name : {'a', 'b', 'c'}) {
    scheduler.start(1, [&scheduler, &order, name] {
      for (int i = 0; i < 5; ++i) {
        order += name;
        scheduler.yield();
      }
    });
  }
  EXPECT_TRUE(scheduler.run(kSteps));
  return order;
}

TEST(SimScheduler, TasksTakeTurnsAsTheSeedDecides) {
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_EQ(order_of(1).size(), 15U);
  EXPECT_NE(order_of(1), order_of(2));
}

TEST(SimScheduler, SleepersWakeInTheOrderOfTheirTimes) {
  SimScheduler scheduler(1);
  std::vector<int> woken;
  for (const int seconds : {3, 1, 2}) {
    scheduler.start(1, [&, seconds] {
      scheduler.clock().sleep_ns(seconds * kSecondNs);
      EXPECT_GE(scheduler.clock().monotonic_ns(), seconds * kSecondNs);
      woken.push_back(seconds);
    });
  }
  EXPECT_TRUE(scheduler.run(kSteps));
  EXPECT_EQ(woken, (std::vector<int>{1, 2, 3}));
}

TEST(SimScheduler, WhoWaitsGoesOnWhenItIsWoken) {
  SimScheduler scheduler(1);
  bool ready = false;
  int gone_on = 0;
  for (int i = 0; i < 2; ++i) {
    scheduler.start(1, [&] {
      while (!ready) scheduler.wait(&ready);
      ++gone_on;
    });
  }
  scheduler.start(2, [&] {
    scheduler.sleep_ns(kSecondNs);
    EXPECT_EQ(gone_on, 0);
    ready = true;
    scheduler.wake(&ready, true);
  });
  EXPECT_TRUE(scheduler.run(kSteps));
  EXPECT_EQ(gone_on, 2);
}

TEST(SimScheduler, APausedGroupStandsStill) {
  SimScheduler scheduler(1);
  scheduler.start(7, [&] {
    scheduler.pause(7, kSecondNs);
    scheduler.yield();
    EXPECT_GE(scheduler.now_ns(), kSecondNs);
  });
  scheduler.start(8, [&] {
    scheduler.sleep_ns(kSecondNs / 2);
    EXPECT_LT(scheduler.now_ns(), kSecondNs);
  });
  EXPECT_TRUE(scheduler.run(kSteps));
}

TEST(SimScheduler, SaysThatARunDoesNotEnd) {
  SimScheduler scheduler(1);
  bool ended = false;
  scheduler.start(1, [&] {
    while (!ended) scheduler.yield();
  });
  EXPECT_FALSE(scheduler.run(100));
  EXPECT_NE(scheduler.stuck().find("too many steps"), std::string::npos);
  ended = true;
  EXPECT_TRUE(scheduler.run(kSteps));
  scheduler.start(1, [&] {
    while (ended) scheduler.wait(&ended);
  });
  EXPECT_FALSE(scheduler.run(kSteps));
  EXPECT_NE(scheduler.stuck().find("waits for another"), std::string::npos);
  ended = false;
  scheduler.wake(&ended, true);
  EXPECT_TRUE(scheduler.run(kSteps));
}

TEST(SimScheduler, TheWallClockStepsAndTheOtherDoesNot) {
  SimScheduler scheduler(1);
  const int64_t wall = scheduler.clock().wall_ns();
  const int64_t monotonic = scheduler.clock().monotonic_ns();
  scheduler.step_wall_ns(-kSecondNs);
  EXPECT_EQ(scheduler.clock().wall_ns(), wall - kSecondNs);
  EXPECT_EQ(scheduler.clock().monotonic_ns(), monotonic);
}

TEST(SimScheduler, AnExecutorRunsWhatWasPostedAndDropsWhatIsNotDue) {
  SimScheduler scheduler(1);
  int posted = 0, due = 0, late = 0;
  scheduler.start(1, [&] {
    const auto executor = scheduler.make_executor();
    executor->post([&] { ++posted; });
    executor->post_after(kSecondNs, [&] { ++due; });
    executor->post_after(3 * kSecondNs, [&] { ++late; });
    scheduler.sleep_ns(2 * kSecondNs);
    executor->post([&] {
      scheduler.yield();
      ++posted;
    });
    executor->stop();
    EXPECT_EQ(posted, 2) << "stop waits for what runs";
    executor->post([&] { ++posted; });
  });
  EXPECT_TRUE(scheduler.run(kSteps));
  EXPECT_EQ(posted, 2);
  EXPECT_EQ(due, 1);
  EXPECT_EQ(late, 0);
}

TEST(SimDiskInjector, DecidesTheFateOfEveryCall) {
  SimDisk disk(1);
  const auto process = disk.start_process();
  const auto file = process->open("/f", OpenMode::create);
  ASSERT_TRUE(file.ok());
  SimFate next;
  std::vector<SimOp> seen;
  disk.set_injector([&](const SimCall& call) {
    seen.push_back(call.op);
    EXPECT_EQ(call.process, process->process());
    return std::exchange(next, {});
  });
  EXPECT_TRUE((*file)->write_at(0, "abc").ok());
  next.fault = SimFault::io_error;
  EXPECT_EQ((*file)->sync().error().code, Code::io_error);
  next.kill = true;
  EXPECT_EQ(process->stat("/f").error().code, Code::unavailable);
  EXPECT_TRUE(process->is_killed());
  EXPECT_FALSE(disk.is_down());
  process->restart();
  next.crash = true;
  EXPECT_EQ(process->stat("/f").error().code, Code::unavailable);
  EXPECT_TRUE(disk.is_down());
  EXPECT_EQ(seen, (std::vector<SimOp>{SimOp::write, SimOp::sync, SimOp::stat, SimOp::stat}));
}

// Only what a power failure finds on its way may come out wrong.
TEST(SimDiskFlips, LeaveAloneWhatWasSynced) {
  const std::string kept(2000, 'k'), fresh(2000, 'f');
  bool flipped = false;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SimDisk disk(seed);
    disk.set_flips_in_flight(true);
    const auto process = disk.start_process();
    {
      const auto file = process->open("/f", OpenMode::create);
      ASSERT_TRUE((*file)->write_at(0, kept).ok());
      ASSERT_TRUE((*file)->sync().ok());
      ASSERT_TRUE(process->sync_directory("/").ok());
      ASSERT_TRUE((*file)->write_at(0, kept).ok());
      ASSERT_TRUE((*file)->write_at(kept.size(), fresh).ok());
    }
    disk.crash(seed);
    disk.reboot();
    const std::string found = *process->read_file("/f");
    ASSERT_EQ(found.substr(0, kept.size()), kept) << "seed " << seed;
    for (const char byte : found.substr(kept.size())) flipped |= byte != 'f' && byte != '\0';
  }
  EXPECT_TRUE(flipped);
}

}  // namespace
}  // namespace contextcore
