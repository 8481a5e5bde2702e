// Compaction and retention: fewer files and the same answers; what is too old goes, what work points
// at stays.

#include "store/compaction.h"

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

constexpr int64_t kDayNs = 86'400 * kSecondNs;

// ---- choosing

CompactionCandidate candidate(uint64_t number, uint64_t rows, uint64_t live, int64_t least_ns = 0,
                              SegmentClass segment_class = SegmentClass::runtime) {
  CompactionCandidate one;
  one.info.number = number;
  one.info.segment_class = segment_class;
  one.info.rows = rows;
  one.info.bounds = {least_ns, least_ns + 1};
  one.live = live;
  return one;
}

TEST(ChooseCompaction, FewSegmentsAreLeftAlone) {
  EXPECT_TRUE(choose_compaction({}).empty());
  std::vector<CompactionCandidate> five;
  for (uint64_t i = 1; i <= 5; ++i) five.push_back(candidate(i, 100, 100));
  EXPECT_TRUE(choose_compaction(five).empty());
  // Of another class they do not count together.
  five.push_back(candidate(6, 100, 100, 0, SegmentClass::work));
  EXPECT_TRUE(choose_compaction(five).empty());
  // Nor do larger ones.
  five.push_back(candidate(7, 500'000, 500'000));
  EXPECT_TRUE(choose_compaction(five).empty());
}

TEST(ChooseCompaction, ManyOfASizeAreMergedOldestFirst) {
  std::vector<CompactionCandidate> many;
  for (uint64_t i = 1; i <= 20; ++i)
    many.push_back(candidate(i, 100, 100, static_cast<int64_t>(100 - i)));
  const std::vector<uint64_t> chosen = choose_compaction(many);
  ASSERT_EQ(chosen.size(), 16U);
  EXPECT_EQ(chosen.front(), 20U);
  many.clear();
  for (uint64_t i = 1; i <= 8; ++i) many.push_back(candidate(i, 700'000, 700'000));
  EXPECT_EQ(choose_compaction(many).size(), 2U);  // two million rows at once
  many.clear();
  for (uint64_t i = 1; i <= 20; ++i) many.push_back(candidate(i, 2'000'000, 2'000'000));
  EXPECT_TRUE(choose_compaction(many).empty());
}

TEST(ChooseCompaction, LargeOnesWaitUntilTheyMakeOneThatIsLeftAlone) {
  std::vector<CompactionCandidate> large;
  for (uint64_t i = 1; i <= 7; ++i) large.push_back(candidate(i, 140'000, 140'000));
  EXPECT_TRUE(choose_compaction(large).empty()) << "980,000 rows would be merged again";
  large.push_back(candidate(8, 140'000, 140'000));
  EXPECT_EQ(choose_compaction(large).size(), 8U);
  large.clear();
  for (uint64_t i = 1; i <= 6; ++i) large.push_back(candidate(i, 180'000, 180'000));
  EXPECT_EQ(choose_compaction(large).size(), 6U);
}

TEST(ChooseCompaction, OneThatIsMostlySupersededIsWrittenAgain) {
  EXPECT_EQ(choose_compaction({candidate(1, 3'000'000, 1'000'000), candidate(2, 10, 10)}),
            std::vector<uint64_t>{1});
  EXPECT_TRUE(choose_compaction({candidate(1, 100, 50)}).empty());
}

TEST(ChooseExpired, OnlyReceivedDataWithNothingYounger) {
  std::vector<SegmentInfo> segments;
  const auto add = [&](uint64_t number, RowsKind kind, SegmentClass segment_class, TimeBounds bounds) {
    SegmentInfo info;
    info.number = number;
    info.kind = kind;
    info.segment_class = segment_class;
    info.bounds = bounds;
    segments.push_back(info);
  };
  add(1, RowsKind::spans, SegmentClass::runtime, {0, kDayNs});
  add(2, RowsKind::spans, SegmentClass::runtime, {0, 9 * kDayNs});  // some is younger
  add(3, RowsKind::spans, SegmentClass::work, {0, kDayNs});
  add(4, RowsKind::logs, SegmentClass::runtime, {0, kDayNs});  // logs are kept longer here
  add(5, RowsKind::spans, SegmentClass::runtime, {});          // nobody knows
  add(6, RowsKind::metrics, SegmentClass::runtime, {0, kDayNs});
  const Retention retention{.spans_ns = 5 * kDayNs, .logs_ns = 50 * kDayNs, .metrics_ns = 0};
  EXPECT_EQ(choose_expired(segments, retention, 10 * kDayNs), std::set<uint64_t>{1});
  segments[0].kept = true;
  EXPECT_TRUE(choose_expired(segments, retention, 10 * kDayNs).empty());
  EXPECT_TRUE(choose_expired(segments, {}, 1000 * kDayNs).empty());
}

// ---- the store

StoreOptions server_options(Machine& machine, SimFileSystem& process) {
  StoreOptions options = machine.options(process, StoreMode::server);
  options.background = true;
  options.make_executor = idle_executor;
  return options;
}

constexpr uint32_t kCuts = 7;

// False at the first failure. Every round changes a task and a span of earlier ones.
bool run_round(Store& store, uint32_t round) {
  const std::string value = std::to_string(round);
  return store.commit("create-" + value, create_task(round, "t")).ok() &&
         store.commit("stays-" + value, create_task(100 + round, "stays")).ok() &&
         store.ingest(one_span(900 + round, 900 + round, "stays"), "").ok() &&
         store.commit("edit-" + value, edit_task((round + 1) / 2, "round", value)).ok() &&
         store.ingest(one_log("shop", round, "log " + value), "").ok() &&
         store.ingest(one_span(500 + round / 2, 600 + round / 2, "s" + value, 1000 * round), "").ok();
}

// Everything that leads to a compaction; without cuts: the same work, for comparisons.
void fill(Store& store, bool cuts = true) {
  for (uint32_t round = 1; round <= kCuts; ++round) {
    ASSERT_TRUE(run_round(store, round));
    if (cuts) {
      ASSERT_TRUE(store.cut().ok());
    }
  }
}

TEST(Compaction, ManySegmentsBecomeFewWithTheSameAnswers) {
  Machine machine, plain;
  auto store = machine.open(server_options(machine, machine.process()));
  auto other = plain.open();
  fill(*store);
  fill(*other, false);
  const auto pinned = source(*store);
  const std::vector<std::string> names = span_names(*pinned);
  ASSERT_TRUE(store->compact().ok());
  const StoreStats stats = store->stats();
  EXPECT_LE(stats.segments, kCuts * 4 / 2);  // four of each cut
  EXPECT_GT(stats.compactions, 0U);
  EXPECT_EQ(dump(*store), dump(*other));
  EXPECT_EQ(span_names(*pinned), names);  // who began before reads on
  ASSERT_TRUE(store->compact().ok());     // nothing more to do
  EXPECT_EQ(store->stats().compactions, stats.compactions);
  ASSERT_TRUE(store->close().ok());
  store = machine.open();
  EXPECT_EQ(dump(*store), dump(*other));
}

TEST(Compaction, WhatIsChangedMeanwhileStaysChanged) {
  Machine machine, plain;
  auto store = machine.open(server_options(machine, machine.process()));
  auto other = plain.open();
  fill(*store);
  fill(*other, false);
  const auto change = [](Store& to, const std::string& value) {
    for (uint32_t task = 1; task <= kCuts; task += 2)
      ASSERT_TRUE(to.commit("", edit_task(task, "late", value)).ok());
    ASSERT_TRUE(to.ingest(one_span(501, 601, "late " + value, 3000), "").ok());
  };
  // One change is in files by the time the merged segments are, another only in the head.
  bool pending = true;
  machine.disk.set_hook([&](SimOp op, const std::string& path) {
    if (op != SimOp::open || !path.ends_with(".spans") || !std::exchange(pending, false)) return;
    change(*store, "cut");
    ASSERT_TRUE(store->cut().ok());
    change(*store, "head");
  });
  ASSERT_TRUE(store->compact().ok());
  machine.disk.set_hook(nullptr);
  EXPECT_FALSE(pending);
  change(*other, "cut");
  change(*other, "head");
  EXPECT_EQ(dump(*store), dump(*other));
  change(*store, "after");
  change(*other, "after");
  EXPECT_EQ(dump(*store), dump(*other));
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(dump(*store), dump(*other));
  ASSERT_TRUE(store->close().ok());
  store = machine.open();
  EXPECT_EQ(dump(*store), dump(*other));
}

TEST(Compaction, AProcessThatHadTheStoreOpenGoesOnWithTheNewFiles) {
  Machine machine, plain;
  auto other = plain.open();
  {
    auto store = machine.open(server_options(machine, machine.process()));
    fill(*store);
    fill(*other, false);
    ASSERT_TRUE(store->close().ok());
  }
  auto embedded = machine.open();
  const std::string before = dump(*embedded);
  {
    auto store = machine.open(server_options(machine, machine.process()));
    ASSERT_TRUE(store->compact().ok());
    ASSERT_TRUE(store->close().ok());
  }
  EXPECT_EQ(dump(*embedded), before);
  ASSERT_TRUE(run_round(*embedded, kCuts + 1));
  ASSERT_TRUE(embedded->cut().ok());
  ASSERT_TRUE(run_round(*other, kCuts + 1));
  EXPECT_EQ(dump(*embedded), dump(*other));
  embedded.reset();
  EXPECT_EQ(dump(*machine.open()), dump(*other));
}

// A process reads the manifest when the server has made room for a record there and not written it yet. Taken for the
// newest, it would be written over the one that names the new files.
TEST(Compaction, AProcessThatOpensTheStoreBetweenRoomAndRecordSeesTheRecordLater) {
  Machine machine;
  std::unique_ptr<Store> embedded;
  std::string before;
  {
    auto store = machine.open(server_options(machine, machine.process()));
    fill(*store);
    before = dump(*store);
    bool inside = false;
    machine.disk.set_hook([&](SimOp op, const std::string& path) {
      if (inside || op != SimOp::write || path.find("/MANIFEST-") == std::string::npos) return;
      inside = true;
      embedded = machine.open();
      inside = false;
    });
    ASSERT_TRUE(store->compact().ok());
    machine.disk.set_hook(nullptr);
    ASSERT_TRUE(store->close().ok());
  }
  ASSERT_NE(embedded, nullptr);
  EXPECT_EQ(dump(*embedded), before);
  ASSERT_TRUE(run_round(*embedded, kCuts + 1));
  ASSERT_TRUE(embedded->cut().ok());
  const std::string after = dump(*embedded);
  embedded.reset();
  EXPECT_EQ(dump(*machine.open()), after);
}

TEST(Compaction, ACrashAtEveryOperationChangesNoAnswer) {
  uint64_t begin = 0, end = 0;
  std::string expected;
  {
    Machine machine;
    auto store = machine.open(server_options(machine, machine.process()));
    fill(*store);
    expected = dump(*store);
    begin = machine.disk.operations();
    ASSERT_TRUE(store->compact().ok());
    end = machine.disk.operations();
  }
  ASSERT_GT(end, begin + 10);
  for (uint64_t at = begin + 1; at <= end; at += crash_step()) {
    for (const bool power : {true, false}) {
      const std::string where = (power ? "power failure at " : "kill at ") + std::to_string(at);
      Machine machine(at);
      SimFileSystem& process = machine.process();
      auto store = machine.open(server_options(machine, process));
      fill(*store);
      dump(*store);
      if (power) {
        machine.disk.crash_at(at, at);
      } else {
        process.kill_at(at - machine.disk.operations());
      }
      const Status compacted = store->compact();
      if (power) {
        machine.power_failure(at);
      } else {
        process.kill();
      }
      store.reset();
      machine.disk.clear_faults();
      auto reader = Store::open(machine.options(machine.process(), StoreMode::read_only));
      ASSERT_TRUE(reader.ok()) << where << reader.error().to_string();
      EXPECT_EQ(dump(**reader), expected) << where;
      store = machine.open();
      ASSERT_NE(store, nullptr) << where;
      EXPECT_EQ(dump(*store), expected) << where;
      ASSERT_TRUE(store->commit("more", create_task(90, "more")).ok()) << where;
      ASSERT_TRUE(store->cut().ok()) << where;
      store.reset();
      EXPECT_NE(dump(*machine.open()).find("more"), std::string::npos) << where;
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(Compaction, AFullDiskLeavesTheSegmentsAsTheyAre) {
  Machine machine;
  auto store = machine.open(server_options(machine, machine.process()));
  fill(*store);
  const std::string expected = dump(*store);
  machine.disk.set_free_bytes(100);
  EXPECT_FALSE(store->compact().ok());
  EXPECT_EQ(dump(*store), expected);
  machine.disk.clear_faults();
  const Status compacted = store->compact();
  ASSERT_TRUE(compacted.ok()) << compacted.error().to_string();
  EXPECT_EQ(dump(*store), expected);
}

TEST(Retention, OldReceivedDataGoesAndWhatWorkPointsAtStays) {
  Machine machine;
  machine.clock.set_wall_ns(100 * kDayNs);
  StoreOptions options = server_options(machine, machine.process());
  options.retention = {.spans_ns = 14 * kDayNs, .logs_ns = 14 * kDayNs, .metrics_ns = 0};
  options.hooks.keep_span = [](const otlp::Resource&, const otlp::Scope&, const otlp::Span& span) {
    return span.name == "run";
  };
  auto store = machine.open(options);
  const auto old_ns = static_cast<uint64_t>(50 * kDayNs), new_ns = static_cast<uint64_t>(99 * kDayNs);
  ASSERT_TRUE(store->commit("", create_task(1, "task")).ok());
  ASSERT_TRUE(store->ingest(one_span(10, 110, "old", old_ns, old_ns + 5), "").ok());
  ASSERT_TRUE(store->ingest(one_span(11, 111, "run", old_ns, old_ns + 5), "").ok());
  ASSERT_TRUE(store->ingest(one_span(12, 112, "evidence", old_ns, old_ns + 5), "").ok());
  ASSERT_TRUE(store->ingest(one_log("shop", old_ns, "old line"), "").ok());
  const WorkPlan link = [](const WorkView& view) -> Result<WorkTransaction> {
    CC_ASSIGN(auto known, view.span(span_id(1)));
    JournalSpan span = *known;
    ++span.revision;
    otlp::SpanLink to;
    to.trace_id = trace_id(12);
    to.span_id = span_id(112);
    span.span.links.push_back(to);
    WorkTransaction out;
    out.spans.push_back(std::move(span));
    return out;
  };
  ASSERT_TRUE(store->commit("", link).ok());
  ASSERT_TRUE(store->cut().ok());
  ASSERT_TRUE(store->ingest(one_span(13, 113, "new", new_ns, new_ns + 5), "").ok());
  ASSERT_TRUE(store->ingest(one_log("shop", new_ns, "new line"), "").ok());
  ASSERT_TRUE(store->cut().ok());
  ASSERT_TRUE(store->compact().ok());
  const std::string all = dump(*store);
  EXPECT_EQ(span_names(*source(*store)).size(), 4U) << all;
  EXPECT_EQ(all.find("\"old\""), std::string::npos);
  const std::vector<std::string> left = lines(*source(*store));
  EXPECT_EQ(std::count(left.begin(), left.end(), "old line"), 0);
  EXPECT_EQ(std::count(left.begin(), left.end(), "new line"), 1);
  EXPECT_EQ(store->stats().expired_rows, 2U);
  ASSERT_TRUE(store->compact().ok());  // what is kept is not looked at again
  EXPECT_EQ(store->stats().expired_rows, 2U);
  ASSERT_TRUE(store->close().ok());
  EXPECT_EQ(dump(*machine.open()), all);
}

TEST(Retention, WhatSomebodyStillWantsStaysUntilItIsTaken) {
  Machine machine;
  machine.clock.set_wall_ns(100 * kDayNs);
  ArrivalsWanted wanted;
  StoreOptions options = server_options(machine, machine.process());
  options.retention = {.spans_ns = 14 * kDayNs, .logs_ns = 14 * kDayNs, .metrics_ns = 0};
  options.arrivals_wanted = [&wanted] { return wanted; };
  auto store = machine.open(options);
  // Each an old segment of its own.
  std::vector<uint64_t> sequences;
  for (uint32_t i = 0; i < 2; ++i) {
    const auto old_ns = static_cast<uint64_t>((50 + i) * kDayNs);
    ASSERT_TRUE(store->ingest(one_span(10 + i, 110 + i, "old " + std::to_string(i), old_ns, old_ns + 5), "").ok());
    sequences.push_back(store->stats().sequence);
    ASSERT_TRUE(store->ingest(one_log("shop", old_ns, "line " + std::to_string(i)), "").ok());
    wanted = {0, 0};
    ASSERT_TRUE(store->cut().ok());
  }
  const auto left = [&] { return span_names(*source(*store)).size() + lines(*source(*store)).size(); };
  ASSERT_TRUE(store->compact().ok());
  EXPECT_EQ(left(), 4U);
  EXPECT_EQ(store->stats().held_segments, 4U);
  wanted = {sequences[1], UINT64_MAX};  // the first span was taken; nobody wants logs
  ASSERT_TRUE(store->compact().ok());
  EXPECT_EQ(span_names(*source(*store)), std::vector<std::string>{"00000b/old 1"});
  EXPECT_TRUE(lines(*source(*store)).empty());
  EXPECT_EQ(store->stats().held_segments, 1U);
  wanted.spans = sequences[1] + 1;
  ASSERT_TRUE(store->compact().ok());
  EXPECT_EQ(left(), 0U);
  EXPECT_EQ(store->stats().held_segments, 0U);
  EXPECT_EQ(store->stats().expired_rows, 4U);
}

// Merging keeps what says when a row came, so that what is merged is held as before.
TEST(Retention, WhatIsWantedStaysWantedWhenSegmentsAreMerged) {
  Machine machine;
  machine.clock.set_wall_ns(100 * kDayNs);
  ArrivalsWanted wanted{0, 0};
  StoreOptions options = server_options(machine, machine.process());
  options.retention = {.spans_ns = 14 * kDayNs, .logs_ns = 14 * kDayNs, .metrics_ns = 0};
  options.arrivals_wanted = [&wanted] { return wanted; };
  auto store = machine.open(options);
  for (uint32_t i = 0; i < 7; ++i) {
    const auto old_ns = static_cast<uint64_t>(50 * kDayNs + i);
    ASSERT_TRUE(store->ingest(one_span(10 + i, 110 + i, "old", old_ns, old_ns + 5), "").ok());
    ASSERT_TRUE(store->cut().ok());
  }
  const uint64_t last = store->stats().sequence;
  ASSERT_TRUE(store->compact().ok());
  EXPECT_GT(store->stats().compactions, 0U);
  wanted = {last, last};
  ASSERT_TRUE(store->compact().ok());
  EXPECT_EQ(span_names(*source(*store)).size(), 7U);  // of one segment the last is wanted
  wanted = {};
  ASSERT_TRUE(store->compact().ok());
  EXPECT_TRUE(span_names(*source(*store)).empty());
}

}  // namespace
}  // namespace contextcore::store::test
