#include "cli/work_view.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "cli/task_view.h"

namespace contextcore::cli {
namespace {

class WorkViewTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
  static Json parse(const char* text) {
    auto json = parse_json(text);
    EXPECT_TRUE(json.ok()) << text;
    return json.ok() ? *json : Json();
  }
  static constexpr int64_t kNow = 1'795'000'000'000'000'000;
  Terminal terminal{.colours = false, .colours_on_errors = false, .columns = 100};
};

TEST_F(WorkViewTest, history_says_when_who_and_what) {
  EXPECT_EQ(history_text(parse(R"({"id":"A-1","status":"done","title":"First","total":3,"items":[
    {"time":"2026-11-22T15:24:29Z","actor":"alice","words":"created as todo"},
    {"time":"2026-11-22T16:00:00Z","agent_id":"claude","words":"todo → done after 36m"}]})"),
                         terminal, kNow),
            "A-1  done  First\n"
            "  2026-11-22 15:24  alice  created as todo\n"
            "  2026-11-22 16:00  claude  todo → done after 36m\n"
            "2 of 3; --limit for more\n");
}

TEST_F(WorkViewTest, diff_marks_new_tasks_and_tells_fields) {
  EXPECT_EQ(diff_text(parse(R"({"from":"2026-11-01T00:00:00Z","to":"2026-11-08T00:00:00Z",
    "total":2,"events_total":9,"items":[
    {"id":"A","title":"First","created":true,"comments":0,
     "changes":[{"field":"status","to":"todo"}]},
    {"id":"B","title":"Second","created":false,"comments":1,
     "changes":[{"field":"assignee","from":"bob"},{"field":"status","from":"todo","to":"done"}]}]})"),
                      terminal, kNow),
            "2026-11-01 00:00 to 2026-11-08 00:00: 2 tasks, 9 events\n"
            "+ A  First\n"
            "    status: none → todo\n"
            "  B  Second\n"
            "    assignee: bob → none\n"
            "    status: todo → done\n"
            "    1 comment\n");
}

TEST_F(WorkViewTest, tree_indents_by_depth) {
  EXPECT_EQ(tree_text(parse(R"({"total":3,"items":[
    {"id":"E","status":"in_progress","title":"Epic","depth":0,"subtask_count":2,
     "subtask_completed":1,"percent_complete":50},
    {"id":"A","status":"done","title":"a","depth":1,"subtask_count":0,"percent_complete":100},
    {"id":"B","status":"todo","title":"b","depth":1,"subtask_count":0,"percent_complete":30,
     "assignee":"eve"}]})"),
                      terminal, kNow),
            "E  in_progress  Epic  50%, 1 of 2\n"
            "  A  done  a\n"
            "  B  todo  b  30%  eve\n");
}

TEST_F(WorkViewTest, critical_path_sums_up) {
  EXPECT_EQ(critical_path_text(parse(R"({"by":"estimate","weight":90,"without_weight":1,"total":2,
    "items":[{"id":"A","status":"todo","weight":30,"title":"a"},
             {"id":"B","status":"todo","weight":60,"title":"b","assignee":"eve"}]})"),
                               terminal, kNow),
            "   ID  STATUS  WEIGHT  ASSIGNEE  TITLE\n"
            "1  A   todo    30                a\n"
            "2  B   todo    60      eve       b\n"
            "90 minutes; 1 without one of their own\n");
}

TEST_F(WorkViewTest, workload_names_nobody) {
  EXPECT_EQ(workload_text(parse(R"({"total":1,"items":[{"assignee":null,"open":3,"active":1,
    "blocked":0,"ready":2,"overdue":0,"story_points":5}]})"),
                          terminal, kNow),
            "ASSIGNEE  OPEN  ACTIVE  BLOCKED  READY  OVERDUE  POINTS\n"
            "(nobody)  3     1       0        2      0        5\n");
}

TEST_F(WorkViewTest, search_shows_where_the_text_stands) {
  EXPECT_EQ(search_text(parse(R"({"total":1,"items":[{"id":"A","status":"todo","title":"Parser",
    "matches":[{"in":"title","text":"Parser"},
               {"in":"comment","text":"see parser.cpp","author":"eve"}]}]})"),
                        terminal, kNow),
            "A  todo  Parser\n"
            "    comment by eve: see parser.cpp\n");
}

TEST_F(WorkViewTest, nothing_is_said_so) {
  const Json none = parse(R"({"items":[],"total":0})");
  EXPECT_EQ(tree_text(none, terminal, kNow), "No tasks.\n");
  EXPECT_EQ(critical_path_text(none, terminal, kNow), "No open task waits for another.\n");
  EXPECT_EQ(workload_text(none, terminal, kNow), "No open work.\n");
  EXPECT_EQ(search_text(none, terminal, kNow), "Nothing found.\n");
  EXPECT_EQ(projects_text(none, terminal, kNow), "No projects.\n");
  EXPECT_EQ(overview_text(parse("{}"), terminal, kNow),
            "No open work. Next: contextcore task create \"Title\"\n");
}

TEST_F(WorkViewTest, overview_has_a_section_for_each_that_is_not_empty) {
  const std::string text =
      overview_text(parse(R"({"mine":{"items":[],"total":0},"blocked":{"total":12,"items":[
        {"id":"A","status":"blocked","type":"task","title":"a","blocked_reason":"no key",
         "blocked_since":"2026-11-22T15:24:29Z","percent_complete":0}]}})"),
                    terminal, 1'795'361'789'000'000'000);
  EXPECT_EQ(text,
            "Blocked (1 of 12)\n"
            "ID  STATUS   TYPE  PRIORITY  ASSIGNEE  DONE  CHANGED  TITLE\n"
            "A   blocked  task                                     a  (no key, blocked 12m ago)\n");
}

}  // namespace
}  // namespace contextcore::cli
