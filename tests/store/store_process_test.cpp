// Several processes, several threads, one store.

#include <atomic>
#include <thread>

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

TEST(StoreProcesses, WriteInTurnsAndSeeEachOther) {
  Machine machine;
  auto first = machine.open();
  auto second = machine.open();
  auto reader = machine.open(StoreMode::read_only);
  for (uint32_t i = 1; i <= 20; ++i) {
    Store& writer = i % 2 == 0 ? *first : *second;
    ASSERT_TRUE(writer.commit("", create_task(i, "t")).ok());
    ASSERT_TRUE(writer.ingest(one_log("shop", i, std::to_string(i)), "").ok());
    ASSERT_EQ(work(*first)->index().size(), i);
    ASSERT_EQ(work(*second)->index().size(), i);
    ASSERT_EQ(work(*reader)->index().size(), i);
  }
  EXPECT_EQ(dump(*first), dump(*second));
  EXPECT_EQ(dump(*first), dump(*reader));
  EXPECT_EQ(first->stats().visible_sequence, 40U);
}

TEST(StoreProcesses, ACommandOfAnotherProcessIsKnown) {
  Machine machine;
  auto first = machine.open();
  auto second = machine.open();
  ASSERT_TRUE(first->commit("c", create_task(1, "one")).ok());
  const auto again = second->commit("c", create_task(1, "one"));
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->replayed);
}

TEST(StoreProcesses, APlanIsMadeAgainWhenAnotherProcessCameFirst) {
  Machine machine;
  auto first = machine.open();
  auto second = machine.open();
  ASSERT_TRUE(first->commit("", create_task(1, "one")).ok());
  int plans = 0;
  const auto late = second->commit("", [&](const WorkView& view) {
    // While we think, before the lock, the other process claims.
    if (++plans == 1) {
      EXPECT_TRUE(first->commit("", claim_task(1, "first")).ok());
    }
    return plans == 1 ? edit_task(1, "holder", "second")(view) : claim_task(1, "second")(view);
  });
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Code::conflict);
  EXPECT_EQ(plans, 2);
  EXPECT_EQ(attribute(task(*second, 1).span, "holder"), "first");
}

TEST(StoreProcesses, CutsOfOneAreSeenByTheOther) {
  Machine machine;
  auto first = machine.open();
  auto second = machine.open();
  for (uint32_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(first->commit("", create_task(i, "a")).ok());
    const std::string before = dump(*second);
    const auto pinned = source(*second);
    ASSERT_TRUE(first->cut().ok());
    EXPECT_EQ(dump(*second), before);
    ASSERT_TRUE(second->commit("", edit_task(i, "k", "v")).ok());
    ASSERT_TRUE(second->cut().ok());
    EXPECT_EQ(dump(*first), dump(*second));
    EXPECT_EQ(span_names(*pinned).size(), i) << "an old snapshot still reads its files";
  }
}

TEST(StoreProcesses, AServerKeepsOthersFromWritingButNotFromReading) {
  Machine machine;
  auto server = machine.open(StoreMode::server);
  ASSERT_TRUE(server->commit("", create_task(1, "one")).ok());
  auto embedded = machine.open();
  EXPECT_EQ(work(*embedded)->index().size(), 1U);
  const auto unannounced = embedded->commit("", create_task(2, "two"));
  ASSERT_FALSE(unannounced.ok());
  EXPECT_EQ(unannounced.error().code, Code::unavailable);

  ASSERT_TRUE(machine.process().make_directories("/proc/4711").ok());
  ASSERT_TRUE(
      server->announce_server({"127.0.0.1:4319", "", 4711, machine.clock.boot_id(), "tok"}).ok());
  const int64_t before = machine.clock.monotonic_ns();
  const auto announced = embedded->commit("", create_task(2, "two"));
  ASSERT_FALSE(announced.ok());
  EXPECT_EQ(announced.error().code, Code::unavailable);
  EXPECT_EQ(announced.error().hint, "server");
  EXPECT_EQ(machine.clock.monotonic_ns(), before) << "no waiting for a live server";
  const auto found = find_server(machine.process(), machine.clock, kPath);
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->address, "127.0.0.1:4319");
  EXPECT_EQ((*found)->token, "tok");

  EXPECT_EQ(
      Store::open(machine.options(machine.process(), StoreMode::server)).status().error().hint,
      "server");
  ASSERT_TRUE(server->close().ok());
  EXPECT_FALSE(*find_server(machine.process(), machine.clock, kPath));
  EXPECT_TRUE(embedded->commit("", create_task(2, "two")).ok());
}

TEST(StoreProcesses, AStaleServerFileIsIgnoredAndRemoved) {
  Machine machine;
  SimFileSystem& process = machine.process();
  auto server = machine.open(machine.options(process, StoreMode::server));
  ASSERT_TRUE(process.make_directories("/proc/1").ok());
  ASSERT_TRUE(server->announce_server({"a", "", 4711, machine.clock.boot_id(), "t"}).ok());
  process.kill();
  EXPECT_FALSE(*find_server(machine.process(), machine.clock, kPath)) << "its process is dead";
  auto embedded = machine.open();
  ASSERT_TRUE(embedded->commit("", create_task(1, "one")).ok());
  EXPECT_FALSE(machine.process().exists(std::string(kPath) + "/SERVER"));
  server.reset();

  // Another boot: the pid may be anybody's by now.
  auto next = machine.open(StoreMode::server);
  ASSERT_TRUE(next->announce_server({"a", "", 1, "boot-0", "t"}).ok());
  EXPECT_FALSE(*find_server(machine.process(), machine.clock, kPath));
}

TEST(StoreProcesses, ADeadWritersCompleteFramesAreAdopted) {
  Machine machine;
  auto witness = machine.open();
  ASSERT_TRUE(witness->commit("", create_task(1, "one")).ok());
  for (uint64_t n = 1; n < 12; ++n) {
    SimFileSystem& process = machine.process();
    auto victim = machine.open(machine.options(process));
    process.kill_at(n);
    const auto result = victim->commit("", edit_task(1, "n" + std::to_string(n), "x"));
    const bool acknowledged = result.ok();
    process.kill();
    victim.reset();
    // Readers and the next writer agree, and what was acknowledged is there.
    const std::string read = dump(*machine.open(StoreMode::read_only));
    ASSERT_TRUE(witness->commit("", comment(1, "after " + std::to_string(n))).ok());
    const std::string value = attribute(task(*witness, 1).span, "n" + std::to_string(n));
    if (acknowledged) {
      EXPECT_EQ(value, "x");
    }
    if (read.find("=x") != std::string::npos && acknowledged) {
      EXPECT_EQ(value, "x");
    }
    EXPECT_EQ(dump(*machine.open()), dump(*witness));
  }
}

// A reader has read which manifest is the live one; before it opens it, it is replaced and removed.
TEST(StoreProcesses, AManifestThatVanishesIsLookedForAgain) {
  Machine machine;
  ASSERT_TRUE(machine.open()->commit("", create_task(1, "one")).ok());
  machine.power_failure(1);
  auto reader = machine.open(StoreMode::read_only);
  auto writer = machine.open();
  bool armed = true;
  machine.disk.set_hook([&](SimOp op, const std::string& path) {
    if (!armed || op != SimOp::open || path.find("MANIFEST-") == std::string::npos) return;
    armed = false;
    ASSERT_TRUE(writer->commit("", create_task(2, "two")).ok());
  });
  const auto read = reader->read();
  machine.disk.set_hook({});
  EXPECT_FALSE(armed);
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  EXPECT_EQ(work(*reader)->index().size(), 2U);
}

// Two claims planned on the same state, sequenced into one group behind a sync that is under way.
TEST(StoreThreads, OfTwoClaimsInOneGroupExactlyOneWins) {
  Machine machine;
  auto store = machine.open(StoreMode::server);
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  const uint64_t syncs_before = store->stats().syncs;
  std::thread first, second;
  Result<CommitResult> first_result{Code::internal, ""};
  Result<CommitResult> second_result{Code::internal, ""};
  std::atomic<bool> armed{true};
  std::atomic<int> second_plans{0};
  const auto sequenced = [&](uint64_t sequence) {
    while (store->stats().sequence < sequence) std::this_thread::yield();
  };
  machine.disk.set_hook([&](SimOp op, const std::string&) {
    if (op != SimOp::sync || !armed.exchange(false)) return;
    second = std::thread([&] {
      second_result = store->commit("", [&](const WorkView& view) {
        auto planned = claim_task(1, "second")(view);
        // The first plan of the second still sees nobody; it ends after the first was sequenced.
        if (++second_plans == 1) {
          EXPECT_TRUE(planned.ok());
          sequenced(3);
        }
        return planned;
      });
    });
    while (second_plans.load() == 0) std::this_thread::yield();
    first = std::thread([&] { first_result = store->commit("", claim_task(1, "first")); });
    while (second_plans.load() < 2) std::this_thread::yield();
  });
  ASSERT_TRUE(store->commit("", comment(1, "holds the disk")).ok());
  first.join();
  second.join();
  machine.disk.set_hook({});
  EXPECT_TRUE(first_result.ok());
  ASSERT_FALSE(second_result.ok());
  EXPECT_EQ(second_result.error().code, Code::conflict);
  EXPECT_EQ(attribute(task(*store, 1).span, "holder"), "first");
  EXPECT_EQ(store->stats().syncs - syncs_before, 2U);
}

TEST(StoreThreads, ManyWritersShareSyncsAndLoseNothing) {
  Machine machine;
  auto store = machine.open(StoreMode::server);
  std::vector<std::thread> threads;
  constexpr uint32_t kThreads = 8;
  constexpr uint32_t kEach = 25;
  for (uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint32_t i = 0; i < kEach; ++i) {
        EXPECT_TRUE(store->commit("", create_task(1 + t * kEach + i, "t")).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(work(*store)->index().size(), kThreads * kEach);
  EXPECT_LE(store->stats().syncs, kThreads * kEach);
  const std::string before = dump(*store);
  ASSERT_TRUE(store->close().ok());
  EXPECT_EQ(dump(*machine.open()), before);
}

TEST(StoreThreads, EmbeddedThreadsTakeTurns) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  std::atomic<int> wins{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      if (store->commit("", claim_task(1, "t" + std::to_string(t))).ok()) ++wins;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wins.load(), 1);
}

TEST(StoreProcesses, IntervalDurabilityIsSyncedByWhoeverComesNext) {
  Machine machine;
  StoreOptions options = machine.options(machine.process());
  options.durability = Durability::interval;
  auto lazy = machine.open(options);
  ASSERT_TRUE(lazy->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(lazy->commit("", create_task(2, "two")).ok());
  auto careful = machine.open();
  ASSERT_TRUE(careful->commit("", create_task(3, "three")).ok());
  const std::string before = dump(*careful);
  machine.power_failure(5);
  EXPECT_EQ(dump(*machine.open()), before);
}

}  // namespace
}  // namespace contextcore::store::test
