// A history carried out against a real store on a simulated disk.

#include "demo/load.h"

#include <gtest/gtest.h>

#include <map>

#include "base/sim_file_system.h"
#include "base/time.h"
#include "demo/demo_store.h"

namespace contextcore::demo {
namespace {

constexpr int64_t kUntilNs = 1'795'000'000 * kSecondNs;

DemoOptions options(int64_t tasks, int64_t projects) {
  DemoOptions out;
  out.tasks = tasks;
  out.projects = projects;
  out.until_ns = kUntilNs;
  return out;
}

class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    clock_.set_wall_ns(kUntilNs);
    files_ = disk_.start_process();
  }
  std::unique_ptr<sdk::Backend> backend(bool exclusive, const std::string& store = "/demo") {
    sdk::BackendOptions options;
    options.store = store;
    options.exclusive = exclusive;
    options.file_system = files_.get();
    options.clock = &clock_;
    options.random = &random_;
    return sdk::Backend::make(std::move(options));
  }
  static void load_all(sdk::Backend& backend, const DemoOptions& options) {
    double share = 0;
    const auto report = load(backend, options, [&](double now, const LoadReport&) { share = now; });
    ASSERT_TRUE(report.ok()) << report.error().to_string();
    EXPECT_EQ(report->tasks, options.tasks);
    EXPECT_EQ(share, 1);
    ASSERT_TRUE(backend.flush().ok());
  }
  static std::string lines(sdk::Backend& backend) {
    sdk::LogOptions all;
    all.limit = 1'000'000;
    all.backward = false;
    const auto answer = backend.logs(R"({service="contextcore"})", all);
    EXPECT_TRUE(answer.ok());
    std::string out;
    if (answer.ok()) {
      for (const sdk::LogLine& line : answer->lines)
        out += std::to_string(line.time_ns) + " " + line.line + "\n";
    }
    return out;
  }

  ManualClock clock_;
  SeededRandom random_{1};
  SimDisk disk_{1, &clock_};
  std::unique_ptr<SimFileSystem> files_;
};

TEST_F(LoadTest, every_command_is_accepted_and_the_log_folds_to_what_is_stored) {
  {
    const auto store = backend(true);
    load_all(*store, options(240, 2));
  }
  const auto store = backend(false);
  const auto rebuilt = store->rebuild();
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().to_string();
  EXPECT_EQ(rebuilt->find("changed")->number(), 0);
  const auto found = store->search("{ span.task.status != nil }", {0, 0, 100'000, 100'000});
  ASSERT_TRUE(found.ok());
  int64_t tasks = 0;
  for (const sdk::FoundTrace& trace : *found) tasks += trace.matched;
  EXPECT_EQ(tasks, 240);
}

TEST_F(LoadTest, leaves_work_in_every_status) {
  const auto store = backend(true);
  load_all(*store, options(600, 1));
  const auto answer =
      store->question({"task.list", "", JsonObject{{"limit", int64_t{100'000}}}, {}});
  ASSERT_TRUE(answer.ok()) << answer.error().to_string();
  std::map<std::string, int> by_status;
  for (const Json& task : *answer->find("items")->as_array())
    ++by_status[std::string(task.string_or("status"))];
  for (const char* status :
       {"backlog", "todo", "in_progress", "in_review", "blocked", "done", "failed", "cancelled"}) {
    EXPECT_GT(by_status[status], 0) << status;
  }
}

TEST_F(LoadTest, the_same_seed_writes_the_same_lines) {
  std::string first, second;
  {
    const auto store = backend(true, "/one");
    load_all(*store, options(150, 1));
    first = lines(*store);
  }
  clock_.set_wall_ns(kUntilNs + kHourNs);
  const auto store = backend(true, "/two");
  load_all(*store, options(150, 1));
  second = lines(*store);
  EXPECT_FALSE(first.empty());
  EXPECT_TRUE(first == second);
}

TEST_F(LoadTest, loading_again_writes_nothing_twice) {
  const auto store = backend(true);
  load_all(*store, options(120, 1));
  const std::string before = lines(*store);
  load_all(*store, options(120, 1));
  EXPECT_TRUE(before == lines(*store));
}

TEST_F(LoadTest, removes_its_own_store_and_no_other) {
  EXPECT_EQ(remove_demo_store(*files_, clock_, "/demo").error().code, Code::not_found);
  ASSERT_TRUE(begin_demo_store(*files_, "/demo", options(50, 1)).ok());
  load_all(*backend(true), options(50, 1));
  const Status again = begin_demo_store(*files_, "/demo", options(50, 1));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::already_exists);
  EXPECT_NE(again.error().hint.find("--remove"), std::string::npos);
  ASSERT_TRUE(remove_demo_store(*files_, clock_, "/demo").ok());
  EXPECT_FALSE(files_->exists("/demo"));

  load_all(*backend(true, "/real"), options(20, 1));
  EXPECT_EQ(begin_demo_store(*files_, "/real", options(50, 1)).error().code, Code::already_exists);
  EXPECT_EQ(remove_demo_store(*files_, clock_, "/real").error().code, Code::failed_precondition);
  EXPECT_TRUE(files_->exists("/real/CURRENT"));
}

}  // namespace
}  // namespace contextcore::demo
