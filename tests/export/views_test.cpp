// Metrics by remote write: all samples from the first event on, each once.

#include <gtest/gtest.h>

#include <set>

#include "export_kit.h"

namespace contextcore::exporter::test {
namespace {

// label text → times (ms) of its samples.
std::map<std::string, std::vector<int64_t>> times(const Outlet& outlet) {
  std::map<std::string, std::vector<int64_t>> out;
  for (const Item& item : outlet.sender->taken) {
    for (const otlp::RemoteWriteSample& sample :
         std::get<otlp::RemoteWriteSeries>(item.what).samples)
      out[ScriptedSender::name_of(item)].push_back(sample.timestamp_ms);
  }
  return out;
}

const std::vector<int64_t>* find(const std::map<std::string, std::vector<int64_t>>& all,
                                 std::string_view name) {
  for (const auto& [labels, found] : all) {
    if (labels.find("__name__=" + std::string(name) + ",") != std::string::npos) return &found;
  }
  return nullptr;
}

void expect_whole(const Outlet& outlet, size_t least) {
  const auto all = times(outlet);
  ASSERT_NE(find(all, "task_count_by_status"), nullptr);
  EXPECT_GE(find(all, "task_count_by_status")->size(), least);
  for (const auto& [labels, found] : all) {
    for (size_t i = 1; i < found.size(); ++i)
      ASSERT_EQ(found[i] - found[i - 1], 60'000) << labels << " at " << i;
  }
}

TEST(ViewsTest, the_past_first_then_each_minute) {
  Workshop shop;
  shop.run("task.create", R"({"id":"A","title":"a"})");
  shop.wait(3 * kDayNs);
  Outlet outlet(shop, Kind::metrics);
  outlet.drain();
  EXPECT_GT(outlet.sender->sizes.size(), 1u) << "in parts";
  expect_whole(outlet, 3 * 24 * 60 - 2);
  const size_t before = find(times(outlet), "task_count_by_status")->size();
  shop.wait(5 * kMinuteNs);
  outlet.drain();
  expect_whole(outlet, before + 5);
  // Another process goes on where this one was.
  outlet.destination->finish();
  outlet.open();
  shop.wait(kMinuteNs);
  outlet.drain();
  expect_whole(outlet, before + 6);
}

TEST(ViewsTest, what_was_refused_can_be_tried_again) {
  Workshop shop;
  shop.run("task.create", R"({"id":"A","title":"a"})");
  shop.wait(kHourNs);
  Outlet outlet(shop, Kind::metrics);
  outlet.sender->bad = "task_events_total";
  outlet.drain();
  EXPECT_EQ(find(times(outlet), "task_events_total"), nullptr);
  EXPECT_GE(outlet.destination->status().dead_letters, 1);
  outlet.sender->bad.clear();
  ASSERT_TRUE(outlet.destination->retry().ok());
  outlet.drain();
  EXPECT_EQ(outlet.destination->status().dead_letters, 0);
  ASSERT_NE(find(times(outlet), "task_events_total"), nullptr);
  EXPECT_EQ(find(times(outlet), "task_events_total")->size(),
            find(times(outlet), "task_count_by_status")->size());
}

}  // namespace
}  // namespace contextcore::exporter::test
