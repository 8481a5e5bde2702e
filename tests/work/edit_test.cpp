// Editing, links from both ends, deliverables, exceptions, commits, undo (data model 3 and 5).

#include <gmock/gmock.h>

#include "bench.h"

namespace contextcore::work::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EditTest : public WorkTest {
 protected:
  bool changed(std::string_view op, std::string_view args) {
    return *ok(op, args).find("changed")->as_bool();
  }
  std::string line(size_t index) { return *journal.events_written[index].record.body.as_string(); }
  // The answer of task.get without what every change moves on.
  std::string state(std::string_view id) {
    const Json task = get(id);
    JsonObject out;
    for (const auto& [name, value] : *task.as_object()) {
      if (name != "revision" && name != "updated" && name != "phases")
        out.emplace_back(name, value);
    }
    return to_string(Json(std::move(out)));
  }
  void undo_gives_back(std::string_view op, std::string_view args) {
    SCOPED_TRACE(std::string(op) + " " + std::string(args));
    const std::string before = state("t");
    ASSERT_TRUE(changed(op, args));
    ASSERT_NE(state("t"), before);
    pass(1);
    ok("task.undo", R"({"id":"t"})");
    EXPECT_EQ(state("t"), before);
    expect_rebuilds();
  }
};

TEST_F(EditTest, OneEventForEachFieldThatChanges) {
  create("t", R"("labels":["a","b"],"story_points":3)");
  const size_t from = mark();
  EXPECT_TRUE(changed("task.edit", R"({"id":"t","title":"new","type":"bug","priority":"high",
      "story_points":5,"estimate_minutes":30,"labels":["b","c"],"due_date":"2027-01-01",
      "defer_until":"2026-12-24","sprint_id":"s1","url":"https://x","description":"d",
      "acceptance_criteria":["it works"],"attributes":{"k":1.0},"assignee":"bob"})"));
  EXPECT_EQ(events_since(from).size(), 14u);
  EXPECT_THAT(line(from), HasSubstr(R"("field":"title","from":"t","to":"new")"));
  EXPECT_EQ(field("t", "title"), "\"new\"");
  EXPECT_EQ(field("t", "type"), "\"bug\"");
  EXPECT_EQ(field("t", "story_points"), "5");
  EXPECT_EQ(field("t", "labels"), R"(["b","c"])");
  EXPECT_EQ(field("t", "due_date"), "\"2027-01-01T00:00:00Z\"");
  EXPECT_EQ(field("t", "sprint_id"), "\"s1\"");
  EXPECT_EQ(field("t", "assignee"), "\"bob\"");
  EXPECT_EQ(field("t", "revision"), "2");
  EXPECT_EQ(journal.spans.begin()->second.resource.attributes.size(), 2u);
  expect_rebuilds();
}

TEST_F(EditTest, NullClearsAndNothingToChangeSaysSo) {
  create("t", R"("priority":"high","labels":["a"],"attributes":{"k":"v"},"story_points":1)");
  EXPECT_FALSE(changed("task.edit", R"({"id":"t"})"));
  EXPECT_FALSE(changed("task.edit", R"({"id":"t","priority":"high","labels":["a"]})"));
  EXPECT_TRUE(changed("task.edit",
                      R"({"id":"t","priority":null,"labels":null,"story_points":null,
                          "attributes":{"k":null}})"));
  for (const char* name : {"priority", "labels", "story_points", "attributes"}) {
    EXPECT_EQ(field("t", name), "null") << name;
  }
  expect_rebuilds();
}

TEST_F(EditTest, LabelsAreAddedAndTakenAway) {
  create("t", R"("labels":["a","b"])");
  EXPECT_TRUE(changed("task.edit", R"({"id":"t","add_labels":["c","a"],"remove_labels":["b"]})"));
  EXPECT_EQ(field("t", "labels"), R"(["a","c"])");
  EXPECT_FALSE(changed("task.edit", R"({"id":"t","add_labels":["c"],"remove_labels":["x"]})"));
}

TEST_F(EditTest, WrongValuesAreRefused) {
  create("t");
  for (const char* args :
       {R"("title":null)", R"("title":"")", R"("type":"epyc")", R"("type":null)",
        R"("priority":"urgent")", R"("story_points":-1)", R"("due_date":"soon")",
        R"("attributes":{"task.title":"x"})", R"("deliverables":[{"type":"book","path":"x"}])",
        R"("status":"done")"}) {
    EXPECT_EQ(fails("task.edit", std::string(R"({"id":"t",)") + args + "}").code,
              Code::invalid_argument)
        << args;
  }
  ok("task.cancel", R"({"id":"t"})");
  EXPECT_EQ(fails("task.edit", R"({"id":"t","title":"x"})").code, Code::failed_precondition);
}

TEST_F(EditTest, PointsOfAChildWeighAnew) {
  create("e");
  create("a", R"("parent_id":"e","story_points":1)");
  create("b", R"("parent_id":"e","story_points":1)");
  ok("task.complete", R"({"id":"a"})");
  ok("task.edit", R"({"id":"b","story_points":3})");
  EXPECT_EQ(field("e", "percent_complete"), "25");
  expect_rebuilds();
}

TEST_F(EditTest, BlocksIsToldFromTheOtherEnd) {
  create("a");
  create("b");
  EXPECT_TRUE(changed("task.link", R"({"id":"a","type":"blocks","target_task_id":"b"})"));
  EXPECT_EQ(field("b", "waiting_on"), "[\"a\"]");
  EXPECT_EQ(field("a", "links"), "null");
  EXPECT_FALSE(changed("task.link", R"({"id":"b","type":"depends_on","target_task_id":"a"})"));
  EXPECT_EQ(fails("task.link", R"({"id":"b","type":"blocks","target_task_id":"a"})").code,
            Code::invalid_argument);  // a cycle
  EXPECT_TRUE(changed("task.unlink", R"({"id":"a","type":"blocks","target_task_id":"b"})"));
  EXPECT_EQ(field("b", "ready"), "true");
  EXPECT_EQ(fails("task.link", R"({"id":"a","type":"blocks","target_task_id":"zz"})").code,
            Code::not_found);
  expect_rebuilds();
}

TEST_F(EditTest, EveryTypeOfLinkGoesAndComesBothWays) {
  create("a");
  create("b");
  for (const char* type :
       {"relates_to", "duplicates", "supersedes", "discovered_from", "caused_by", "continues",
        "duplicated_by", "superseded_by", "led_to", "causes", "continued_by"}) {
    const std::string args =
        std::string(R"({"id":"a","type":")") + type + R"(","target_task_id":"b"})";
    EXPECT_TRUE(changed("task.link", args)) << type;
    EXPECT_FALSE(changed("task.link", args)) << type;
    EXPECT_TRUE(changed("task.unlink", args)) << type;
    EXPECT_FALSE(changed("task.unlink", args)) << type;
  }
  EXPECT_THAT(fails("task.link", R"({"id":"a","type":"block","target_task_id":"b"})").candidates,
              ElementsAre("blocks"));
  expect_rebuilds();
}

TEST_F(EditTest, DependenciesReachIntoOtherProjects) {
  create("mine");
  project = "q";
  create("x");
  create("mine");
  project = "p";
  ok("task.depend", R"({"id":"mine","on":"mine","target_project_id":"q","when":"ended"})");
  EXPECT_EQ(field("mine", "ready"), "false");
  project = "q";
  ok("task.fail", R"({"id":"mine"})");
  project = "p";
  EXPECT_EQ(field("mine", "ready"), "true");
  EXPECT_TRUE(changed("task.undepend", R"({"id":"mine","on":"mine","target_project_id":"q"})"));
  expect_rebuilds();
}

TEST_F(EditTest, DeliverablesAreVerified) {
  create("t", R"("deliverables":["a.md",{"type":"test","path":"t.cpp","description":"runs"}])");
  EXPECT_EQ(
      field("t", "deliverables"),
      R"([{"type":"file","path":"a.md"},{"type":"test","path":"t.cpp","description":"runs"}])");
  ok("task.verify",
     R"({"id":"t","results":[{"path":"a.md","verified":true},{"path":"t.cpp","verified":false}]})");
  EXPECT_THAT(line(mark() - 1),
              HasSubstr(R"("deliverable_count":2,"verified_count":1,"failed_count":1)"));
  EXPECT_EQ(field("t", "deliverables_verified"), "1");
  EXPECT_EQ(field("t", "deliverables_complete"), "false");
  ok("task.verify",
     R"({"id":"t","results":[{"path":"a.md","verified":true},{"path":"t.cpp","verified":true}]})");
  EXPECT_EQ(field("t", "deliverables_complete"), "true");
  EXPECT_EQ(fails("task.verify", R"({"id":"t","results":[{"path":"b","verified":true}]})").code,
            Code::invalid_argument);
  EXPECT_EQ(fails("task.verify", R"({"id":"t"})").code, Code::invalid_argument);
  ok("task.edit", R"({"id":"t","deliverables":["b.md"]})");
  EXPECT_EQ(field("t", "deliverables_verified"), "null");  // they are others now
  ok("task.complete", R"({"id":"t"})");
  create("u");
  EXPECT_EQ(fails("task.verify", R"({"id":"u","results":[]})").code, Code::failed_precondition);
  expect_rebuilds();
}

TEST_F(EditTest, ExceptionsAndCommitsAreEvents) {
  create("t");
  ok("task.exception", R"({"id":"t","type":"ValueError","message":"no","stacktrace":"at x"})");
  EXPECT_TRUE(changed("task.commit", R"({"id":"t","commit":"c0ffee","repository":"r"})"));
  EXPECT_FALSE(changed("task.commit", R"({"id":"t","commit":"c0ffee","repository":"r"})"));
  ok("task.complete", R"({"id":"t"})");
  EXPECT_TRUE(changed("task.commit", R"({"id":"t","commit":"beef","message":"more"})"));
  EXPECT_EQ(field("t", "revision"), "4");  // after the end they live in the log only
  expect_rebuilds();
}

TEST_F(EditTest, UndoGivesTheStateBeforeBack) {
  create("other");
  create("e");
  create("t", R"("labels":["a"],"priority":"low","attributes":{"k":1.0},"story_points":2)");
  ok("task.progress", R"({"id":"t","percent":30})");
  undo_gives_back("task.edit", R"({"id":"t","title":"x","labels":["b"],"priority":null,
                                   "attributes":{"k":"s","n":1},"story_points":9})");
  undo_gives_back("task.status", R"({"id":"t","status":"in_review"})");
  undo_gives_back("task.block", R"({"id":"t","reason":"r","by":["other"]})");
  undo_gives_back("task.assign", R"({"id":"t","assignee":"bob"})");
  undo_gives_back("task.progress", R"({"id":"t","percent":80})");
  undo_gives_back("task.parent", R"({"id":"t","parent_id":"e"})");
  undo_gives_back("task.link", R"({"id":"t","type":"relates_to","target_task_id":"e"})");
  undo_gives_back("task.depend", R"({"id":"t","on":"e","when":"ended"})");
  undo_gives_back("task.complete", R"({"id":"t","outcome":"merged"})");
  undo_gives_back("task.fail", R"({"id":"t","reason":"r","error_type":"timeout"})");
  undo_gives_back("task.cancel", R"({"id":"t"})");
  ok("task.block", R"({"id":"t","reason":"r"})");
  undo_gives_back("task.unblock", R"({"id":"t"})");
  undo_gives_back("task.complete", R"({"id":"t"})");
  undo_gives_back("task.block", R"({"id":"t","reason":"another"})");
}

TEST_F(EditTest, UndoOfAnUndoIsARedo) {
  create("t");
  ok("task.status", R"({"id":"t","status":"in_progress"})");
  ok("task.undo", R"({"id":"t"})");
  EXPECT_EQ(field("t", "status"), "\"todo\"");
  ok("task.undo", R"({"id":"t"})");
  EXPECT_EQ(field("t", "status"), "\"in_progress\"");
  expect_rebuilds();
}

TEST_F(EditTest, UndoOfADeletionAndOfACreation) {
  create("t");
  ok("task.delete", R"({"id":"t"})");
  ok("task.undo", R"({"id":"t"})");
  EXPECT_EQ(field("t", "status"), "\"todo\"");
  create("u");
  ok("task.undo", R"({"id":"u"})");
  EXPECT_EQ(to_string(*ask_ok("task.list", "{}").find("total")), "1");
  expect_rebuilds();
}

TEST_F(EditTest, UndoLetsDerivedValuesFollow) {
  create("e");
  create("t", R"("parent_id":"e")");
  create("d", R"("depends_on":["t"])");
  ok("task.complete", R"({"id":"t"})");
  EXPECT_EQ(field("e", "percent_complete"), "100");
  ok("task.undo", R"({"id":"t"})");
  EXPECT_EQ(field("e", "percent_complete"), "0");
  EXPECT_EQ(field("e", "subtask_open"), "1");
  EXPECT_EQ(field("d", "waiting_on"), "[\"t\"]");
  expect_rebuilds();
}

TEST_F(EditTest, OnlyOnesOwnLastChangeAndOnlyWhatLeavesSomething) {
  create("t");
  ok("task.status", R"({"id":"t","status":"in_progress"})");
  actor.actor = "bob";
  EXPECT_THAT(fails("task.undo", R"({"id":"t"})").message, HasSubstr("of alice"));
  ok("task.comment", R"({"id":"t","text":"hm"})");
  EXPECT_EQ(fails("task.undo", R"({"id":"t"})").code, Code::failed_precondition);
}

TEST_F(EditTest, UndoOfAClaimReleasesIt) {
  create("t");
  act_as("claude", "s1");
  ok("task.claim", R"({"id":"t"})");
  ok("task.undo", R"({"id":"t"})");
  EXPECT_EQ(field("t", "claim"), "null");
  EXPECT_EQ(field("t", "assignee"), "null");
  EXPECT_EQ(field("t", "status"), "\"todo\"");
  expect_rebuilds();
}

TEST_F(EditTest, AReleaseTellsTheHeartbeatsOfItsClaim) {
  create("t");
  act_as("claude", "s1");
  ok("task.claim", R"({"id":"t","lease_seconds":60})");
  for (int i = 0; i < 3; i++) {
    pass(30);
    ok("task.heartbeat", R"({"id":"t"})");
  }
  ok("task.comment", R"({"id":"t","text":"still at it"})");
  const size_t from = mark();
  ok("task.release", R"({"id":"t"})");
  EXPECT_THAT(line(from), HasSubstr(R"("reason":"released","heartbeats":3)"));
  ok("task.claim", R"({"id":"t","lease_seconds":60})");
  pass(61);
  const size_t expired = mark();
  ok("task.comment", R"({"id":"t","text":"?"})");
  EXPECT_THAT(line(expired), HasSubstr(R"("reason":"lease_expired","heartbeats":0)"));
  expect_rebuilds();
}

}  // namespace
}  // namespace contextcore::work::testing
