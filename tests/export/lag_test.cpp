// How far behind a destination is, and what retention hears of it.

#include "export/lag.h"

#include <gtest/gtest.h>

#include "export/backlog.h"
#include "export_kit.h"

namespace contextcore::exporter::test {
namespace {

constexpr int64_t kMaxNs = 16 * kMinuteNs;

TEST(LagTest, counts_from_the_oldest_note_that_is_not_reached) {
  Lag lag(kMaxNs, {}, 0);
  EXPECT_TRUE(lag.due(0));
  EXPECT_TRUE(lag.note(10, 0));
  EXPECT_FALSE(lag.due(kMinuteNs - 1));
  EXPECT_TRUE(lag.due(kMinuteNs));
  EXPECT_TRUE(lag.note(10, kMinuteNs));
  EXPECT_EQ(lag.notes(kMinuteNs), (std::vector<LagNote>{{10, kMinuteNs}})) << "nothing has come";
  EXPECT_TRUE(lag.note(20, 2 * kMinuteNs));
  EXPECT_FALSE(lag.beyond(kMaxNs));
  EXPECT_TRUE(lag.beyond(kMaxNs + 1));
  lag.reached(10);  // not the tenth itself
  EXPECT_TRUE(lag.beyond(kMaxNs + 1));
  lag.reached(11);
  EXPECT_FALSE(lag.beyond(kMaxNs + 2 * kMinuteNs));
  EXPECT_TRUE(lag.beyond(kMaxNs + 2 * kMinuteNs + 1));
  lag.reached(21);
  EXPECT_FALSE(lag.beyond(1000 * kMaxNs));
  EXPECT_FALSE(lag.note(20, 1000 * kMaxNs)) << "it has been taken already";
}

TEST(LagTest, goes_on_from_its_notes_and_keeps_few) {
  Lag lag(kMaxNs, {}, 0);
  int64_t now_ns = 0;
  for (uint64_t i = 1; i <= 1000; ++i, now_ns += kMinuteNs) lag.note(i, now_ns);
  EXPECT_LE(lag.notes(now_ns).size(), 18u);
  // Another process, with a clock of its own.
  Lag next(kMaxNs, lag.notes(now_ns), 5);
  EXPECT_EQ(next.notes(5), lag.notes(now_ns));
  EXPECT_TRUE(next.beyond(5));
  next.reached(1001);
  EXPECT_FALSE(next.beyond(5));
}

// A server's store with old data of which a destination has sent nothing yet.
class HeldTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store::StoreOptions options;
    options.path = "/data/store";
    options.mode = store::StoreMode::server;
    options.background = true;
    options.file_system = files_.get();
    options.clock = &clock_;
    options.random = &random_;
    options.retention = {.spans_ns = kDayNs, .logs_ns = kDayNs, .metrics_ns = 0};
    options.arrivals_wanted = [this] { return backlog_.wanted(); };
    auto opened = store::Store::open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    store_ = std::move(*opened);
    settings_.received = true;
    settings_.max_lag_ns = kMaxNs;
    settings_.backoff_min_ns = kSecondNs;
    settings_.backoff_max_ns = kSecondNs;
    settings_.batch_items = 10;
    settings_.batch_bytes = 1 << 20;
    settings_.dead_letters_max = 3;
    DestinationSettings& traces = settings_.destinations.emplace_back();
    traces.kind = Kind::traces;
    traces.url = *parse_url("http://backend:4318/v1/traces");
  }
  void ingest(const std::string& name) {
    otlp::TracesData data;
    otlp::Span& span = data.resource_spans.emplace_back().scope_spans.emplace_back().spans.emplace_back();
    span.trace_id.bytes = {1, 2, ++number_};
    span.span_id.bytes = {3, number_};
    span.name = name;
    span.start_ns = static_cast<uint64_t>(clock_.wall_ns() - 10 * kDayNs);
    span.end_ns = span.start_ns + 1;
    ASSERT_TRUE(store_->ingest(data, {}).ok());
    ASSERT_TRUE(store_->cut().ok());
  }
  void open(bool works) {
    destination_.reset();
    auto sender = std::make_unique<ScriptedSender>();
    if (!works) sender->script.assign(10'000, {Fate::retry, 503, 0, {}, "HTTP 503"});
    DestinationParts parts;
    parts.settings = settings_.destinations.front();
    parts.streams = trace_streams(true);
    parts.sender = std::move(sender);
    parts.store = store_.get();
    parts.files = files_.get();
    parts.clock = &clock_;
    parts.random = &random_;
    parts.backlog = &backlog_;
    auto opened = Destination::open(settings_, std::move(parts));
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    destination_ = std::move(*opened);
  }
  // Steps for a time.
  void run(int64_t ns) {
    const int64_t end_ns = clock_.monotonic_ns() + ns;
    while (clock_.monotonic_ns() < end_ns) {
      const int64_t wait_ns = destination_->step();
      clock_.advance_ns(std::min(std::max(wait_ns, kSecondNs), end_ns - clock_.monotonic_ns()));
    }
    destination_->step();
  }
  uint64_t spans_after_retention() {
    EXPECT_TRUE(store_->compact().ok());
    return store_->stats().span_rows;
  }

  ManualClock clock_;
  SeededRandom random_{7};
  SimDisk disk_{1};
  std::unique_ptr<FileSystem> files_ = disk_.start_process();
  Backlog backlog_;
  std::unique_ptr<store::Store> store_;
  Settings settings_;
  std::unique_ptr<Destination> destination_;
  uint8_t number_ = 0;
};

TEST_F(HeldTest, nothing_is_held_without_a_destination) {
  ingest("old");
  EXPECT_EQ(spans_after_retention(), 0u);
}

TEST_F(HeldTest, what_a_destination_has_not_sent_stays_until_it_has) {
  open(false);
  ingest("old");
  run(kMinuteNs);
  EXPECT_EQ(spans_after_retention(), 1u);
  EXPECT_FALSE(destination_->status().overdue);
  open(true);
  EXPECT_EQ(spans_after_retention(), 1u);
  run(kSecondNs);
  EXPECT_EQ(destination_->status().sent, 1);
  EXPECT_EQ(spans_after_retention(), 0u);
}

TEST_F(HeldTest, a_destination_that_is_too_far_behind_holds_nothing) {
  open(false);
  ingest("old");
  run(kMaxNs - kMinuteNs);
  EXPECT_EQ(spans_after_retention(), 1u);
  run(3 * kMinuteNs);
  EXPECT_TRUE(destination_->status().overdue);
  EXPECT_EQ(destination_->status().overdue_count, 1);
  EXPECT_EQ(spans_after_retention(), 0u);
  // It comes back, and what is new is held again.
  open(true);
  EXPECT_TRUE(destination_->status().overdue);
  run(kSecondNs);
  EXPECT_FALSE(destination_->status().overdue);
  destination_->finish();
  open(false);
  ingest("new");
  run(kMinuteNs);
  EXPECT_EQ(spans_after_retention(), 1u);
}

TEST_F(HeldTest, being_behind_outlives_the_server_and_its_absence_does_not_count) {
  open(false);
  ingest("old");
  run(kMaxNs / 2);
  destination_->finish();
  clock_.advance_ns(100 * kMaxNs);
  open(false);
  run(kMinuteNs);
  EXPECT_EQ(spans_after_retention(), 1u);
  EXPECT_FALSE(destination_->status().overdue);
  run(kMaxNs / 2 + kMinuteNs);
  EXPECT_TRUE(destination_->status().overdue);
  EXPECT_EQ(spans_after_retention(), 0u);
}

TEST_F(HeldTest, nothing_is_held_where_no_lag_is_allowed) {
  settings_.max_lag_ns = 0;
  open(false);
  ingest("old");
  run(kMinuteNs);
  EXPECT_FALSE(destination_->status().overdue);
  EXPECT_EQ(spans_after_retention(), 0u);
}

TEST_F(HeldTest, without_a_server_its_files_tell_for_as_long_as_it_is_configured) {
  const auto wanted = [this](const Settings& settings) {
    auto found = stored_backlog(*files_, "/data/store", settings);
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : store::ArrivalsWanted{0, 0};
  };
  EXPECT_EQ(wanted(settings_).spans, UINT64_MAX) << "it has never run";
  open(false);
  ingest("old");
  run(kMinuteNs);
  destination_->finish();
  EXPECT_EQ(wanted(settings_).spans, 1u);
  EXPECT_EQ(wanted(settings_).logs, UINT64_MAX);
  Settings others = settings_;
  others.destinations.clear();
  EXPECT_EQ(wanted(others).spans, UINT64_MAX) << "it was removed";
  others = settings_;
  others.max_lag_ns = 0;
  EXPECT_EQ(wanted(others).spans, UINT64_MAX) << "nobody waits";
  others = settings_;
  others.received = false;
  EXPECT_EQ(wanted(others).spans, UINT64_MAX) << "what was received is not handed on";
  run(kMaxNs + kMinuteNs);
  destination_->finish();
  EXPECT_EQ(wanted(settings_).spans, UINT64_MAX) << "too far behind";
}

TEST(BacklogTest, the_slowest_counts_until_it_is_forgotten) {
  Backlog backlog;
  EXPECT_EQ(backlog.wanted().spans, UINT64_MAX);
  backlog.want("a", {7, UINT64_MAX});
  backlog.want("b", {9, 3});
  EXPECT_EQ(backlog.wanted().spans, 7u);
  EXPECT_EQ(backlog.wanted().logs, 3u);
  backlog.forget("a");
  backlog.want("b", {11, 5});
  EXPECT_EQ(backlog.wanted().spans, 11u);
}

}  // namespace
}  // namespace contextcore::exporter::test
