// Trace runs: what they say of traces, what their files are worth when damaged, and that the store
// finds received spans by them and without them.

#include <algorithm>
#include <map>
#include <set>

#include "store/manifest.h"
#include "store/store_test_kit.h"
#include "store/store_version.h"
#include "store/trace_run.h"
#include "store/verify.h"

namespace contextcore::store::test {
namespace {

// ---- one run

class TraceRunTest : public testing::Test {
 protected:
  // Segments 10, 20, 30; segment i has every i + 2nd of the numbers below count.
  std::shared_ptr<const TraceRun> write(uint32_t count) {
    TraceRunBuilder builder;
    for (const uint64_t segment : {10, 20, 30}) {
      const auto step = static_cast<uint32_t>(segment / 10 + 1);
      std::vector<uint64_t> fingerprints;
      for (uint32_t i = 0; i < count; i += step) fingerprints.push_back(trace_fingerprint(trace_id(i)));
      std::sort(fingerprints.begin(), fingerprints.end());
      builder.add(segment, fingerprints);
    }
    EXPECT_TRUE(builder.write(files(), "/run").ok());
    auto run = TraceRun::open(files(), "/run");
    EXPECT_TRUE(run.ok());
    return run.ok() ? *run : nullptr;
  }
  FileSystem& files() { return machine_.process(); }

  Machine machine_;
};

TEST_F(TraceRunTest, SaysWhichSegmentsHaveATrace) {
  const auto run = write(6000);
  ASSERT_NE(run, nullptr);
  EXPECT_GT(run->blocks(), 3u);
  size_t wrong = 0;
  for (uint32_t i = 0; i < 20'000; ++i) {
    std::vector<uint32_t> found, expected;
    ASSERT_TRUE(run->find(trace_fingerprint(trace_id(i)), found).ok());
    for (uint32_t segment = 0; segment < 3; ++segment) {
      if (i < 6000 && i % (segment + 2) == 0) expected.push_back(segment);
    }
    if (found != expected) ++wrong;
  }
  EXPECT_EQ(wrong, 0u);  // fingerprints of 48 bits do not meet by chance here
  size_t passed = 0;
  for (uint32_t i = 100'000; i < 110'000; ++i) passed += run->passes_filter(trace_fingerprint(trace_id(i))) ? 1 : 0;
  EXPECT_LT(passed, 300u);
}

TEST_F(TraceRunTest, WithoutEntriesIsARunToo) {
  TraceRunBuilder builder;
  builder.add(7, {});
  ASSERT_TRUE(builder.write(files(), "/run").ok());
  const auto run = TraceRun::open(files(), "/run");
  ASSERT_TRUE(run.ok()) << run.error().to_string();
  std::vector<uint32_t> found;
  EXPECT_TRUE((*run)->find(trace_fingerprint(trace_id(1)), found).ok());
  EXPECT_TRUE(found.empty());
  EXPECT_EQ((*run)->segments().size(), 1u);
}

// Every byte is covered by a checksum or compared: a changed one is an error or changes nothing.
TEST_F(TraceRunTest, NoticesEveryChangedByte) {
  ASSERT_NE(write(300), nullptr);
  const std::string good = *files().read_file("/run");
  size_t noticed = 0;
  for (size_t at = 16; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    ASSERT_TRUE(files().write_file_atomically("/bad", bad).ok());
    const auto run = TraceRun::open(files(), "/bad");
    const Status status = run.ok() ? (*run)->for_each([](uint64_t, uint32_t) {}) : run.status();
    EXPECT_FALSE(status.ok()) << "byte " << at << " of " << good.size();
    if (status.ok()) continue;
    EXPECT_TRUE(status.error().code == Code::corruption || status.error().code == Code::unsupported);
    EXPECT_NE(status.error().message.find("/bad"), std::string::npos);
    ++noticed;
  }
  EXPECT_EQ(noticed, good.size() - 16);
}

TEST_F(TraceRunTest, SaysThatANewerFormatNeedsANewerProgram) {
  ASSERT_NE(write(10), nullptr);
  std::string bytes = *files().read_file("/run");
  bytes[bytes.size() - 12] = 9;
  ASSERT_TRUE(files().write_file_atomically("/newer", bytes).ok());
  EXPECT_EQ(TraceRun::open(files(), "/newer").status().error().code, Code::unsupported);
}

// ---- in the store

class TraceDirectoryTest : public testing::Test {
 protected:
  Manifest manifest() { return *ManifestFile(machine_.process(), kPath).read(); }
  std::set<uint64_t> runs() {
    std::set<uint64_t> numbers;
    for (const SegmentInfo& info : manifest().segments) {
      if (info.run_number != 0) numbers.insert(info.run_number);
    }
    return numbers;
  }
  size_t run_files() {
    const auto names = machine_.process().list(data_directory(kPath));
    return static_cast<size_t>(std::count_if(names->begin(), names->end(), [](const std::string& name) {
      return name.ends_with(".traces");
    }));
  }
  void expect_sound() {
    VerifyOptions options;
    options.path = kPath;
    options.hooks = small_hooks();
    options.file_system = &machine_.process();
    options.clock = &machine_.clock;
    const auto report = verify_store(options);
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report->sound());
    for (const Damage& damage : report->damages) ADD_FAILURE() << damage.file << ": " << damage.what;
  }
  // Writes the manifest again without runs, as a program before them left it.
  void forget_runs() {
    Manifest older = manifest();
    ++older.edit;
    for (SegmentInfo& info : older.segments) info.run_number = 0;
    ASSERT_TRUE(ManifestFile(machine_.process(), kPath).write(older).ok());
  }

  Machine machine_;
};

TEST_F(TraceDirectoryTest, ASpanThatComesAgainReplacesTheOneInAnySegment) {
  const auto store = machine_.open(StoreMode::server);
  for (uint32_t round = 0; round < 5; ++round) {
    for (uint32_t i = 0; i < 20; ++i) {
      ASSERT_TRUE(store->ingest(one_span(100 * round + i, 1000 * round + i, "first"), {}).ok());
    }
    ASSERT_TRUE(store->cut().ok());
  }
  EXPECT_EQ(runs().size(), 5u);
  for (uint32_t round = 0; round < 5; ++round) {
    ASSERT_TRUE(store->ingest(one_span(100 * round + 3, 1000 * round + 3, "again"), {}).ok());
  }
  for (const bool cut : {false, true}) {
    if (cut) {
      ASSERT_TRUE(store->cut().ok());
    }
    const std::vector<std::string> names = span_names(*source(*store));
    EXPECT_EQ(names.size(), 100u);
    EXPECT_EQ(std::count_if(names.begin(), names.end(), [](const auto& name) { return name.ends_with("again"); }), 5);
  }
  const auto trace = source(*store)->trace(trace_id(203));
  ASSERT_TRUE(trace.ok() && *trace);
  EXPECT_EQ((*trace)->span_count(), 1u);
  expect_sound();
}

// One trace over many segments and requests; a span id of two kinds is two spans.
TEST_F(TraceDirectoryTest, ATraceThatGoesOnGrowingKeepsEachSpanOnce) {
  const auto store = machine_.open(StoreMode::server);
  constexpr uint32_t kRounds = 5, kSpans = 40;
  const auto request = [](uint32_t first, const std::string& name) {
    otlp::TracesData data = one_span(7, first + 1, name);
    auto& spans = data.resource_spans[0].scope_spans[0].spans;
    for (uint32_t i = 1; i < kSpans; ++i)
      spans.push_back(one_span(7, first + i + 1, name).resource_spans[0].scope_spans[0].spans[0]);
    for (uint32_t i = 0; i < kSpans; ++i) {
      spans.push_back(spans[i]);
      spans.back().kind = otlp::SpanKind::client;
    }
    return data;
  };
  for (uint32_t round = 0; round < kRounds; ++round) {
    // Half of it has come before.
    ASSERT_TRUE(store->ingest(request(round * kSpans / 2, std::to_string(round)), {}).ok());
    ASSERT_TRUE(store->cut().ok());
  }
  std::map<std::string, int> count;
  for (const std::string& name : span_names(*source(*store))) ++count[name];
  EXPECT_EQ(count, (std::map<std::string, int>{
                       {"000007/0", kSpans}, {"000007/1", kSpans}, {"000007/2", kSpans},
                       {"000007/3", kSpans}, {"000007/4", 2 * kSpans}}));
}

TEST_F(TraceDirectoryTest, RunsAreMergedAndTheOldOnesRemoved) {
  const auto store = machine_.open(StoreMode::server);
  for (uint32_t round = 0; round < 40; ++round) {
    ASSERT_TRUE(store->ingest(one_span(round, round + 1, "first"), {}).ok());
    ASSERT_TRUE(store->cut().ok());
    EXPECT_LE(runs().size(), 9u);
    EXPECT_EQ(run_files(), runs().size());
  }
  for (const SegmentInfo& info : manifest().segments) EXPECT_NE(info.run_number, 0u);
  expect_sound();
}

TEST_F(TraceDirectoryTest, AStoreWithoutRunsWorksAndGetsThem) {
  {
    const auto store = machine_.open(StoreMode::server);
    for (uint32_t round = 0; round < 3; ++round) {
      ASSERT_TRUE(store->ingest(one_span(round, round + 1, "first"), {}).ok());
      ASSERT_TRUE(store->cut().ok());
    }
    ASSERT_TRUE(store->close().ok());
  }
  const size_t segments = manifest().segments.size();
  forget_runs();
  const auto store = machine_.open(StoreMode::server);
  EXPECT_TRUE(runs().empty());
  ASSERT_TRUE(store->ingest(one_span(1, 2, "again"), {}).ok());
  EXPECT_EQ(span_names(*source(*store)).size(), 3u);
  for (size_t i = 0; i < segments; ++i) {
    ASSERT_TRUE(store->ingest(one_span(50 + static_cast<uint32_t>(i), 90, "more"), {}).ok());
    ASSERT_TRUE(store->cut().ok());
  }
  for (const SegmentInfo& info : manifest().segments) EXPECT_NE(info.run_number, 0u);
  ASSERT_TRUE(store->ingest(one_span(2, 3, "again"), {}).ok());
  EXPECT_EQ(span_names(*source(*store)).size(), 3u + segments);
  expect_sound();
}

// A run is a cache: without it, or with a damaged one, answers stay right, verify says what is wrong,
// and cuts put it in order.
TEST_F(TraceDirectoryTest, ADamagedOrMissingRunCostsNoAnswers) {
  for (const bool missing : {false, true}) {
    Machine machine;
    {
      const auto store = machine.open(StoreMode::server);
      ASSERT_TRUE(store->ingest(one_span(1, 2, "first"), {}).ok());
      ASSERT_TRUE(store->cut().ok());
      ASSERT_TRUE(store->close().ok());
    }
    SimFileSystem& files = machine.process();
    std::string path;
    const auto names = files.list(data_directory(kPath));
    for (const std::string& name : *names) {
      if (name.ends_with(".traces")) path = join_path(data_directory(kPath), name);
    }
    ASSERT_FALSE(path.empty());
    if (missing) {
      ASSERT_TRUE(files.remove(path).ok());
    } else {
      std::string bytes = *files.read_file(path);
      bytes[16] = static_cast<char>(bytes[16] ^ 1);  // an entry: the directory is sound
      ASSERT_TRUE(files.write_file_atomically(path, bytes).ok());
    }
    VerifyOptions options;
    options.path = kPath;
    options.hooks = small_hooks();
    options.file_system = &files;
    options.clock = &machine.clock;
    const auto damaged = verify_store(options);
    ASSERT_TRUE(damaged.ok());
    ASSERT_EQ(damaged->damages.size(), 1u);
    EXPECT_EQ(damaged->damages[0].file, path);
    const auto store = machine.open(StoreMode::server);
    ASSERT_NE(store, nullptr);
    ASSERT_TRUE(store->ingest(one_span(1, 2, "again"), {}).ok());
    EXPECT_EQ(span_names(*source(*store)).size(), 1u);
    ASSERT_TRUE(store->cut().ok());
    EXPECT_EQ(span_names(*source(*store)).size(), 1u);
    const auto healed = verify_store(options);
    ASSERT_TRUE(healed.ok());
    EXPECT_TRUE(healed->sound()) << healed->damages[0].what;
  }
}

}  // namespace
}  // namespace contextcore::store::test
