// Damage of every kind, one byte at a time: verify finds it and says where, and no query gives wrong
// rows for it.

#include "store/verify.h"

#include <algorithm>
#include <set>

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

constexpr uint32_t kTasks = 12, kSpans = 30;

// Work, received spans (some of them superseded: a mask), logs, metrics, commands, digests, forwards, a log.
void fill(Store& store) {
  for (uint32_t i = 1; i <= kTasks; ++i) {
    ASSERT_TRUE(store.commit("create-" + std::to_string(i), create_task(i, "task " + std::to_string(i))).ok());
  }
  for (uint32_t i = 1; i <= kSpans; ++i) {
    ASSERT_TRUE(store.ingest(one_span(1000 + i / 3, 1000 + i, "GET /" + std::to_string(i), 1000 + i, 3000 + i), {}).ok());
    ASSERT_TRUE(store.ingest(one_log("shop", 1000 + i, "line " + std::to_string(i)), {}).ok());
    ASSERT_TRUE(store.ingest(one_sample("load", "host-" + std::to_string(i % 3), 1000 * i, i), {}, "").ok());
  }
  ASSERT_TRUE(store.cut().ok());
  ASSERT_TRUE(store.ingest(one_span(1001, 1003, "GET /again", 1003, 9000), {}).ok());
  ASSERT_TRUE(store.commit("", edit_task(3, "color", "red")).ok());
  ASSERT_TRUE(store.commit("", [](const WorkView& view) -> Result<WorkTransaction> {
    CC_ASSIGN(WorkTransaction transaction, comment(4, "moved")(view));
    transaction.forwards.emplace_back(trace_id(77), trace_id(4));
    return transaction;
  }).ok());
  ASSERT_TRUE(store.cut().ok());
  ASSERT_TRUE(store.commit("late", edit_task(5, "color", "blue")).ok());
  ASSERT_TRUE(store.ingest(one_log("shop", 5000, "the last line"), {}).ok());
}

VerifyOptions options_of(Machine& machine) {
  VerifyOptions options;
  options.path = kPath;
  options.hooks = small_hooks();
  options.file_system = &machine.process();
  options.clock = &machine.clock;
  return options;
}

std::string text_of(const VerifyReport& report) {
  std::string out;
  for (const Damage& damage : report.damages) {
    out += damage.file + " | " + damage.part + " | " + damage.rows + " | " + damage.what + " |";
    for (const std::string& name : damage.affected) out += " " + name;
    out += " | " + damage.remedy + "\n";
  }
  return out;
}

std::vector<std::string> files_of(Machine& machine, const std::string& extension) {
  std::vector<std::string> out;
  const std::string data = std::string(kPath) + "/data";
  const auto names = machine.process().list(data);
  for (const std::string& name : *names) {
    if (name.ends_with("." + extension)) out.push_back(data + "/" + name);
  }
  return out;
}

TEST(Verify, ASoundStoreIsSound) {
  Machine machine;
  auto store = machine.open();
  fill(*store);
  const auto report = verify_store(options_of(machine));  // beside the open store
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(text_of(*report), "");
  EXPECT_TRUE(report->notes.empty());
  EXPECT_EQ(report->span_rows, kTasks + kSpans + 2);
  EXPECT_EQ(report->masked_rows, 2U);
  EXPECT_EQ(report->metric_samples, kSpans);
  EXPECT_EQ(report->work_rows, kTasks);
  EXPECT_EQ(report->commands, kTasks);
  EXPECT_EQ(report->digests, 3 * kSpans + 1);
  EXPECT_EQ(report->frames, 2U);
  EXPECT_EQ(report->sequence, store->stats().sequence);
  EXPECT_EQ(report->store_id, store->store_id());
}

TEST(Verify, WithoutAStoreThereIsNone) {
  Machine machine;
  const auto report = verify_store(options_of(machine));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, Code::not_found);
}

// No byte of any file in data/ can change without being noticed, in the file that it is in.
TEST(Verify, FindsEveryDamagedByte) {
  Machine machine;
  auto store = machine.open();
  fill(*store);
  ASSERT_TRUE(store->close().ok());
  std::set<std::string> kinds;
  for (const char* extension : {"spans", "logs", "metrics", "mask", "traces", "work", "commands", "digests", "forwards"}) {
    for (const std::string& path : files_of(machine, extension)) {
      kinds.insert(extension);
      const uint64_t size = machine.process().stat(path)->size;
      const uint64_t step = size > 600 ? size / 300 : 1;
      for (uint64_t offset = 0; offset < size; offset += step * crash_step()) {
        machine.disk.flip_bits(path, offset, 0x20);
        const auto report = verify_store(options_of(machine));
        machine.disk.flip_bits(path, offset, 0x20);
        ASSERT_TRUE(report.ok()) << path << " byte " << offset << ": " << report.error().message;
        ASSERT_FALSE(report->sound()) << path << " byte " << offset << " of " << size;
        EXPECT_TRUE(std::any_of(report->damages.begin(), report->damages.end(),
                                [&](const Damage& damage) { return damage.file == path; }))
            << path << " byte " << offset << ": " << text_of(*report);
        for (const Damage& damage : report->damages) {
          EXPECT_FALSE(damage.what.empty());
          EXPECT_FALSE(damage.remedy.empty());
        }
      }
    }
  }
  EXPECT_EQ(kinds.size(), 9U);
  EXPECT_TRUE(verify_store(options_of(machine))->sound());
}

TEST(Verify, FindsDamageOfManifestAndLog) {
  Machine machine;
  auto store = machine.open();
  fill(*store);
  ASSERT_TRUE(store->close().ok());
  const std::string current = *machine.process().read_file(std::string(kPath) + "/CURRENT");
  const std::string manifest = std::string(kPath) + "/" + current;
  const std::string log = std::string(kPath) + "/wal/00000003.wal";
  const uint64_t log_end = store->stats().wal_bytes;
  for (const auto& [path, size] : {std::pair(manifest, machine.process().stat(manifest)->size), std::pair(log, log_end),
                                   std::pair(std::string(kPath) + "/CURRENT", uint64_t{current.size()})}) {
    ASSERT_GT(size, 0U) << path;
    for (uint64_t offset = 0; offset < size; offset += (path == manifest ? 3 : 1) * crash_step()) {
      machine.disk.flip_bits(path, offset, 0x04);
      const auto report = verify_store(options_of(machine));
      machine.disk.flip_bits(path, offset, 0x04);
      ASSERT_TRUE(report.ok()) << path << " byte " << offset << ": " << report.error().message;
      ASSERT_FALSE(report->sound()) << path << " byte " << offset;
    }
  }
}

TEST(Verify, NamesPageRowsAndTasks) {
  Machine machine;
  auto store = machine.open();
  fill(*store);
  ASSERT_TRUE(store->close().ok());
  const std::string path = files_of(machine, "spans").front();
  machine.disk.flip_bits(path, 40, 1);  // a page of the first row group
  const auto report = verify_store(options_of(machine));
  ASSERT_TRUE(report.ok());
  const std::string text = text_of(*report);
  EXPECT_NE(text.find("row group 0, column "), std::string::npos) << text;
  EXPECT_NE(text.find("checksum does not match"), std::string::npos) << text;
  EXPECT_NE(text.find("0 to 11"), std::string::npos) << text;
  EXPECT_NE(text.find("backup"), std::string::npos) << text;
}

TEST(Verify, AMissingFileIsDamage) {
  for (const char* extension : {"spans", "logs", "metrics", "mask", "traces", "work", "commands", "digests", "forwards"}) {
    Machine machine;
    auto store = machine.open();
    fill(*store);
    ASSERT_TRUE(store->close().ok());
    const std::string path = files_of(machine, extension).front();
    ASSERT_TRUE(machine.process().remove(path).ok());
    const auto report = verify_store(options_of(machine));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_NE(text_of(*report).find(path + " |  |  | it does not exist"), std::string::npos) << text_of(*report);
  }
}

// A file of the work table that is sound in itself but is not what the spans say.
TEST(Verify, ComparesTheWorkTableWithTheJournal) {
  Machine machine;
  auto store = machine.open();
  fill(*store);
  ASSERT_TRUE(store->close().ok());
  VerifyOptions options = options_of(machine);
  const auto row = options.hooks.row;
  options.hooks.row = [row](const JournalSpan& span) {
    WorkRow out = row(span);
    if (out.span_id == span_id(7)) ++out.priority;
    return out;
  };
  const auto report = verify_store(options);
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->damages.size(), 1U) << text_of(*report);
  EXPECT_NE(text_of(*report).find("is not what its span says"), std::string::npos);
  EXPECT_NE(report->damages[0].remedy.find("remove the file"), std::string::npos);
}

// Files vanish and appear while verify runs: every look gets one state or the other, and finds it sound.
TEST(Verify, RunsBesideCuts) {
  Machine machine;
  auto store = machine.open(StoreMode::server);
  fill(*store);
  uint32_t number = 100;
  int calls = 0;
  bool inside = false;
  machine.disk.set_hook([&](SimOp op, const std::string&) {
    if (inside || (op != SimOp::open && op != SimOp::read) || ++calls % 41 != 0) return;
    inside = true;
    EXPECT_TRUE(store->commit("", create_task(++number, "more")).ok());
    if (calls % 2 == 0) {
      EXPECT_TRUE(store->cut().ok());
    }
    inside = false;
  });
  for (int i = 0; i < 20; ++i) {
    const auto report = verify_store(options_of(machine));
    if (!report.ok()) {
      EXPECT_EQ(report.error().code, Code::unavailable) << report.error().message;
      continue;
    }
    EXPECT_EQ(text_of(*report), "");
  }
  machine.disk.set_hook({});
  EXPECT_GT(store->stats().cuts, 3U);
}

}  // namespace
}  // namespace contextcore::store::test
