// What task.list prints as TraceQL finds the tasks that it lists.

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/random.h"
#include "sdk/backend.h"

namespace contextcore::sdk {
namespace {

class ListQueryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("contextcore-list-" + uuid_v7(1'700'000'000'000'000'000, real_random()));
    BackendOptions options;
    options.store = folder_.string();
    backend_ = Backend::make(std::move(options));
  }
  void TearDown() override {
    backend_.reset();
    std::filesystem::remove_all(folder_);
  }

  static Json parse(const std::string& text) {
    auto json = parse_json(text);
    EXPECT_TRUE(json.ok()) << text;
    return json.ok() ? *json : Json();
  }
  void run(const std::string& op, const std::string& args, const std::string& project = "p") {
    work::Command command;
    command.op = op;
    command.project = project;
    command.args = parse(args);
    command.actor.actor = "alice";
    command.actor.session_id = "s1";
    const auto answer = backend_->command(std::move(command));
    ASSERT_TRUE(answer.ok()) << op << " " << args << ": " << answer.error().to_string();
  }
  // The tasks that the list has, and those that its query finds.
  void expect_same(const std::string& args, size_t at_least = 1) {
    SCOPED_TRACE(args);
    work::Question question;
    question.op = "task.list";
    question.project = "p";
    question.args = parse(args);
    question.actor.actor = "alice";
    const auto list = backend_->question(question);
    ASSERT_TRUE(list.ok()) << list.error().to_string();
    std::set<std::string> listed, found;
    for (const Json& item : *list->find("items")->as_array())
      listed.insert(std::string(item.string_or("span_id")));
    const std::string query(list->string_or("traceql"));
    SearchOptions options;
    options.limit = 1000;
    const auto traces = backend_->search(query, options);
    ASSERT_TRUE(traces.ok()) << query << ": " << traces.error().to_string();
    for (const FoundTrace& trace : *traces) {
      for (const FoundSpan& span : trace.spans) found.insert(span.span_id);
    }
    EXPECT_EQ(listed, found) << query;
    EXPECT_GE(listed.size(), at_least) << query;
    EXPECT_EQ(list->find("not_in_traceql"), nullptr);
  }

  std::filesystem::path folder_;
  std::unique_ptr<Backend> backend_;
};

TEST_F(ListQueryTest, AnyFilterFindsTheSameTasks) {
  run("task.create", R"({"id":"E","title":"Epic","type":"epic"})");
  run("task.create", R"({"id":"A","title":"The \"quoted\" (a|b) \\ thing","type":"bug",
    "priority":"high","parent_id":"E","labels":["x","y"],"assignee":"alice","sprint_id":"S-1"})");
  run("task.create", R"({"id":"B","title":"Žluťoučký kůň","parent_id":"A","labels":["x"],
    "due_date":"2030-01-05","description":"needs\na tab\tand a|b"})");
  run("task.create",
      R"({"id":"C","title":"c","type":"story","assignee":"eve","status":"backlog"})");
  run("task.create", R"({"id":"D","title":"d","depends_on":["C"],"due_date":"2030-02-01"})");
  run("task.create", R"({"id":"A","title":"Elsewhere","type":"bug"})", "other");
  run("task.start", R"({"id":"B"})");
  run("task.block", R"({"id":"D","reason":"waiting"})");
  run("task.claim", R"({"id":"C"})");
  run("task.create", R"({"id":"F","title":"f","parent_id":"E"})");
  run("task.complete", R"({"id":"F"})");
  for (const char* args : {"{}",
                           R"({"all_projects":true})",
                           R"({"status":"todo"})",
                           R"({"status":["blocked","done"]})",
                           R"({"status":"open"})",
                           R"({"status":"active"})",
                           R"({"status":["ended","todo"]})",
                           R"({"open":true})",
                           R"({"open":false})",
                           R"({"type":["bug","epic"]})",
                           R"({"priority":["high","low"]})",
                           R"({"assignee":"eve"})",
                           R"({"assignee":""})",
                           R"({"label":["x","y"]})",
                           R"({"label":"x"})",
                           R"({"sprint":"S-1"})",
                           R"({"sprint":""})",
                           R"({"mine":true})",
                           R"({"parent":"E"})",
                           R"({"subtree":"E"})",
                           R"({"subtree":"E","status":"open","label":"x"})",
                           R"({"text":"(a|b) \\"})",
                           R"({"text":"ŽLUŤ"})",
                           R"({"text":"tab\tand"})",
                           R"({"text":"\"QUOTED\""})",
                           R"({"due_from":"2030-01-01","due_to":"2030-02-01"})",
                           R"({"due_from":"2030-01-05"})"}) {
    expect_same(args);
  }
}

}  // namespace
}  // namespace contextcore::sdk
