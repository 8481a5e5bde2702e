// Re-parenting moves the subtree (data model 2); reopening, deleting and their rules (data model
// 3).

#include <gmock/gmock.h>

#include "bench.h"
#include "work/ids.h"

namespace contextcore::work::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MoveTest : public WorkTest {
 protected:
  void move(std::string_view id, std::string_view parent) {
    ok("task.parent", "{\"id\":\"" + std::string(id) + "\",\"parent_id\":" +
                          (parent.empty() ? "null" : "\"" + std::string(parent) + "\"") + "}");
  }
  std::string trace_of_root(std::string_view id) {
    return "\"" + otlp::to_hex(trace_id("task", "p", id)) + "\"";
  }
  // Where a trace id leads to, as the store follows it.
  std::string forward(std::string_view id) {
    otlp::TraceId at = trace_id("task", "p", id);
    for (int hops = 0; hops < 10 && journal.forwards.contains(at); hops++) {
      bool left = false;
      for (const auto& [span, stored] : journal.spans) left |= stored.span.trace_id == at;
      if (left) break;
      at = journal.forwards[at];
    }
    return "\"" + otlp::to_hex(at) + "\"";
  }
};

TEST_F(MoveTest, AWholeSubtreeMovesWithItsPhasesAndInsights) {
  create("t");
  create("u", R"("parent_id":"t")");
  ok("task.status", R"({"id":"u","status":"in_progress"})");
  ok("task.complete", R"({"id":"u"})");  // ended spans move too
  ok("insight.emit", R"({"type":"lesson","summary":"s","confidence":1,"task_id":"u"})");
  create("e", R"("type":"epic")");
  const size_t from = mark();
  const std::string span_id = field("u", "span_id");
  move("t", "e");
  EXPECT_THAT(events_since(from), ElementsAre("task.edited", "task.progress_updated"));
  EXPECT_EQ(field("u", "span_id"), span_id);
  EXPECT_EQ(field("u", "trace_id"), trace_of_root("e"));
  EXPECT_EQ(field("t", "parent_span_id"), field("e", "span_id"));
  for (const auto& [id, span] : journal.spans) {
    EXPECT_EQ("\"" + otlp::to_hex(span.span.trace_id) + "\"", trace_of_root("e")) << span.span.name;
  }
  EXPECT_EQ(forward("t"), trace_of_root("e"));
  expect_rebuilds();
}

TEST_F(MoveTest, LogLinesKeepTheTraceTheyHad) {
  create("t");
  create("e");
  move("t", "e");
  EXPECT_EQ("\"" + otlp::to_hex(journal.events_written[0].record.trace_id) + "\"",
            trace_of_root("t"));
  // The move itself belongs to the new one.
  EXPECT_EQ("\"" + otlp::to_hex(journal.events_written[2].record.trace_id) + "\"",
            trace_of_root("e"));
}

TEST_F(MoveTest, AnOldTraceWithSpansLeftIsNotForwarded) {
  create("e");
  create("s", R"("parent_id":"e")");
  create("t", R"("parent_id":"s")");
  create("f");
  move("s", "f");
  EXPECT_EQ(forward("e"), trace_of_root("e"));
  EXPECT_EQ(field("t", "trace_id"), trace_of_root("f"));
  EXPECT_EQ(field("e", "trace_id"), trace_of_root("e"));
  expect_rebuilds();
}

TEST_F(MoveTest, ATraceIdFromAnyMomentBeforeLeadsToTheTask) {
  create("t");
  create("e");
  create("f");
  create("rest", R"("parent_id":"e")");
  move("t", "e");
  move("t", "f");  // e's trace keeps other spans; t's own must not lead there
  EXPECT_EQ(forward("t"), trace_of_root("f"));
  create("g");
  move("f", "g");
  EXPECT_EQ(forward("t"), trace_of_root("g"));
  move("t", "");
  EXPECT_EQ(forward("t"), trace_of_root("t"));
  EXPECT_EQ(field("t", "parent_id"), "null");
  expect_rebuilds();
}

TEST_F(MoveTest, ThreeTasksThenAnEpicThenReparented) {
  for (const char* id : {"a", "b", "c"}) create(id);
  create("EPIC", R"("type":"epic")");
  for (const char* id : {"a", "b", "c"}) move(id, "EPIC");
  EXPECT_EQ(field("EPIC", "subtask_count"), "3");
  EXPECT_EQ(field("EPIC", "subtask_open"), "3");
  EXPECT_EQ(field("EPIC", "revision"), "1");  // derived values raise none
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(field(id, "trace_id"), trace_of_root("EPIC"));
  expect_rebuilds();
}

TEST_F(MoveTest, CountsAndProgressOfOldAndNewAncestorsFollow) {
  create("root");
  create("old", R"("parent_id":"root")");
  create("new", R"("parent_id":"root")");
  create("x", R"("parent_id":"old")");
  create("y", R"("parent_id":"old")");
  ok("task.progress", R"({"id":"x","percent":60})");
  EXPECT_EQ(field("old", "percent_complete"), "30");
  EXPECT_EQ(field("root", "percent_complete"), "15");
  move("x", "new");
  EXPECT_EQ(field("old", "subtask_count"), "1");
  EXPECT_EQ(field("old", "percent_complete"), "0");
  EXPECT_EQ(field("new", "subtask_count"), "1");
  EXPECT_EQ(field("new", "percent_complete"), "60");
  EXPECT_EQ(field("root", "percent_complete"), "30");
  expect_rebuilds();
}

TEST_F(MoveTest, AnEndedTaskIsNotMoved) {
  create("a");
  create("b");
  ok("task.complete", R"({"id":"a"})");
  EXPECT_EQ(fails("task.parent", R"({"id":"a","parent_id":"b"})").code, Code::failed_precondition);
  EXPECT_EQ(fails("task.parent", R"({"id":"b","parent_id":"a"})").code, Code::failed_precondition);
}

TEST_F(MoveTest, ACycleIsRefusedWithItsPath) {
  create("a");
  create("b", R"("parent_id":"a")");
  create("c", R"("parent_id":"b")");
  const Error error = fails("task.parent", R"({"id":"a","parent_id":"c"})");
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_THAT(error.message, HasSubstr("a → c → b → a"));
  EXPECT_EQ(fails("task.parent", R"({"id":"a","parent_id":"a"})").code, Code::invalid_argument);
  EXPECT_EQ(fails("task.parent", R"({"id":"a","parent_id":"nobody"})").code, Code::not_found);
}

TEST_F(MoveTest, TheSameParentChangesNothing) {
  create("e");
  create("t", R"("parent_id":"e")");
  EXPECT_FALSE(*ok("task.parent", R"({"id":"t","parent_id":"e"})").find("changed")->as_bool());
}

TEST_F(MoveTest, AClaimAndItsLeaseSurviveAMove) {
  create("s");
  create("t", R"("parent_id":"s")");
  create("e");
  act_as("claude", "s1");
  ok("task.claim", R"({"id":"t","lease_seconds":100})");
  pass(50);
  ok("task.heartbeat", R"({"id":"t"})");
  move("s", "e");
  pass(90);
  ok("task.complete", R"({"id":"t"})");
  expect_rebuilds();
}

TEST_F(MoveTest, ReopeningClearsTheEnd) {
  create("t");
  ok("task.progress", R"({"id":"t","percent":40})");
  ok("task.status", R"({"id":"t","status":"in_progress"})");
  ok("task.complete", R"({"id":"t","outcome":"merged"})");
  pass(60);
  const size_t from = mark();
  ok("task.reopen", R"({"id":"t","reason":"it came back"})");
  EXPECT_THAT(events_since(from),
              ElementsAre("task.reopened", "task.status_changed", "task.progress_updated"));
  EXPECT_EQ(field("t", "status"), "\"todo\"");
  EXPECT_EQ(field("t", "open"), "true");
  EXPECT_EQ(field("t", "outcome"), "null");
  EXPECT_EQ(field("t", "percent_complete"), "40");
  EXPECT_EQ(get("t").find("phases")->as_array()->size(), 3u);
  expect_rebuilds();
  ok("task.complete", R"({"id":"t"})");
  expect_rebuilds();
}

TEST_F(MoveTest, ReopeningRules) {
  create("e");
  create("t", R"("parent_id":"e")");
  EXPECT_FALSE(*ok("task.reopen", R"({"id":"t"})").find("changed")->as_bool());
  ok("task.complete", R"({"id":"t"})");
  EXPECT_EQ(fails("task.reopen", R"({"id":"t","to_status":"done"})").code, Code::invalid_argument);
  EXPECT_EQ(fails("task.reopen", R"({"id":"t","to_status":"blocked"})").code,
            Code::invalid_argument);
  ok("task.complete", R"({"id":"e"})");
  const Error error = fails("task.reopen", R"({"id":"t"})");
  EXPECT_EQ(error.code, Code::failed_precondition);
  EXPECT_THAT(error.hint, HasSubstr("reopen e first"));
  ok("task.reopen", R"({"id":"e"})");
  ok("task.reopen", R"({"id":"t"})");
  EXPECT_EQ(field("e", "subtask_open"), "1");
  EXPECT_EQ(field("e", "percent_complete"), "0");
  expect_rebuilds();
}

TEST_F(MoveTest, ReopeningADependencyMakesItsDependentsWaitAgain) {
  create("a");
  create("b", R"("depends_on":["a"])");
  ok("task.complete", R"({"id":"a"})");
  EXPECT_EQ(field("b", "ready"), "true");
  ok("task.reopen", R"({"id":"a"})");
  EXPECT_EQ(field("b", "waiting_on"), "[\"a\"]");
  expect_rebuilds();
}

TEST_F(MoveTest, ADeletedTaskIsLeftOutUntilItIsBroughtBack) {
  create("e");
  create("a", R"("parent_id":"e")");
  create("b", R"("parent_id":"e")");
  create("c", R"("depends_on":["a"])");
  ok("task.delete", R"({"id":"a","reason":"twice"})");
  EXPECT_EQ(to_string(*ask_ok("task.list", "{}").find("total")), "3");
  EXPECT_EQ(field("e", "subtask_count"), "1");
  EXPECT_EQ(field("c", "ready"), "true");  // nobody will do it any more
  const Error gone = fails("task.comment", R"({"id":"a","text":"x"})");
  EXPECT_EQ(gone.code, Code::not_found);
  EXPECT_THAT(gone.hint, HasSubstr("undelete"));
  EXPECT_EQ(fails("task.create", R"({"id":"a","title":"a"})").code, Code::already_exists);
  EXPECT_EQ(fails("task.start", R"({"id":"a","title":"a"})").code, Code::already_exists);
  expect_rebuilds();
  ok("task.undelete", R"({"id":"a"})");
  EXPECT_EQ(field("e", "subtask_count"), "2");
  EXPECT_EQ(field("c", "waiting_on"), "[\"a\"]");
  EXPECT_FALSE(*ok("task.undelete", R"({"id":"a"})").find("changed")->as_bool());
  EXPECT_EQ(fails("task.undelete", R"({"id":"zzz"})").code, Code::not_found);
  expect_rebuilds();
}

TEST_F(MoveTest, QueriesOfTheStoreDoNotSeeADeletedTaskAndItsPhases) {
  create("a");
  ok("task.delete", R"({"id":"a"})");
  const auto hidden = hooks().hidden;
  int phases = 0;
  for (const auto& [id, row] : journal.rows) {
    EXPECT_TRUE(hidden(row, journal));
    phases += row.kind == store::WorkKind::phase ? 1 : 0;
  }
  EXPECT_EQ(phases, 1);
}

TEST_F(MoveTest, ChildrenAreDeletedOnlyWhenAsked) {
  create("e");
  create("a", R"("parent_id":"e")");
  create("b", R"("parent_id":"a")");
  ok("task.complete", R"({"id":"b"})");
  EXPECT_EQ(fails("task.delete", R"({"id":"e"})").code, Code::failed_precondition);
  ok("task.delete", R"({"id":"e","subtree":true})");
  EXPECT_EQ(to_string(*ask_ok("task.list", "{}").find("total")), "0");
  EXPECT_EQ(fails("task.undelete", R"({"id":"b"})").code, Code::failed_precondition);
  ok("task.undelete", R"({"id":"e","subtree":true})");
  EXPECT_EQ(to_string(*ask_ok("task.list", "{}").find("total")), "3");
  EXPECT_EQ(field("b", "status"), "\"done\"");
  EXPECT_EQ(field("a", "percent_complete"), "100");
  expect_rebuilds();
}

TEST_F(MoveTest, ADeletionReleasesAClaim) {
  create("a");
  act_as("claude", "s1");
  ok("task.claim", R"({"id":"a"})");
  const size_t from = mark();
  ok("task.delete", R"({"id":"a"})");
  EXPECT_THAT(events_since(from), ElementsAre("task.released", "task.deleted"));
  expect_rebuilds();
}

}  // namespace
}  // namespace contextcore::work::testing
