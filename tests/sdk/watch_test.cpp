// The feed over a store on a simulated disk, and what the client makes of a server's stream.

#include <gtest/gtest.h>

#include "base/sim_file_system.h"
#include "sdk/backend.h"
#include "sdk/remote_backend.h"
#include "store/store.h"
#include "work/feed.h"
#include "work/hooks.h"

namespace contextcore::sdk {
namespace {

constexpr int64_t kNowNs = 1'795'000'000'000'000'000;

class WatchTest : public testing::Test {
 protected:
  void SetUp() override {
    clock_.set_wall_ns(kNowNs);
    files_ = disk_.start_process();
    backend_ = open();
    run("task.create", {{"id", "A-1"}, {"title", "First"}});
    run("task.create", {{"id", "A-2"}, {"title", "Second"}});
    run("task.start", {{"id", "A-1"}});
    run("task.create", {{"id", "B-1"}, {"title", "Elsewhere"}}, "b");
    run("task.complete", {{"id", "A-1"}});
  }
  std::unique_ptr<Backend> open() {
    BackendOptions options;
    options.store = "/store";
    options.file_system = files_.get();
    options.clock = &clock_;
    options.random = &random_;
    return Backend::make(std::move(options));
  }
  void run(const std::string& op, JsonObject args, const std::string& project = "a") {
    work::Command command;
    command.op = op;
    command.project = project;
    command.args = Json(std::move(args));
    command.actor.actor = "me";
    const auto answer = backend_->command(std::move(command));
    ASSERT_TRUE(answer.ok()) << answer.error().to_string();
  }
  // "sequence event id" of what a watch gives that does not follow.
  std::vector<std::string> seen(const WatchOptions& options) {
    std::vector<std::string> out;
    const Status ended = backend_->watch(options, [&](const work::FeedItem& item) {
      out.push_back(std::to_string(item.sequence) + " " + item.event + " " +
                    std::string(item.json.string_or("task_id")));
      return true;
    });
    EXPECT_TRUE(ended.ok());
    return out;
  }
  static WatchOptions since(uint64_t sequence, work::FeedFilter filter = {}) {
    WatchOptions options;
    options.since = sequence;
    options.follow = false;
    options.filter = std::move(filter);
    return options;
  }

  ManualClock clock_;
  SeededRandom random_{1};
  SimDisk disk_{1, &clock_};
  std::unique_ptr<SimFileSystem> files_;
  std::unique_ptr<Backend> backend_;
};

const std::vector<std::string> kEverything = {"1 task.created A-1",         "2 task.created A-2",
                                              "3 task.status_changed A-1",  "4 task.created B-1",
                                              "5 task.status_changed A-1",  "5 task.completed A-1",
                                              "5 task.progress_updated A-1"};

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

TEST_F(WatchTest, shows_all_history_in_the_order_of_arrival) {
  const auto all = seen(since(0));
  EXPECT_EQ(sorted(all), sorted(kEverything));
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a[0] < b[0];  // the sequence
  }));
}

TEST_F(WatchTest, goes_on_after_a_sequence) {
  EXPECT_EQ(seen(since(3)).size(), 4u);
  EXPECT_EQ(seen(since(4)).front().substr(0, 1), "5");
  EXPECT_TRUE(seen(since(5)).empty());
  EXPECT_TRUE(seen(since(500)).empty());
  WatchOptions from_now;
  from_now.follow = false;
  EXPECT_TRUE(seen(from_now).empty());
}

TEST_F(WatchTest, filters) {
  EXPECT_EQ(seen(since(0, {"b", "", {}})), (std::vector<std::string>{"4 task.created B-1"}));
  EXPECT_EQ(seen(since(0, {"", "A-2", {}})), (std::vector<std::string>{"2 task.created A-2"}));
  EXPECT_EQ(seen(since(0, {"a", "", {"task.created"}})),
            (std::vector<std::string>{"1 task.created A-1", "2 task.created A-2"}));
  EXPECT_EQ(seen(since(0, {"", "", {"task.*"}})).size(), kEverything.size());
  EXPECT_TRUE(seen(since(0, {"", "", {"insight.*"}})).empty());
  EXPECT_TRUE(seen(since(0, {"nowhere", "", {}})).empty());
}

TEST_F(WatchTest, refuses_patterns_that_match_nothing) {
  EXPECT_TRUE(work::check_feed_filter({"", "", {"task.*", "task.created"}}).ok());
  for (const char* pattern : {"", "*", ".*", "task*", "Task.created", "task.created "}) {
    EXPECT_EQ(work::check_feed_filter({"", "", {pattern}}).error().code, Code::invalid_argument)
        << pattern;
  }
}

TEST_F(WatchTest, follows_what_another_process_writes_until_told_to_stop) {
  WatchOptions options;
  options.since = 5;
  const auto other = open();
  std::vector<std::string> events;
  uint64_t position = 0;
  options.position = [&](uint64_t sequence) {
    position = sequence;
    if (!events.empty() || sequence != 5) return;
    work::Command command;
    command.op = "task.comment";
    command.project = "a";
    command.args = Json(JsonObject{{"id", "A-2"}, {"text", "hello"}});
    EXPECT_TRUE(other->command(std::move(command)).ok());
  };
  const Status ended = backend_->watch(options, [&](const work::FeedItem& item) {
    events.push_back(item.event);
    EXPECT_TRUE(item.last);
    return false;
  });
  EXPECT_TRUE(ended.ok());
  EXPECT_EQ(events, std::vector<std::string>{"task.commented"});
  EXPECT_EQ(position, 5u) << "what was not shown to its end is not behind us";
}

TEST_F(WatchTest, pages_end_between_transactions_in_files_as_in_the_head) {
  store::StoreOptions options;
  options.path = "/store";
  options.file_system = files_.get();
  options.clock = &clock_;
  options.random = &random_;
  options.hooks = work::hooks();
  const auto store = store::Store::open(std::move(options));
  ASSERT_TRUE(store.ok());
  for (const bool cut : {false, true}) {
    ASSERT_TRUE(!cut || (*store)->cut().ok());
    const auto read = (*store)->read();
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->sequence, 5u);
    std::vector<std::string> all;
    int pages = 0;
    for (uint64_t after = 0; after < read->sequence; ++pages) {
      const auto page = work::read_feed(*read->source, read->sequence, after, {}, 1);
      ASSERT_TRUE(page.ok());
      ASSERT_GT(page->next, after);
      ASSERT_FALSE(page->items.empty());
      for (const auto& item : page->items) {
        EXPECT_EQ(item.sequence, page->items.front().sequence);
        EXPECT_EQ(item.last, &item == &page->items.back());
        all.push_back(std::to_string(item.sequence) + " " + item.event + " " +
                      std::string(item.json.string_or("task_id")));
      }
      after = page->next;
    }
    EXPECT_EQ(pages, 5);
    EXPECT_EQ(sorted(all), sorted(kEverything));
  }
}

TEST(EventStreamParserTest, reads_events_however_they_are_cut) {
  const std::string stream =
      "retry: 1000\nid: 7\n\n: still here\n\n"
      "event: task.created\ndata: {\"sequence\":8,\"task_id\":\"A\"}\n\n"
      "event: task.edited\ndata: {\"sequence\":8}\nid: 8\n\n";
  for (size_t size = 1; size <= stream.size(); size += 7) {
    EventStreamParser parser;
    std::vector<std::string> seen;
    std::vector<uint64_t> positions;
    for (size_t at = 0; at < stream.size(); at += size) {
      ASSERT_TRUE(parser
                      .read(
                          std::string_view(stream).substr(at, size),
                          [&](const work::FeedItem& item) {
                            seen.push_back(item.event + (item.last ? " last" : ""));
                            EXPECT_EQ(item.sequence, 8u);
                            return true;
                          },
                          [&](uint64_t position) { positions.push_back(position); })
                      .ok());
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"task.created", "task.edited last"}));
    EXPECT_EQ(positions, (std::vector<uint64_t>{7, 8}));
  }
}

TEST(EventStreamParserTest, gives_the_servers_error_and_refuses_garbage) {
  const auto never = [](const work::FeedItem&) { return true; };
  EventStreamParser failing;
  const Status failed = failing.read(
      "event: error\ndata: {\"code\":\"corruption\",\"message\":\"page 3\"}\n\n", never, {});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Code::corruption);
  EXPECT_EQ(failed.error().message, "page 3");
  EventStreamParser garbage;
  EXPECT_FALSE(garbage.read("data: {\n\n", never, {}).ok());
}

}  // namespace
}  // namespace contextcore::sdk
