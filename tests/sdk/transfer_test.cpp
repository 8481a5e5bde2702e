// Export and import of the own format, between two stores.

#include <gtest/gtest.h>

#include <filesystem>

#include "base/random.h"
#include "sdk/backend.h"

namespace contextcore::sdk {
namespace {

class TransferTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("contextcore-transfer-" + uuid_v7(1'700'000'000'000'000'000, real_random()));
    from_ = open("from");
    to_ = open("to");
  }
  void TearDown() override {
    from_.reset();
    to_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::unique_ptr<Backend> open(const char* name) {
    BackendOptions options;
    options.store = (folder_ / name).string();
    return Backend::make(std::move(options));
  }
  void run(Backend& backend, const std::string& op, const std::string& args) {
    work::Command command;
    command.op = op;
    command.project = "p";
    command.args = *parse_json(args);
    command.actor.actor = "alice";
    const auto answer = backend.command(std::move(command));
    ASSERT_TRUE(answer.ok()) << op << " " << args << ": " << answer.error().to_string();
  }
  Json ask(Backend& backend, const std::string& op, const std::string& args) {
    work::Question question;
    question.op = op;
    question.project = "p";
    question.args = *parse_json(args);
    const auto answer = backend.question(question);
    EXPECT_TRUE(answer.ok()) << op << ": " << answer.error().to_string();
    return answer.ok() ? *answer : Json();
  }
  std::string exported(Backend& backend, int64_t page) {
    std::string out;
    Json after(0);
    while (!after.is_null()) {
      const Json answer = ask(backend, "log.export",
                              "{\"limit\":" + std::to_string(page) +
                                  ",\"after\":" + contextcore::to_string(after) + "}");
      for (const Json& event : *answer.find("items")->as_array())
        out += contextcore::to_string(event) + "\n";
      after = *answer.find("next");
    }
    return out;
  }
  int64_t imported(Backend& backend, const std::string& text) {
    const auto answer = backend.import_events(text);
    EXPECT_TRUE(answer.ok()) << answer.error().to_string();
    return answer.ok() ? *answer->find("imported")->as_int() : -1;
  }
  void fill() {
    run(*from_, "task.create", R"({"id":"E","title":"Epic","attributes":{"x":1.0,"y":[true]}})");
    run(*from_, "task.create", R"({"id":"A","title":"A","parent_id":"E"})");
    run(*from_, "task.create", R"({"id":"B","title":"B","depends_on":["A"]})");
    run(*from_, "task.start", R"({"id":"A"})");
    run(*from_, "task.complete", R"({"id":"A","outcome":"fine \"really\""})");
    run(*from_, "task.comment", R"({"id":"A","text":"after the end"})");
    run(*from_, "insight.emit",
        R"({"type":"lesson","summary":"s","confidence":1,"task_id":"A","context":{"n":1.0}})");
  }

  std::filesystem::path folder_;
  std::unique_ptr<Backend> from_, to_;
};

TEST_F(TransferTest, AnEmptyStoreBecomesTheSame) {
  fill();
  const std::string text = exported(*from_, 1000);
  EXPECT_GT(imported(*to_, text), 8);
  EXPECT_EQ(exported(*to_, 1000), text);
  for (const char* op : {"task.list", "insight.query", "project.list"})
    EXPECT_EQ(ask(*to_, op, "{}"), ask(*from_, op, "{}")) << op;
  EXPECT_EQ(ask(*to_, "task.get", R"({"id":"A","events":true,"comments":true})"),
            ask(*from_, "task.get", R"({"id":"A","events":true,"comments":true})"));
  const auto rebuilt = to_->rebuild();
  ASSERT_TRUE(rebuilt.ok());
  EXPECT_EQ(*rebuilt->find("changed")->as_int(), 0);
}

TEST_F(TransferTest, WhatIsKnownChangesNothing) {
  fill();
  const std::string text = exported(*from_, 1000);
  imported(*to_, text);
  EXPECT_EQ(imported(*to_, text), 0);
  EXPECT_EQ(imported(*from_, text), 0);
  run(*from_, "task.start", R"({"id":"B"})");
  EXPECT_EQ(imported(*to_, exported(*from_, 1000)), 1);
  EXPECT_EQ(ask(*to_, "task.get", R"({"id":"B"})"), ask(*from_, "task.get", R"({"id":"B"})"));
}

TEST_F(TransferTest, PagesAreWholeInstants) {
  fill();
  EXPECT_EQ(exported(*from_, 1), exported(*from_, 1000));
}

TEST_F(TransferTest, AnotherStoryIsAConflict) {
  fill();
  run(*to_, "task.create", R"({"id":"A","title":"Something else"})");
  const auto answer = to_->import_events(exported(*from_, 1000));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::conflict);
  EXPECT_NE(answer.error().message.find("A"), std::string::npos);
  EXPECT_EQ(*ask(*to_, "task.list", "{}").find("total")->as_int(), 1);
}

TEST_F(TransferTest, AChangedLineIsRefused) {
  fill();
  std::string text = exported(*from_, 1000);
  const size_t at = text.find("\"revision\":1");
  text.replace(at, 12, "\"revision\":7");
  const auto changed = to_->import_events(text);
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.error().code, Code::invalid_argument);
  EXPECT_EQ(changed.error().message.find("line 1: "), 0u) << changed.error().message;
  EXPECT_EQ(to_->import_events("{\"time\":\"2026\"}\n").error().code, Code::invalid_argument);
  EXPECT_EQ(to_->import_events("not json").error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace contextcore::sdk
