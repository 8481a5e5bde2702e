// Sending: places, back-off, halving, dead letters, crashes.

#include <gtest/gtest.h>

#include "export_kit.h"

namespace contextcore::exporter::test {
namespace {

Outcome failure(std::optional<int64_t> retry_after_ns = {}) {
  return {Fate::retry, 503, 0, retry_after_ns, "HTTP 503"};
}

void make_tasks(Workshop& shop, int count) {
  for (int i = 0; i < count; ++i)
    shop.run("task.create", R"({"title":"number )" + std::to_string(i) + R"("})");
}

otlp::TracesData received(int count, const std::string& name) {
  otlp::TracesData data;
  otlp::ScopeSpans& spans = data.resource_spans.emplace_back().scope_spans.emplace_back();
  for (int i = 0; i < count; ++i) {
    otlp::Span& span = spans.spans.emplace_back();
    span.trace_id.bytes = {1, static_cast<uint8_t>(i / 4), 7};
    span.span_id.bytes = {9, static_cast<uint8_t>(i), static_cast<uint8_t>(name.size())};
    span.name = name + std::to_string(i);
    span.start_ns = static_cast<uint64_t>(1000 + i);
    span.end_ns = span.start_ns + 5;
  }
  return data;
}

TEST(BackoffTest, doubles_up_to_the_cap_and_is_drawn_from_all_of_it) {
  SeededRandom random(1);
  int64_t least = INT64_MAX, most = 0;
  for (int i = 0; i < 2000; ++i) {
    const int64_t wait_ns = backoff_ns(1000, 60'000, 3, random);
    least = std::min(least, wait_ns);
    most = std::max(most, wait_ns);
  }
  EXPECT_LT(least, 200);
  EXPECT_GT(most, 3800);
  EXPECT_LE(most, 4000);
  for (int failures = 0; failures < 100; ++failures)
    EXPECT_LE(backoff_ns(1000, 60'000, failures, random), 60'000);
  EXPECT_LE(backoff_ns(1000, 60'000, 0, random), 1000);
}

TEST(DestinationTest, sends_events_at_once_in_batches_and_only_once) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  make_tasks(shop, 250);
  outlet.drain();
  EXPECT_EQ(outlet.sender->sizes, (std::vector<size_t>{100, 100, 50}));
  make_tasks(shop, 1);
  outlet.drain();
  EXPECT_EQ(outlet.sender->taken.size(), 251u);
  for (const auto& [key, count] : outlet.sender->count) EXPECT_EQ(count, 1) << key;
  EXPECT_EQ(outlet.destination->status().sent, 251);
}

TEST(DestinationTest, goes_on_where_it_was_after_a_crash) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  make_tasks(shop, 150);
  ASSERT_TRUE(outlet.destination->step() == 0);  // the first hundred
  outlet.open();
  shop.reopen();  // and the store with it
  outlet.open();
  outlet.drain();
  EXPECT_EQ(outlet.sender->taken.size(), 150u);
  EXPECT_EQ(outlet.sender->count.size(), 150u);
}

TEST(DestinationTest, writes_its_place_now_and_then_and_sends_what_came_after_that_once_more) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  outlet.common.save_every_ns = 5'000'000'000;
  outlet.open();
  make_tasks(shop, 250);
  shop.clock.advance_ns(5'000'000'000);
  ASSERT_EQ(outlet.destination->step(), 0);  // the first hundred, written down
  shop.clock.advance_ns(4'000'000'000);
  ASSERT_EQ(outlet.destination->step(), 0);  // the next, not
  outlet.open();
  outlet.drain();
  EXPECT_EQ(outlet.sender->count.size(), 250u);
  EXPECT_EQ(outlet.sender->taken.size(), 350u);
  // Who rests writes in time, too.
  const int64_t wait_ns = outlet.destination->step();
  EXPECT_LE(wait_ns, 5'000'000'000);
  shop.clock.advance_ns(5'000'000'000);
  outlet.destination->step();
  outlet.open();
  outlet.drain();
  EXPECT_EQ(outlet.sender->taken.size(), 350u);
}

TEST(DestinationTest, keeps_its_place_within_a_transaction_wherever_that_is_kept) {
  for (const bool cut : {false, true}) {
    Workshop shop;
    Outlet outlet(shop, Kind::traces);
    outlet.common.batch_items = 7;
    ASSERT_TRUE(shop.store->ingest(received(40, "r"), {}).ok());
    ASSERT_EQ(outlet.destination->step(), 0);
    ASSERT_EQ(outlet.destination->step(), 0);
    if (cut) {
      ASSERT_TRUE(shop.store->cut().ok());
    }
    outlet.open();
    outlet.drain();
    EXPECT_EQ(outlet.sender->count.size(), 40u);
    EXPECT_EQ(outlet.sender->taken.size(), 40u) << cut;
  }
}

TEST(DestinationTest, hands_on_what_was_received_unless_told_not_to) {
  for (const bool wanted : {true, false}) {
    Workshop shop;
    Outlet outlet(shop, Kind::traces);
    outlet.common.received = wanted;
    outlet.open();
    ASSERT_TRUE(shop.store->ingest(received(3, "r"), {}).ok());
    outlet.drain();
    EXPECT_EQ(outlet.sender->taken.size(), wanted ? 3u : 0u);
  }
}

TEST(DestinationTest, waits_longer_after_each_failure_and_loses_nothing) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  make_tasks(shop, 5);
  for (int i = 0; i < 200; ++i) outlet.sender->script.push_back(failure());
  outlet.drain(kDayNs);
  EXPECT_EQ(outlet.sender->taken.size(), 5u);
  const DestinationStatus status = outlet.destination->status();
  EXPECT_EQ(status.failed, 200);
  EXPECT_EQ(status.retried, 5 * 200);
  EXPECT_EQ(status.sent, 5);
  EXPECT_EQ(status.dead_letters, 0);
}

TEST(DestinationTest, waits_as_long_as_it_is_asked_to) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  make_tasks(shop, 1);
  outlet.sender->script.push_back(failure(20 * kSecondNs));
  const int64_t wait_ns = outlet.destination->step();
  EXPECT_GE(wait_ns, 20 * kSecondNs);
  EXPECT_LE(wait_ns, 21 * kSecondNs);
  shop.wait(20 * kSecondNs - 1);
  EXPECT_GT(outlet.destination->step(), 0);
  EXPECT_EQ(outlet.sender->sizes.size(), 1u);
  EXPECT_EQ(outlet.destination->status().state, "failing");
  EXPECT_GT(outlet.destination->status().lag_seconds, 0);
  shop.wait(2 * kSecondNs);
  outlet.drain();
  EXPECT_EQ(outlet.sender->taken.size(), 1u);
  EXPECT_EQ(outlet.destination->status().state, "idle");
}

TEST(DestinationTest, one_bad_item_takes_no_other_with_it) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  make_tasks(shop, 100);
  outlet.sender->bad = "number 37\"";
  outlet.drain();
  EXPECT_EQ(outlet.sender->taken.size(), 99u);
  EXPECT_EQ(outlet.sender->count.size(), 99u) << "none twice";
  EXPECT_LE(outlet.sender->sizes.size(), 2 * 7 + 1u);
  const auto dead = outlet.destination->dead_letters();
  ASSERT_TRUE(dead.ok());
  ASSERT_EQ(dead->letters.size(), 1u);
  EXPECT_EQ(dead->letters[0].items.size(), 1u);
  EXPECT_EQ(dead->letters[0].message, "bad item");

  // Still refused, also by the next process; then taken.
  ASSERT_TRUE(outlet.destination->retry().ok());
  outlet.drain();
  EXPECT_EQ(outlet.destination->status().dead_letters, 1);
  outlet.open();
  EXPECT_EQ(outlet.destination->status().dead_letters, 1);
  outlet.sender->bad.clear();
  ASSERT_TRUE(outlet.destination->retry().ok());
  outlet.drain();
  EXPECT_EQ(outlet.destination->status().dead_letters, 0);
  EXPECT_EQ(outlet.sender->taken.size(), 100u);
}

TEST(DestinationTest, a_batch_of_bad_items_costs_a_bounded_number_of_requests) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  outlet.common.batch_items = 1000;
  make_tasks(shop, 900);
  outlet.sender->bad = "number";
  outlet.drain();
  EXPECT_TRUE(outlet.sender->taken.empty());
  EXPECT_LT(outlet.sender->sizes.size(), 140u);
  const DestinationStatus status = outlet.destination->status();
  EXPECT_EQ(status.refused, 900);
  EXPECT_EQ(status.dead_letters, 3) << "bounded";
  EXPECT_GT(status.dropped, 0);
}

TEST(DestinationTest, a_request_that_is_too_large_is_sent_in_parts) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  make_tasks(shop, 8);
  outlet.sender->script = {{Fate::too_large, 413, 0, {}, "too large"}};
  outlet.drain();
  EXPECT_EQ(outlet.sender->sizes, (std::vector<size_t>{8, 4, 4}));
  EXPECT_EQ(outlet.destination->status().dead_letters, 0);
}

TEST(DestinationTest, partial_success_is_not_sent_again_and_remembered) {
  Workshop shop;
  Outlet outlet(shop, Kind::logs);
  make_tasks(shop, 8);
  outlet.sender->script = {{Fate::accepted, 200, 2, {}, "two were bad"}};
  outlet.drain();
  EXPECT_EQ(outlet.sender->sizes.size(), 1u);
  const DestinationStatus status = outlet.destination->status();
  EXPECT_EQ(status.sent, 6);
  EXPECT_EQ(status.refused, 2);
  const auto dead = outlet.destination->dead_letters();
  ASSERT_EQ(dead->letters.size(), 1u);
  EXPECT_EQ(dead->letters[0].refused, 2);
  EXPECT_EQ(dead->letters[0].items.size(), 8u);
}

TEST(DestinationTest, a_retry_asked_for_while_no_server_ran_is_answered_by_the_next) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  make_tasks(shop, 1);
  outlet.sender->bad = "number";
  outlet.drain();
  StateFiles files(shop.files(), shop.store->path(), outlet.destination->name());
  ASSERT_TRUE(files.ask_retry().ok());
  outlet.sender->bad.clear();
  outlet.open();
  outlet.drain();
  EXPECT_EQ(outlet.sender->taken.size(), 1u);
  EXPECT_EQ(outlet.destination->status().dead_letters, 0);
  EXPECT_FALSE(files.take_retry());
}

TEST(DestinationTest, a_new_destination_may_start_with_what_comes_from_now_on) {
  Workshop shop;
  make_tasks(shop, 3);
  Outlet all(shop, Kind::loki);
  all.drain();
  EXPECT_EQ(all.sender->taken.size(), 3u);
  ASSERT_TRUE(shop.files().remove("/data/store/export/" + all.destination->name() + ".json").ok());
  all.common.from_now = true;
  all.open();
  make_tasks(shop, 1);
  all.drain();
  EXPECT_EQ(all.sender->taken.size(), 4u);
}

TEST(DestinationTest, a_damaged_state_is_named) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  const std::string path = "/data/store/export/" + outlet.destination->name() + ".json";
  ASSERT_TRUE(shop.files().write_file_atomically(path, "{\"format\":1,\"places\":3}").ok());
  const StateFiles files(shop.files(), shop.store->path(), outlet.destination->name());
  const auto state = files.load();
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().code, Code::corruption);
  EXPECT_NE(state.error().message.find(path), std::string::npos);
}

}  // namespace
}  // namespace contextcore::exporter::test
