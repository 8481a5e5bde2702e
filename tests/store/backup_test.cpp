// Backups of a store that goes on being written, interrupted at every step; restores.

#include "store/backup.h"

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

constexpr const char* kBackup = "/backup/store";
constexpr const char* kRestored = "/restored/store";

CopyOptions copy_options(Machine& machine, FileSystem& files, const std::string& source, const std::string& destination) {
  CopyOptions options;
  options.source = source;
  options.destination = destination;
  options.file_system = &files;
  options.clock = &machine.clock;
  options.hooks = small_hooks();
  return options;
}

Result<CopyReport> back_up(Machine& machine) {
  return backup_store(copy_options(machine, machine.process(), kPath, kBackup));
}

VerifyReport verified(Machine& machine, const std::string& path) {
  VerifyOptions options{path, small_hooks(), &machine.process(), &machine.clock, {}};
  auto report = verify_store(options);
  EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().message);
  return report.ok() ? *report : VerifyReport();
}

// What a store at a path says, read without writing to it.
std::string dump_at(Machine& machine, const std::string& path, StoreMode mode = StoreMode::read_only) {
  StoreOptions options = machine.options(machine.process(), mode);
  options.path = path;
  options.create = false;
  auto store = Store::open(std::move(options));
  if (!store.ok()) return "error: " + store.error().message;
  return dump(**store) + metrics(**store);
}

void write_round(Store& store, uint32_t round) {
  ASSERT_TRUE(store.commit("c" + std::to_string(round), create_task(round, "task " + std::to_string(round))).ok());
  ASSERT_TRUE(store.ingest(one_span(100 + round, 100 + round, "GET /"), {}).ok());
  ASSERT_TRUE(store.ingest(one_log("shop", 1000 + round, "line"), {}).ok());
  ASSERT_TRUE(store.ingest(one_sample("load", "a", 1000 * round, round), {}, "").ok());
}

class Backup : public testing::TestWithParam<bool> {};  // with links, without
INSTANTIATE_TEST_SUITE_P(Links, Backup, testing::Values(true, false));

TEST_P(Backup, IsAStoreThatOpens) {
  Machine machine;
  machine.disk.set_links(GetParam());
  auto store = machine.open(StoreMode::server);
  for (uint32_t round = 1; round <= 5; ++round) write_round(*store, round);
  ASSERT_TRUE(store->cut().ok());
  write_round(*store, 6);
  const auto report = back_up(machine);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->linked > 0, GetParam());
  EXPECT_FALSE(report->added_to);
  EXPECT_EQ(report->store_id, store->store_id());
  EXPECT_EQ(report->sequence, store->stats().sequence);
  EXPECT_EQ(dump_at(machine, kBackup), dump_at(machine, kPath));
  EXPECT_TRUE(verified(machine, kBackup).sound());
  // It can be written to, and the source does not change by it.
  const std::string before = dump_at(machine, kPath);
  {
    StoreOptions options = machine.options(machine.process());
    options.path = kBackup;
    auto copy = Store::open(std::move(options));
    ASSERT_TRUE(copy.ok()) << copy.error().message;
    write_round(**copy, 7);
    ASSERT_TRUE((*copy)->cut().ok());
    write_round(**copy, 8);
  }
  EXPECT_TRUE(verified(machine, kPath).sound());
  EXPECT_EQ(dump_at(machine, kPath), before);
  // After that it is no backup any more.
  const auto again = back_up(machine);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::failed_precondition);
}

TEST_P(Backup, IsBroughtUpToDateWithNewFilesOnly) {
  Machine machine;
  machine.disk.set_links(GetParam());
  auto store = machine.open(StoreMode::server);
  for (uint32_t round = 1; round <= 30; ++round) {
    write_round(*store, round);
    if (round % 3 == 0) {
      ASSERT_TRUE(store->cut().ok());
    }
    const auto report = back_up(machine);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->added_to, round > 1);
    if (round % 3 == 1 && round > 1) {
      EXPECT_EQ(report->linked, 0U);
      EXPECT_EQ(report->copied, 2U) << "the log and the manifest";
    }
    ASSERT_EQ(dump_at(machine, kBackup), dump_at(machine, kPath)) << round;
    ASSERT_TRUE(verified(machine, kBackup).sound());
  }
  // What the backup does not consist of is gone.
  const auto names = machine.process().list(std::string(kBackup) + "/data");
  const auto wanted = machine.process().list(std::string(kPath) + "/data");
  EXPECT_EQ(*names, *wanted);
}

// At every operation of a second backup the power fails: what is there is the first or the second,
// whole, and a third brings it up to date.
TEST_P(Backup, AnInterruptedOneLeavesThePreviousWhole) {
  for (uint64_t step = 1;; ++step) {
    Machine machine(step);
    machine.disk.set_links(GetParam());
    auto store = machine.open(StoreMode::server);
    for (uint32_t round = 1; round <= 3; ++round) write_round(*store, round);
    ASSERT_TRUE(store->cut().ok());
    ASSERT_TRUE(back_up(machine).ok());
    const std::string first = dump_at(machine, kBackup);
    for (uint32_t round = 4; round <= 5; ++round) write_round(*store, round);
    if (step % 2 == 0) {
      ASSERT_TRUE(store->cut().ok());
    }
    write_round(*store, 6);
    const std::string second = dump_at(machine, kPath);
    SimFileSystem& process = machine.process();
    machine.disk.crash_at(machine.disk.operations() + step, step * 7);
    const auto report = backup_store(copy_options(machine, process, kPath, kBackup));
    const bool crashed = machine.disk.is_down();
    if (!crashed) machine.disk.clear_faults();
    store.reset();
    machine.power_failure(step);
    const std::string found = dump_at(machine, kBackup);
    EXPECT_TRUE(found == first || found == second) << "step " << step << ": " << found.substr(0, 200);
    if (!crashed) {
      EXPECT_TRUE(report.ok()) << report.error().message;
      EXPECT_EQ(found, second) << "a backup that has returned is durable";
    }
    EXPECT_TRUE(verified(machine, kBackup).sound()) << "step " << step;
    store = machine.open(StoreMode::server);
    write_round(*store, 7);
    const auto third = back_up(machine);
    ASSERT_TRUE(third.ok()) << "step " << step << ": " << third.error().message;
    EXPECT_EQ(dump_at(machine, kBackup), dump_at(machine, kPath)) << step;
    EXPECT_TRUE(verified(machine, kBackup).sound());
    if (!crashed) {
      EXPECT_GT(step, 10U);
      break;
    }
  }
}

// The first backup into a folder, likewise: nothing, or all of it.
TEST_P(Backup, AnInterruptedFirstOneIsNoStore) {
  for (uint64_t step = 1;; ++step) {
    Machine machine(step);
    machine.disk.set_links(GetParam());
    auto store = machine.open(StoreMode::server);
    for (uint32_t round = 1; round <= 3; ++round) write_round(*store, round);
    ASSERT_TRUE(store->cut().ok());
    const std::string all = dump_at(machine, kPath);
    SimFileSystem& process = machine.process();
    machine.disk.crash_at(machine.disk.operations() + step, step * 11);
    std::ignore = backup_store(copy_options(machine, process, kPath, kBackup));
    const bool crashed = machine.disk.is_down();
    if (!crashed) machine.disk.clear_faults();
    store.reset();
    machine.power_failure(step);
    const bool exists = machine.process().exists(std::string(kBackup) + "/CURRENT");
    if (exists) {
      EXPECT_EQ(dump_at(machine, kBackup), all) << step;
    }
    EXPECT_TRUE(exists || crashed);
    store = machine.open(StoreMode::server);
    const auto again = back_up(machine);
    ASSERT_TRUE(again.ok()) << "step " << step << ": " << again.error().message;
    EXPECT_EQ(dump_at(machine, kBackup), all);
    if (!crashed) break;
  }
}

// Commands, requests and cuts between any two reads of the backup: it is one of the states that were
// acknowledged, never a mixture.
TEST_P(Backup, IsOneStateWhileTheStoreIsWritten) {
  Machine machine;
  machine.disk.set_links(GetParam());
  auto store = machine.open(StoreMode::server);
  for (uint32_t round = 1; round <= 3; ++round) write_round(*store, round);
  uint32_t round = 3;
  int calls = 0;
  bool inside = false;
  machine.disk.set_hook([&](SimOp, const std::string&) {
    if (inside || ++calls % 23 != 0) return;
    inside = true;
    write_round(*store, ++round);
    if (round % 4 == 0) {
      EXPECT_TRUE(store->cut().ok());
    }
    inside = false;
  });
  for (int i = 0; i < 15; ++i) {
    const auto report = back_up(machine);
    if (!report.ok()) {
      EXPECT_EQ(report.error().code, Code::unavailable) << report.error().message;
      continue;
    }
    inside = true;
    StoreOptions options = machine.options(machine.process(), StoreMode::read_only);
    options.path = kBackup;
    auto copy = Store::open(std::move(options));
    ASSERT_TRUE(copy.ok()) << copy.error().message;
    const size_t tasks = work(**copy)->index().size();
    // Rounds are four transactions each, in order.
    EXPECT_EQ(tasks, (report->sequence + 3) / 4) << report->sequence;
    EXPECT_EQ(lines(*source(**copy)).size() - tasks, (report->sequence + 1) / 4);
    EXPECT_TRUE(verified(machine, kBackup).sound());
    inside = false;
  }
  machine.disk.set_hook({});
  EXPECT_GT(round, 8U);
}

TEST(BackupRefuses, WhatIsNotItsOwn) {
  Machine machine;
  auto store = machine.open();
  write_round(*store, 1);
  SimFileSystem& files = machine.process();
  ASSERT_TRUE(files.make_directories("/full").ok());
  ASSERT_TRUE(files.open("/full/letter.txt", OpenMode::create).ok());
  for (const std::string& destination : {std::string("/full"), std::string(kPath)}) {
    const auto report = backup_store(copy_options(machine, files, kPath, destination));
    ASSERT_FALSE(report.ok()) << destination;
    EXPECT_EQ(report.error().code, Code::failed_precondition);
  }
  const auto none = backup_store(copy_options(machine, files, "/nowhere", kBackup));
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Code::not_found);
  EXPECT_FALSE(files.exists(kBackup)) << "nothing is made before the source is found";
}

TEST(BackupRefuses, ADamagedLog) {
  Machine machine;
  auto store = machine.open();
  write_round(*store, 1);
  write_round(*store, 2);
  ASSERT_TRUE(store->close().ok());
  machine.disk.flip_bits(std::string(kPath) + "/wal/00000001.wal", 100, 1);
  const auto report = back_up(machine);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, Code::corruption);
}

// A backup knows how long its log is, although it has no commit mark.
TEST(BackupFile, SaysHowMuchOfTheLogThereHasToBe) {
  Machine machine;
  auto store = machine.open();
  write_round(*store, 1);
  write_round(*store, 2);
  ASSERT_TRUE(back_up(machine).ok());
  const std::string log = std::string(kBackup) + "/wal/00000001.wal";
  for (uint64_t offset = 0; offset < machine.process().stat(log)->size; offset += 5) {
    machine.disk.flip_bits(log, offset, 2);
    EXPECT_FALSE(verified(machine, kBackup).sound()) << offset;
    machine.disk.flip_bits(log, offset, 2);
  }
}

TEST(Restore, BringsBackWhatWasBackedUp) {
  Machine machine;
  auto store = machine.open();
  for (uint32_t round = 1; round <= 4; ++round) write_round(*store, round);
  ASSERT_TRUE(store->cut().ok());
  write_round(*store, 5);
  ASSERT_TRUE(back_up(machine).ok());
  const std::string saved = dump_at(machine, kPath);
  write_round(*store, 6);
  const auto report = restore_store(copy_options(machine, machine.process(), kBackup, kRestored));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->verified.sound());
  EXPECT_EQ(report->store_id, store->store_id());
  EXPECT_EQ(report->linked, 0U);
  machine.power_failure(3);
  EXPECT_EQ(dump_at(machine, kRestored, StoreMode::embedded), saved);
  const auto again = restore_store(copy_options(machine, machine.process(), kBackup, kRestored));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::failed_precondition);
  EXPECT_FALSE(again.error().hint.empty());
}

TEST(Restore, OfADamagedBackupWritesNothingUnlessAsked) {
  Machine machine;
  auto store = machine.open();
  for (uint32_t round = 1; round <= 4; ++round) write_round(*store, round);
  ASSERT_TRUE(store->cut().ok());
  ASSERT_TRUE(back_up(machine).ok());
  const std::string data = std::string(kBackup) + "/data/";
  std::string spans;
  const auto names = machine.process().list(data);
  for (const std::string& name : *names) {
    if (name.ends_with(".spans")) spans = data + name;
  }
  machine.disk.flip_bits(spans, 60, 1);
  CopyOptions options = copy_options(machine, machine.process(), kBackup, kRestored);
  auto report = restore_store(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->verified.sound());
  EXPECT_FALSE(machine.process().exists(kRestored));
  options.even_if_damaged = true;
  report = restore_store(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->verified.sound());
  EXPECT_TRUE(machine.process().exists(std::string(kRestored) + "/CURRENT"));
}

}  // namespace
}  // namespace contextcore::store::test
