// Disks that fail, fill up, and lie; power that goes away at any moment.

#include <map>

#include "base/hash.h"
#include "store/frame.h"
#include "store/manifest.h"
#include "store/store_codec.h"
#include "store/store_test_kit.h"
#include "store/wal.h"

namespace contextcore::store::test {
namespace {

TEST(StoreFaults, AFailingSyncPoisonsAndReadsGoOn) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  const std::string before = dump(*store);
  machine.disk.fail_next(SimOp::sync, 0, SimFault::io_error);
  const auto failed = store->commit("", create_task(2, "two"));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Code::unavailable);
  const auto later = store->commit("", create_task(3, "three"));
  ASSERT_FALSE(later.ok()) << "the next sync would succeed, and mean nothing";
  EXPECT_EQ(later.error().code, Code::unavailable);
  EXPECT_EQ(dump(*store), before);
  store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(3, "three")).ok());
  EXPECT_EQ(attribute(task(*store, 3).span, "task.title"), "three");
}

// What the failed sync dropped is in the page cache only. Frames behind it must not be acknowledged
// over that hole.
TEST(StoreFaults, NothingIsBuiltOnAFailedSync) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Machine machine(seed);
    auto store = machine.open();
    ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
    machine.disk.fail_next(SimOp::sync, 0, SimFault::io_error);
    ASSERT_FALSE(store->commit("", create_task(2, std::string(3000, 'x'))).ok());
    store = machine.open();
    ASSERT_TRUE(store->commit("", create_task(3, "three")).ok());
    machine.power_failure(seed);
    store = machine.open();
    EXPECT_NE(work(*store)->index().find(span_id(3)), nullptr) << "seed " << seed;
  }
}

TEST(StoreFaults, AFullDiskStopsWritingCleanlyAndSpaceBringsItBack) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  const std::string before = dump(*store);
  machine.disk.set_free_bytes(1000);
  const auto full = store->commit("", create_task(2, std::string(400'000, 'x')));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, Code::resource_exhausted);
  EXPECT_EQ(dump(*store), before);
  machine.disk.clear_faults();
  ASSERT_TRUE(store->commit("", create_task(2, std::string(400'000, 'x'))).ok());
  store = machine.open();
  EXPECT_EQ(work(*store)->index().size(), 2U);
}

TEST(StoreFaults, ACutThatFailsChangesNothing) {
  Machine machine;
  auto store = machine.open();
  for (uint32_t i = 0; i < 5; ++i) ASSERT_TRUE(store->commit("", create_task(i, "t")).ok());
  const std::string before = dump(*store);
  machine.disk.set_free_bytes(100);
  EXPECT_FALSE(store->cut().ok());
  machine.disk.clear_faults();
  EXPECT_EQ(dump(*store), before);
  ASSERT_TRUE(store->commit("", create_task(9, "t")).ok());
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(work(*machine.open())->index().size(), 6U);
}

TEST(StoreFaults, AStoreThatCannotBeLookedForIsNotMadeAnew) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "task")).ok());
  const std::string before = dump(*store);
  for (uint64_t skip = 0; skip < 4; ++skip) {
    machine.disk.fail_next(SimOp::stat, skip, SimFault::io_error);
    std::ignore = Store::open(machine.options(machine.process()));
    machine.disk.clear_faults();
    auto reader = machine.open(StoreMode::read_only);
    ASSERT_NE(reader, nullptr) << skip;
    EXPECT_EQ(dump(*reader), before) << skip;
  }
}

TEST(StoreFaults, WhoCouldNotCatchUpLeavesTheMarkAloneWhenItCloses) {
  Machine machine;
  auto writer = machine.open();
  ASSERT_TRUE(writer->ingest(one_span(2, 102, "old"), "").ok());
  ASSERT_TRUE(writer->cut().ok());
  auto other = machine.open();
  ASSERT_TRUE(other->read().ok());
  ASSERT_TRUE(writer->ingest(one_log("shop", 1, "line"), "").ok());
  ASSERT_TRUE(writer->ingest(one_span(2, 102, "new"), "").ok());
  // It takes the line in; what the span replaces cannot be read.
  bool failing = true;
  machine.disk.set_hook([&](SimOp op, const std::string& path) {
    if (op == SimOp::read && path.ends_with(".spans") && std::exchange(failing, false)) {
      machine.disk.fail_next(SimOp::read, 0, SimFault::io_error);
    }
  });
  EXPECT_FALSE(other->read().ok());
  machine.disk.set_hook(nullptr);
  machine.disk.clear_faults();
  EXPECT_FALSE(failing);
  std::ignore = other->close();
  EXPECT_EQ(span_names(*source(*machine.open(StoreMode::read_only))),
            std::vector<std::string>{"000002/new"});
}

TEST(StoreFaults, GarbageBehindTheLogIsIgnored) {
  for (const std::string& garbage :
       {std::string(100, '\xff'), std::string("\x50\x00\x00\x00\x01\x00\x01\x00", 8),
        std::string(1, '\x01')}) {
    Machine machine;
    SimFileSystem& process = machine.process();
    auto store = machine.open(machine.options(process));
    ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
    const uint64_t end = store->stats().wal_bytes;
    const std::string before = dump(*store);
    store.reset();
    auto file = process.open(std::string(kPath) + "/wal/00000001.wal", OpenMode::read_write);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->write_at(end, garbage).ok());
    machine.clock.set_boot_id("another");
    store = machine.open();
    EXPECT_EQ(dump(*store), before);
    ASSERT_TRUE(store->commit("", create_task(2, "two")).ok());
    EXPECT_EQ(work(*machine.open())->index().size(), 2U);
  }
}

// A frame that stays behind an overwritten one must not come back to life.
TEST(StoreFaults, TheRestOfAnOverwrittenTailNeverValidates) {
  Machine machine;
  SimFileSystem& process = machine.process();
  auto store = machine.open(machine.options(process));
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  const uint64_t first_end = store->stats().wal_bytes;
  ASSERT_TRUE(store->commit("", comment(1, "aaaa")).ok());
  ASSERT_TRUE(store->commit("", comment(1, "bbbb")).ok());
  store.reset();
  // The first of the two is torn; the second is whole, and in its place.
  machine.disk.flip_bits(std::string(kPath) + "/wal/00000001.wal", first_end + 40, 0x10);
  machine.power_failure(3);
  store = machine.open();
  EXPECT_EQ(lines(*source(*store)).size(), 1U);
  ASSERT_TRUE(store->commit("", comment(1, "cccc")).ok());  // as long as the torn one
  machine.power_failure(4);
  store = machine.open();
  EXPECT_EQ(lines(*source(*store)).size(), 2U);
  EXPECT_EQ(lines(*source(*store))[1].find("bbbb"), std::string::npos);
}

TEST(StoreFaults, ADamagedLogBeforeItsCommittedEndIsSaid) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(store->commit("", create_task(2, "two")).ok());
  store.reset();
  machine.disk.flip_bits(std::string(kPath) + "/wal/00000001.wal", 80, 1);
  const auto opened = Store::open(machine.options(machine.process()));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::corruption);
}

// The first was killed while it made the store's directory; what the second goes on with must last.
TEST(StoreFaults, AHalfMadeStoreIsMadeDurableByWhoeverComesNext) {
  for (uint64_t killed_at = 1; killed_at <= 24; ++killed_at) {
    Machine machine(killed_at);
    SimFileSystem& first = machine.process();
    first.kill_at(killed_at);
    std::ignore = Store::open(machine.options(first));
    first.kill();
    auto store = machine.open();
    ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
    machine.power_failure(killed_at * 7);
    auto again = Store::open(machine.options(machine.process(), StoreMode::read_only));
    ASSERT_TRUE(again.ok()) << "killed at operation " << killed_at << ": "
                            << again.error().to_string();
    EXPECT_EQ(work(**again)->index().size(), 1U) << "killed at operation " << killed_at;
  }
}

// Two processes that opened the store after a crash, when nobody knew which manifest the disk has:
// the first who writes makes a new one, which the second does not see by reading on in the log.
TEST(StoreFaults, EveryManifestHasANumberOfItsOwn) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.open()->commit("", create_task(1, "one")).ok());
    machine.power_failure(seed);
    auto first = machine.open();
    auto second = machine.open();
    ASSERT_TRUE(first->commit("", create_task(2, "two")).ok());
    const auto edit = [&] { return ManifestFile(machine.process(), kPath).read()->edit; };
    const uint64_t taken_over = edit();
    ASSERT_TRUE(second->commit("", create_task(3, "three")).ok());
    machine.disk.crash_at(machine.disk.operations() + seed, seed);
    const Status cut = second->cut();
    if (!machine.disk.is_down()) {
      EXPECT_TRUE(cut.ok()) << cut.error().to_string();
      EXPECT_GT(edit(), taken_over);
    }
    machine.power_failure(seed);
    auto store = machine.open();
    ASSERT_NE(store, nullptr) << "power failure at operation " << seed << " of the cut";
    EXPECT_GE(work(*store)->index().size(), 3U);
  }
}

// Logs, spans and tasks of a state as text; what could not be read is an error.
Result<std::string> try_dump(Store& store) {
  CC_ASSIGN(const Store::Read read, store.read());
  std::string text;
  LogFetchRequest logs;
  logs.after_sequence = 0;
  CC_ASSIGN(const auto entries, read.source->fetch_logs(logs));
  LogEntry entry;
  for (;;) {
    CC_ASSIGN(const bool more, entries->next(entry));
    if (!more) break;
    text += std::to_string(entry.sequence) + " " + std::string(entry.line) + "\n";
  }
  CC_ASSIGN(const auto streams, read.source->streams(INT64_MIN, INT64_MAX));
  for (const LabelPairs& labels : streams) text += labels.front().second + "\n";
  CC_ASSIGN(const auto traces, read.source->fetch({}));
  for (;;) {
    CC_ASSIGN(const TraceView* view, traces->next());
    if (view == nullptr) break;
    for (size_t i = 0; i < view->span_count(); ++i) text += std::string(view->core(i).name) + "\n";
  }
  std::vector<WorkRow> rows;
  read.work->index().scan([&](const WorkRow& row) {
    rows.push_back(row);
    return true;
  });
  CC_TRY(read.work->index().status());
  for (const WorkRow& row : rows) {
    CC_ASSIGN(const auto span, read.work->span(row.span_id));
    CC_ASSIGN(const auto events, read.work->events(row.span_id));
    text += row.id + (span ? " " + std::to_string(span->revision) : "") + " " +
            std::to_string(events.size()) + "\n";
  }
  return text;
}

// A server that reads a part of the log and then fails must not end the log there when it goes.
TEST(StoreFaults, AServerThatCannotOpenChangesNothing) {
  uint64_t failures = 0, failures_in_the_log = 0;
  for (uint64_t skip = 0; skip < 60; ++skip) {
    Machine machine;
    {
      auto store = machine.open();
      for (uint32_t i = 1; i <= 6; ++i) {
        ASSERT_TRUE(store->ingest(one_span(i, i, "first"), "").ok());
        const Status cut = i == 3 ? store->cut() : Status();
        ASSERT_TRUE(cut.ok());
      }
      ASSERT_TRUE(store->commit("", create_task(1, "t")).ok());
      ASSERT_TRUE(store->ingest(one_span(2, 2, "again"), "").ok());
      ASSERT_TRUE(store->commit("", create_task(2, "t")).ok());
    }
    const auto expected = try_dump(*machine.open(StoreMode::read_only));
    ASSERT_TRUE(expected.ok());
    {
      StoreOptions options = machine.options(machine.process(), StoreMode::server);
      options.embedded_wal_rows_max = 1;  // whoever closes cuts
      machine.disk.fail_next(SimOp::read, skip, SimFault::io_error);
      const auto opened = Store::open(options);
      machine.disk.clear_faults();
      if (opened.ok()) continue;
      ++failures;
      failures_in_the_log += opened.status().error().message.starts_with("frame ") ? 1 : 0;
    }
    const auto found = try_dump(*machine.open(StoreMode::read_only));
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(*found, *expected) << "the read after " << skip << " others failed";
  }
  EXPECT_GT(failures, 5U);
  EXPECT_GT(failures_in_the_log, 0U);
}

TEST(StoreFaults, WhatCannotBeReadIsAnErrorAndNotAnAbsence) {
  Machine machine;
  {
    auto store = machine.open();
    for (uint32_t i = 1; i <= 4; ++i) {
      ASSERT_TRUE(store->commit("", create_task(i, "t")).ok());
      ASSERT_TRUE(store->commit("", edit_task((i + 1) / 2, "k", "v")).ok());
      ASSERT_TRUE(store->ingest(one_log("shop", i, "line " + std::to_string(i)), "").ok());
      ASSERT_TRUE(store->ingest(one_span(i / 2, i / 2, "s" + std::to_string(i)), "").ok());
      const Status cut = i % 2 == 0 ? store->cut() : Status();
      ASSERT_TRUE(cut.ok());
    }
  }
  const auto expected = try_dump(*machine.open(StoreMode::read_only));
  ASSERT_TRUE(expected.ok());
  bool failed = true;
  uint64_t failures = 0;
  for (uint64_t skip = 0; failed; ++skip) {
    auto store = machine.open(StoreMode::read_only);
    machine.disk.fail_next(SimOp::read, skip, SimFault::io_error);
    const auto found = try_dump(*store);
    machine.disk.clear_faults();
    failed = !found.ok();
    failures += failed ? 1 : 0;
    if (found.ok()) {
      EXPECT_EQ(*found, *expected) << "the read after " << skip << " others failed";
    }
  }
  EXPECT_GT(failures, 20U);
}

// A later version goes on in the log with frames of its own format.
TEST(StoreFaults, AFrameOfANewerFormatIsRefusedAndKept) {
  for (const StoreMode mode : {StoreMode::read_only, StoreMode::embedded, StoreMode::server}) {
    Machine machine;
    SimFileSystem& process = machine.process();
    std::string id;
    {
      auto store = machine.open(machine.options(process));
      ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
      id = store->store_id();
    }
    const std::string path = wal_path(kPath, 1);
    auto wal = WalFile::open(process, path, 1, id, true);
    ASSERT_TRUE(wal.ok());
    WalPosition position = (*wal)->start(0);
    ASSERT_TRUE((*wal)->replay(position, UINT64_MAX, [](const Frame&) { return Status(); }).ok());
    Frame frame;
    frame.epoch = 1;
    frame.sequence = position.sequence + 1;
    frame.parts = {{PartSignal::logs, PartEncoding::raw, "what only later versions understand"}};
    std::string bytes;
    ASSERT_TRUE(append_frame(frame, position.seed, bytes).ok());
    constexpr size_t kFormatAt = 4, kChecksumBytes = 8;
    bytes[kFormatAt] = kTenantFrameFormat + 1;
    bytes.resize(bytes.size() - kChecksumBytes);
    const uint64_t checksum = xxh3_64(bytes, position.seed);
    RecordWriter(bytes).u64(checksum);
    ASSERT_TRUE((*wal)->write(position.offset, bytes).ok());
    ASSERT_TRUE((*wal)->sync().ok());
    machine.power_failure(1);
    const std::string before = *process.read_file(path);
    auto opened = Store::open(machine.options(machine.process(), mode));
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Code::unsupported) << opened.error().to_string();
    EXPECT_EQ(*process.read_file(path), before);
  }
}

// ---- crashes
// ----------------------------------------------------------------------------------------

// What was acknowledged, and what may be there besides: the one that was under way.
struct Model {
  std::map<uint32_t, std::string> tasks;  // number to "round" attribute
  uint32_t logs = 0;
  uint32_t spans = 0;
  uint32_t samples = 0;  // of two tenants in turn
};

constexpr uint32_t kRounds = 6;

StoreOptions options_of(Machine& machine, SimFileSystem& process, bool background) {
  StoreOptions options =
      machine.options(process, background ? StoreMode::server : StoreMode::embedded);
  options.background = background;
  return options;
}

// Every kind of write; false at the first failure. In every step the log event and the span are
// written together, and received data besides.
bool run_round(Store& store, Model& model, uint32_t round) {
  if (!store.commit("create-" + std::to_string(round), create_task(round, "t")).ok()) return false;
  model.tasks[round] = "";
  const uint32_t edited = (round + 1) / 2;
  const std::string value = std::to_string(round);
  if (!store.commit("edit-" + value, edit_task(edited, "round", value)).ok()) return false;
  model.tasks[edited] = value;
  if (!store.ingest(one_log("shop", round, "log " + value), "").ok()) return false;
  ++model.logs;
  if (!store.ingest(one_span(500 + round / 2, 600 + round / 2, "s" + value), "").ok()) return false;
  model.spans = round / 2 + 1;
  // Tenants take turns.
  const std::string tenant = round % 2 == 0 ? "" : "other";
  if (!store.ingest(one_sample("up", tenant, round, round), "", tenant).ok()) return false;
  model.samples = round;
  return true;
}

// A cut after every second round. A server that cuts in the background does the next round while it
// writes files.
void run_workload(Machine& machine, Store& store, Model& model, bool background) {
  uint32_t round = 1;
  bool goes_on = true;
  while (goes_on && round <= kRounds) {
    goes_on = run_round(store, model, round);
    if (!goes_on || round++ % 2 != 0) continue;
    bool pending = background && round <= kRounds;
    machine.disk.set_hook([&](SimOp op, const std::string& path) {
      if (op != SimOp::open || !path.ends_with(".spans") || !std::exchange(pending, false)) return;
      goes_on = run_round(store, model, round++);
    });
    goes_on = store.cut().ok() && goes_on;
    machine.disk.set_hook(nullptr);
  }
}

void check(Store& store, const Model& model, const std::string& where) {
  const auto read = store.read();
  ASSERT_TRUE(read.ok()) << where << ": " << read.error().to_string();
  for (const auto& [number, round] : model.tasks) {
    const auto span = read->work->span(span_id(number));
    ASSERT_TRUE(span.ok() && *span) << where << ": task " << number << " is lost";
    const std::string found = attribute((*span)->span, "round");
    EXPECT_GE(found, round) << where << ": task " << number;
    // The span says what the last of its events says.
    const auto events = read->work->events(span_id(number));
    ASSERT_TRUE(events.ok()) << where;
    ASSERT_FALSE(events->empty()) << where;
    const std::string last = *events->back().body.as_string();
    const std::string text = found.empty() ? "created " + std::to_string(number) + " t"
                                           : "edited " + std::to_string(number) + " round=" + found;
    EXPECT_EQ(last, text) << where;
    EXPECT_EQ(events->size(), static_cast<size_t>((*span)->revision)) << where;
  }
  EXPECT_LE(read->work->index().size(), model.tasks.size() + 1) << where;
  std::map<std::string, int> seen;
  for (const std::string& line : lines(*read->source)) EXPECT_EQ(++seen[line], 1) << where << line;
  uint32_t logs = 0;
  for (const auto& [line, count] : seen) logs += line.starts_with("log ") ? 1 : 0;
  EXPECT_GE(logs, model.logs) << where;
  EXPECT_LE(logs, model.logs + 1) << where;
  uint32_t spans = 0;
  for (const std::string& name : span_names(*read->source)) {
    spans += name.find("/s") != std::string::npos ? 1 : 0;
  }
  EXPECT_GE(spans, model.spans) << where;
  EXPECT_LE(spans, model.spans + 1) << where;
  // Each tenant has its own series, with the samples of its rounds and their values, none left out.
  std::map<std::string, std::string> whole, more;
  for (uint32_t round = 1; round <= model.samples + 1; ++round) {
    const std::string tenant = round % 2 == 0 ? "" : "other";
    more[tenant] += " " + std::to_string(round) + "=" + std::to_string(static_cast<double>(round));
    if (round <= model.samples) whole[tenant] = more[tenant];
  }
  for (const std::string& tenant : {std::string(), std::string("other")}) {
    const std::string found = metrics(store, tenant);
    const std::string series = tenant.empty() ? "__name__=up," : "__name__=up,host=other,";
    const auto is = [&](const std::string& samples) {
      return found == (samples.empty() ? "" : series + samples + "\n");
    };
    EXPECT_TRUE(is(whole[tenant]) || is(more[tenant])) << where << ": " << found;
  }
}

// Goes on after the crash: nothing is half, the store still works, and nothing is done twice.
void check_and_go_on(Machine& machine, const Model& model, const std::string& where) {
  const std::string read_only = [&] {
    auto reader = Store::open(machine.options(machine.process(), StoreMode::read_only));
    return reader.ok() ? dump(**reader) : std::string();
  }();
  auto store = machine.open();
  ASSERT_NE(store, nullptr) << where;
  check(*store, model, where);
  if (!read_only.empty()) {
    EXPECT_EQ(dump(*store), read_only) << where;
  }
  Model all;
  for (uint32_t round = 1; round <= kRounds; ++round) {  // every command again, under its id
    const std::string number = std::to_string(round);
    const auto created = store->commit("create-" + number, create_task(round, "t"));
    ASSERT_TRUE(created.ok()) << where << created.error().to_string();
    const auto edited =
        store->commit("edit-" + number, edit_task((round + 1) / 2, "round", number));
    ASSERT_TRUE(edited.ok()) << where << edited.error().to_string();
  }
  EXPECT_EQ(work(*store)->index().size(), kRounds) << where;
  ASSERT_TRUE(store->cut().ok()) << where;
  const std::string before = dump(*store);
  store.reset();
  EXPECT_EQ(dump(*machine.open()), before) << where;
}

uint64_t workload_operations(bool background) {
  Machine machine;
  auto store = machine.open(options_of(machine, machine.process(), background));
  Model model;
  run_workload(machine, *store, model, background);
  EXPECT_EQ(model.logs, kRounds);
  return machine.disk.operations();
}

// The seed, and whether a server's cuts are crashed, with writes between their steps.
class StoreCrash : public testing::TestWithParam<std::tuple<uint64_t, bool>> {
 protected:
  const uint64_t seed_ = std::get<0>(GetParam());
  const bool background_ = std::get<1>(GetParam());
  const uint64_t step_ = crash_step();
  const uint64_t first_ = 1 + seed_ % step_;
};

TEST_P(StoreCrash, PowerFailureAtEveryOperationLosesNothing) {
  const uint64_t operations = workload_operations(background_);
  for (uint64_t at = first_; at <= operations; at += step_) {
    const uint64_t seed = seed_ * 1000 + at;
    Machine machine(seed);
    machine.disk.crash_at(at, seed);
    Model model;
    auto store = Store::open(options_of(machine, machine.process(), background_));
    if (store.ok()) run_workload(machine, **store, model, background_);
    machine.power_failure(seed);
    if (store.ok()) store->reset();
    check_and_go_on(machine, model, "power failure at operation " + std::to_string(at));
    if (testing::Test::HasFailure()) return;
  }
}

TEST_P(StoreCrash, KillAtEveryOperationLosesNothing) {
  const uint64_t operations = workload_operations(background_);
  for (uint64_t at = first_; at <= operations; at += step_) {
    Machine machine(seed_ * 1000 + at);
    SimFileSystem& process = machine.process();
    process.kill_at(at);
    Model model;
    auto store = Store::open(options_of(machine, process, background_));
    if (store.ok()) run_workload(machine, **store, model, background_);
    process.kill();
    if (store.ok()) store->reset();
    check_and_go_on(machine, model, "kill at operation " + std::to_string(at));
    if (testing::Test::HasFailure()) return;
  }
}

TEST_P(StoreCrash, AFaultAtEveryOperationLosesNothing) {
  const uint64_t operations = workload_operations(background_);
  for (const SimFault fault : {SimFault::io_error, SimFault::no_space, SimFault::torn}) {
    for (uint64_t at = seed_ % 3 + 1; at <= operations; at += 3 * step_) {
      const uint64_t seed = seed_ * 1000 + at;
      Machine machine(seed);
      machine.disk.fail_operation(at, fault);
      Model model;
      auto store = Store::open(options_of(machine, machine.process(), background_));
      if (store.ok()) run_workload(machine, **store, model, background_);
      if (store.ok()) store->reset();
      if (at % 2 == 0) machine.power_failure(seed);
      machine.disk.clear_faults();
      check_and_go_on(machine, model, "fault at operation " + std::to_string(at));
      if (testing::Test::HasFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreCrash, testing::Combine(testing::Values(1, 2), testing::Bool()));

// ---- crashes among many files

// One more of everything, and a cut. The span is written again in every second round.
bool run_merge_round(Store& store, uint32_t round) {
  const std::string number = std::to_string(round);
  const auto move = [&](const WorkView&) -> Result<WorkTransaction> {
    WorkTransaction transaction;
    transaction.events = {task_event(round, "moved", number)};
    transaction.forwards = {{trace_id(1000 + round), trace_id(round)}};
    return transaction;
  };
  return store.commit("create-" + number, create_task(round, "t")).ok() &&
         store.commit("edit-" + number, edit_task(1 + round / 2, "round", number)).ok() &&
         store.commit("move-" + number, move).ok() &&
         store.ingest(one_log("shop", round, "log " + number), "").ok() &&
         store.ingest(one_span(500 + round / 2, 600 + round / 2, "s" + number), "").ok() &&
         store.ingest(one_sample("up", "h", round, round), "", "").ok() && store.cut().ok();
}

// What run_merge_round leaves, of rounds 1 to n.
std::string rounds_dump(uint32_t rounds) {
  Machine machine;
  auto store = machine.open();
  for (uint32_t round = 1; round <= rounds; ++round) EXPECT_TRUE(run_merge_round(*store, round));
  EXPECT_TRUE(store->read()->source->forward(trace_id(1000 + rounds)));
  return dump(*store);
}

// Cuts that merge: spans, logs, metrics, answers of commands, forwards and tables of work, with
// eight files of each there already.
class StoreMergeCrash : public testing::TestWithParam<uint64_t> {
 protected:
  const uint64_t step_ = crash_step();
};

TEST_P(StoreMergeCrash, PowerFailureAtEveryOperationOfAMergeLosesNothing) {
  constexpr uint32_t kBefore = 9, kRoundsInAll = 10;
  const std::string expected = rounds_dump(kRoundsInAll);
  uint64_t first = 0, last = 0;
  {
    Machine machine;
    auto store = machine.open();
    for (uint32_t round = 1; round <= kBefore; ++round) ASSERT_TRUE(run_merge_round(*store, round));
    first = machine.disk.operations();
    ASSERT_TRUE(run_merge_round(*store, kRoundsInAll));
    last = machine.disk.operations();
  }
  // The two seeds take turns.
  for (uint64_t at = first + 1 + GetParam() % 2; at <= last; at += 2 * step_) {
    const uint64_t seed = GetParam() * 1000 + at;
    Machine machine(seed);
    auto store = machine.open();
    for (uint32_t round = 1; round <= kBefore; ++round) ASSERT_TRUE(run_merge_round(*store, round));
    machine.disk.crash_at(at, seed);
    std::ignore = run_merge_round(*store, kRoundsInAll);
    machine.power_failure(seed);
    store = machine.open();
    ASSERT_NE(store, nullptr) << "power failure at operation " << at;
    ASSERT_TRUE(run_merge_round(*store, kRoundsInAll)) << "power failure at operation " << at;
    // Lines of a batch that is sent again after its cut may be there twice.
    const auto unique_lines = [](const std::string& text) {
      std::string out, previous;
      for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
        const std::string line = text.substr(begin, end - begin);
        if (line != previous || !line.starts_with("log ")) out += line;
        previous = line;
        begin = end;
      }
      return out;
    };
    EXPECT_EQ(unique_lines(dump(*store)), expected) << "power failure at operation " << at;
    if (testing::Test::HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreMergeCrash, testing::Values(1, 2));

}  // namespace
}  // namespace contextcore::store::test
