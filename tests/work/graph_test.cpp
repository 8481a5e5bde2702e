// Children, dependencies, ready, why (data model 3: progress, dependencies).

#include <gmock/gmock.h>

#include "bench.h"
#include "work/task.h"

namespace contextcore::work::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GraphTest : public WorkTest {
 protected:
  std::vector<std::string> ready(std::string_view args = "{}") {
    std::vector<std::string> ids;
    const Json answer = ask_ok("task.ready", args);
    for (const Json& task : *answer.find("items")->as_array())
      ids.emplace_back(task.string_or("id"));
    return ids;
  }
};

TEST_F(GraphTest, AChildLivesInItsParentsTrace) {
  create("epic", R"("type":"epic")");
  create("story", R"("type":"story","parent_id":"epic")");
  create("task", R"("parent_id":"story")");
  EXPECT_EQ(field("task", "trace_id"), field("epic", "trace_id"));
  EXPECT_EQ(field("task", "parent_span_id"), field("story", "span_id"));
  EXPECT_EQ(field("epic", "subtask_count"), "1");
  EXPECT_EQ(field("epic", "ready"), "false");
}

TEST_F(GraphTest, AParentsProgressIsTheMeanOfItsChildren) {
  create("e");
  create("a", R"("parent_id":"e")");
  create("b", R"("parent_id":"e")");
  create("c", R"("parent_id":"e")");
  ok("task.progress", R"({"id":"b","percent":50})");
  EXPECT_EQ(field("e", "percent_complete"), "16");
  const size_t from = mark();
  ok("task.complete", R"({"id":"a"})");
  EXPECT_THAT(events_since(from),
              ElementsAre("task.progress_updated", "task.completed", "task.status_changed",
                          "subtask.completed", "task.progress_updated"));
  EXPECT_EQ(field("e", "percent_complete"), "50");
  ok("task.cancel", R"({"id":"c"})");
  EXPECT_EQ(field("e", "percent_complete"), "75");
  EXPECT_EQ(field("e", "subtask_count"), "2");
  EXPECT_EQ(field("e", "subtask_completed"), "1");
  EXPECT_EQ(field("e", "revision"), "1");
  EXPECT_THAT(fails("task.progress", R"({"id":"e","percent":1})").message,
              HasSubstr("computed from 2 children"));
  expect_rebuilds();
}

TEST_F(GraphTest, StoryPointsWeighOnlyWhenAllChildrenHaveThem) {
  create("e");
  create("a", R"("parent_id":"e","story_points":1)");
  create("b", R"("parent_id":"e","story_points":3)");
  ok("task.complete", R"({"id":"b"})");
  EXPECT_EQ(field("e", "percent_complete"), "75");
  create("c", R"("parent_id":"e")");
  EXPECT_EQ(field("e", "percent_complete"), "33");
  expect_rebuilds();
}

TEST_F(GraphTest, ProgressClimbsToEveryAncestor) {
  create("e");
  create("s", R"("parent_id":"e")");
  create("t", R"("parent_id":"s")");
  create("u", R"("parent_id":"s")");
  ok("task.complete", R"({"id":"t"})");
  EXPECT_EQ(field("s", "percent_complete"), "50");
  EXPECT_EQ(field("e", "percent_complete"), "50");
  EXPECT_EQ(field("e", "subtask_completed"), "0");
  expect_rebuilds();
}

TEST_F(GraphTest, AParentMayEndBeforeItsChildrenAndIsFrozenThen) {
  create("e");
  create("a", R"("parent_id":"e")");
  create("b", R"("parent_id":"e")");
  const Json done = ok("task.complete", R"({"id":"e"})");
  EXPECT_THAT(to_string(*done.find("warnings")), HasSubstr("2 of 2"));
  const otlp::Span before = journal.spans[find_task(journal, "p", "e").value()->span_id].span;
  ok("task.complete", R"({"id":"a"})");
  EXPECT_TRUE(before == journal.spans[find_task(journal, "p", "e").value()->span_id].span);
  expect_rebuilds();
}

TEST_F(GraphTest, DependenciesWaitUntilTheyAreSatisfied) {
  create("a");
  create("b", R"("depends_on":["a"])");
  EXPECT_EQ(field("b", "waiting_on"), R"(["a"])");
  EXPECT_THAT(ready(), ElementsAre("a"));
  ok("task.complete", R"({"id":"a"})");
  EXPECT_EQ(field("b", "waiting_on"), "null");
  EXPECT_EQ(field("b", "revision"), "1");
  EXPECT_THAT(ready(), ElementsAre("b"));
  expect_rebuilds();
}

TEST_F(GraphTest, WhatSatisfiesAnEdge) {
  for (const auto& [when, end, satisfied] :
       std::vector<std::tuple<std::string, std::string, bool>>{{"done", "done", true},
                                                               {"done", "cancelled", true},
                                                               {"done", "failed", false},
                                                               {"ended", "failed", true},
                                                               {"ended", "done", true},
                                                               {"failed", "failed", true},
                                                               {"failed", "done", false}}) {
    const std::string a = "a-" + when + "-" + end, b = "b-" + when + "-" + end;
    create(a);
    create(b);
    ok("task.depend", "{\"id\":\"" + b + "\",\"on\":\"" + a + "\",\"when\":\"" + when + "\"}");
    ok("task.status", "{\"id\":\"" + a + "\",\"status\":\"" + end + "\"}");
    EXPECT_EQ(field(b, "ready"), satisfied ? "true" : "false") << b;
  }
  expect_rebuilds();
}

TEST_F(GraphTest, ACycleIsRefusedWithItsPath) {
  create("a");
  create("b", R"("depends_on":["a"])");
  create("c", R"("depends_on":["b"])");
  const Error error = fails("task.depend", R"({"id":"a","on":"c"})");
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_THAT(error.message, HasSubstr("a → c → b → a"));
  EXPECT_EQ(fails("task.depend", R"({"id":"a","on":"a"})").code, Code::invalid_argument);
  EXPECT_EQ(fails("task.block", R"({"id":"a","reason":"r","by":"c"})").code,
            Code::invalid_argument);
}

TEST_F(GraphTest, AnUnknownTargetIsKeptAndResolvedWhenItAppears) {
  create("b");
  const Json answer = ok("task.depend", R"({"id":"b","on":"later"})");
  EXPECT_THAT(to_string(*answer.find("warnings")), HasSubstr("not known yet"));
  EXPECT_EQ(field("b", "waiting_on"), R"(["later"])");
  create("later");
  EXPECT_EQ(field("b", "waiting_on"), R"(["later"])");
  ok("task.complete", R"({"id":"later"})");
  EXPECT_EQ(field("b", "ready"), "true");
  expect_rebuilds();
}

TEST_F(GraphTest, UndependTakesTheEdgeAway) {
  create("a");
  create("b", R"("depends_on":["a"])");
  ok("task.undepend", R"({"id":"b","on":"a"})");
  EXPECT_EQ(field("b", "ready"), "true");
  EXPECT_EQ(field("b", "links"), "null");
  expect_rebuilds();
}

TEST_F(GraphTest, ATaskReturnsToItsFormerStatusWhenItsLastBlockerIsSatisfied) {
  create("x");
  create("y");
  create("b");
  ok("task.status", R"({"id":"b","status":"in_review"})");
  ok("task.block", R"({"id":"b","reason":"needs both","by":["x","y"]})");
  EXPECT_EQ(field("b", "blocked_by"), R"(["x","y"])");
  ok("task.complete", R"({"id":"x"})");
  EXPECT_EQ(field("b", "status"), "\"blocked\"");
  const size_t from = mark();
  ok("task.cancel", R"({"id":"y"})");
  EXPECT_EQ(field("b", "status"), "\"in_review\"");
  bool rule = false;
  for (size_t i = from; i < mark(); i++) {
    const auto& record = journal.events_written[i].record;
    if (record.event_name == "task.unblocked")
      rule = record.body.as_string()->find("\"trigger\":\"rule\"") != std::string::npos;
  }
  EXPECT_TRUE(rule);
  expect_rebuilds();
}

TEST_F(GraphTest, ReadyIsOrderedByPriorityThenDueThenAge) {
  create("old");
  pass(1);
  create("due", R"("due_date":"2027-01-01")");
  create("low", R"("priority":"low")");
  create("critical", R"("priority":"critical")");
  create("high-late", R"("priority":"high","due_date":"2028-01-01")");
  create("high-soon", R"("priority":"high","due_date":"2027-01-01")");
  EXPECT_THAT(ready(), ElementsAre("critical", "high-soon", "high-late", "low", "due", "old"));
}

TEST_F(GraphTest, WhatKeepsATaskFromBeingReady) {
  create("todo");
  create("backlog", R"("status":"backlog")");
  create("bobs", R"("assignee":"bob")");
  create("mine", R"("assignee":"alice")");
  create("labelled", R"("labels":["x"])");
  ok("task.create", "{\"id\":\"deferred\",\"title\":\"t\",\"defer_until\":\"" +
                        format_rfc3339(journal.now + 60 * kSecondNs) + "\"}");
  EXPECT_THAT(ready(), ElementsAre("labelled", "mine", "todo"));
  EXPECT_THAT(ready(R"({"include_backlog":true})"),
              ElementsAre("backlog", "labelled", "mine", "todo"));
  EXPECT_THAT(ready(R"({"label":"x"})"), ElementsAre("labelled"));
  EXPECT_EQ(field("deferred", "ready"), "false");
  pass(60);
  EXPECT_EQ(field("deferred", "ready"), "true");
}

TEST_F(GraphTest, WhyTellsTheWholeChain) {
  create("a");
  ok("task.block", R"({"id":"a","reason":"vendor"})");
  create("b", R"("depends_on":["a"])");
  create("c", R"("depends_on":["b"])");
  const std::string why = to_string(ask_ok("task.why", R"({"id":"c"})"));
  EXPECT_THAT(why, HasSubstr("waits for b"));
  EXPECT_THAT(why, HasSubstr("waits for a (blocked)"));
  EXPECT_THAT(why, HasSubstr("is blocked: vendor"));
}

TEST_F(GraphTest, ListsAreFilteredAndLimited) {
  create("a");
  pass(1);
  create("b", R"("type":"bug","assignee":"bob")");
  create("c", R"("parent_id":"a")");
  ok("task.complete", R"({"id":"b"})");
  const auto total = [&](std::string_view args) {
    return *ask_ok("task.list", args).find("total")->as_int();
  };
  EXPECT_EQ(total("{}"), 3);
  EXPECT_EQ(total(R"({"type":"bug"})"), 1);
  EXPECT_EQ(total(R"({"open":true})"), 2);
  EXPECT_EQ(total(R"({"status":["done","todo"]})"), 3);
  EXPECT_EQ(total(R"({"parent":"a"})"), 1);
  EXPECT_EQ(total(R"({"assignee":"bob"})"), 1);
  EXPECT_EQ(ask_ok("task.list", R"({"limit":1})").find("items")->as_array()->size(), 1u);
  const Json projects = ask_ok("project.list", "{}");
  EXPECT_THAT(to_string(projects), HasSubstr(R"("tasks":3,"open":2)"));
}

// The index answers; spans are read for the rows returned only.
TEST_F(GraphTest, ListsReadNoSpanButThoseTheyReturn) {
  for (int i = 0; i < 2000; i++) {
    Task task;
    task.project = "p";
    task.id = "t" + std::to_string(i);
    task.type = task.title = "task";
    task.revision = 1;
    task.span_id = {};
    task.span_id.bytes[0] = 1;
    task.span_id.bytes[6] = static_cast<uint8_t>(i / 256);
    task.span_id.bytes[7] = static_cast<uint8_t>(i % 256);
    store::WorkTransaction transaction;
    transaction.spans.push_back(to_span(task));
    journal.apply(transaction);
  }
  journal.span_reads = 0;
  EXPECT_EQ(*ask_ok("task.ready", R"({"limit":3})").find("total")->as_int(), 2000);
  EXPECT_EQ(journal.span_reads, 3);
  EXPECT_EQ(*ask_ok("task.list", R"({"limit":5})").find("total")->as_int(), 2000);
  EXPECT_EQ(journal.span_reads, 8);
}

}  // namespace
}  // namespace contextcore::work::testing
