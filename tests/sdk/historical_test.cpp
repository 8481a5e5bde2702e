#include "contextcore/historical_task_tracker.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/json.h"

namespace contextcore {
namespace {

using namespace std::chrono;

constexpr TimePoint kMonday = sys_days{2026y / 3 / 2};

class HistoricalTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"CONTEXTCORE_STORE", "CONTEXTCORE_PROJECT", "CONTEXTCORE_AGENT",
                             "CONTEXTCORE_SESSION", "CONTEXTCORE_SERVER", "CONTEXTCORE_EMIT_MODE",
                             "CONTEXTCORE_DURABILITY", "CONTEXTCORE_LEASE_SECONDS"}) {
      unsetenv(name);
    }
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("historical-" +
               std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    ConnectOptions options;
    options.project = "p";
    options.store = (folder_ / "store").string();
    options.actor = "importer";
    auto tracker = HistoricalTaskTracker::open(options);
    ASSERT_TRUE(tracker.ok()) << tracker.error().to_string();
    tracker_.emplace(std::move(*tracker));
  }
  void TearDown() override {
    tracker_.reset();
    std::filesystem::remove_all(folder_);
  }
  // A field of the answer's task.
  static std::string field(const TaskState& state, std::string_view name) {
    const auto json = parse_json(state.json);
    if (!json.ok()) return "no JSON";
    const Json* task = json->find("task");
    return std::string((task != nullptr ? *task : *json).string_or(name));
  }

  std::filesystem::path folder_;
  std::optional<HistoricalTaskTracker> tracker_;
};

TEST_F(HistoricalTest, keeps_the_times_it_is_given) {
  StartOptions bug;
  bug.type = "bug";
  ASSERT_TRUE(tracker_->start_task_at("T", "Old work", kMonday + 9h, bug).ok());
  ASSERT_TRUE(tracker_->assign_task_at("T", "ann", kMonday + 9h).ok());
  ASSERT_TRUE(tracker_->update_status_at("T", "in_progress", kMonday + 10h).ok());
  ASSERT_TRUE(tracker_->set_progress_at("T", 40, kMonday + 11h).ok());
  ASSERT_TRUE(tracker_->block_task_at("T", "no access", kMonday + 12h).ok());
  ASSERT_TRUE(tracker_->unblock_task_at("T", kMonday + 36h, {}, "access granted").ok());
  ASSERT_TRUE(tracker_->add_comment_at("T", "ann", "nearly", kMonday + 37h).ok());
  const auto done = tracker_->complete_task_at("T", kMonday + 40h + 30min, "shipped");
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_TRUE(done->ended);
  EXPECT_EQ(done->type, "bug");
  EXPECT_EQ(field(*done, "created"), "2026-03-02T09:00:00Z");
  EXPECT_EQ(field(*done, "ended"), "2026-03-03T16:30:00Z");
  const auto read = tracker_->get_task("T");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->status, "done");
}

TEST_F(HistoricalTest, ends_in_every_way) {
  ASSERT_TRUE(tracker_->start_task_at("F", "fails", kMonday).ok());
  ASSERT_TRUE(tracker_->start_task_at("C", "is cancelled", kMonday).ok());
  ASSERT_TRUE(tracker_->depend_at("C", "F", kMonday + 1h).ok());
  EXPECT_EQ(tracker_->fail_task_at("F", "no way", kMonday + 2h)->status, "failed");
  EXPECT_EQ(tracker_->cancel_task_at("C", kMonday + 3h, "moot")->status, "cancelled");
}

TEST_F(HistoricalTest, refuses_to_go_back) {
  ASSERT_TRUE(tracker_->start_task_at("T", "t", kMonday + 9h).ok());
  ASSERT_TRUE(tracker_->update_status_at("T", "in_progress", kMonday + 10h).ok());
  const auto earlier = tracker_->complete_task_at("T", kMonday + 9h);
  ASSERT_FALSE(earlier.ok());
  EXPECT_EQ(earlier.error().code, Code::failed_precondition);
  EXPECT_EQ(tracker_->get_task("T")->status, "in_progress") << "nothing was written";
}

TEST_F(HistoricalTest, refuses_times_that_are_mistakes_of_units) {
  const auto wrong = tracker_->start_task_at("T", "t", TimePoint(nanoseconds(-1)));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace contextcore
