// Sprints and their derived points (data model 6); a project's own types and statuses; batches.

#include <gmock/gmock.h>

#include "bench.h"
#include "work/ids.h"
#include "work/sprint.h"

namespace contextcore::work::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SprintTest : public WorkTest {
 protected:
  Sprint sprint(std::string_view id) {
    const auto found = journal.spans.find(span_id("sprint", project, id));
    EXPECT_NE(found, journal.spans.end());
    if (found == journal.spans.end()) return {};
    const auto read = sprint_from_span(found->second);
    EXPECT_TRUE(read.ok());
    return read.ok() ? *read : Sprint();
  }
  std::pair<int64_t, int64_t> points(std::string_view id) {
    return {sprint(id).planned_points, sprint(id).completed_points};
  }
  using Points = std::pair<int64_t, int64_t>;

  Command with_own_words(Command what) {
    what.vocabulary.types = {"chore"};
    what.vocabulary.statuses = {{"qa", "in_review"}, {"parked", "blocked"}, {"shipped", "done"}};
    return what;
  }
};

TEST_F(SprintTest, IsASpanFromItsStartToItsEnd) {
  ok("sprint.start", R"({"id":"s1","goal":"sign in","start_date":"2026-12-01"})");
  const otlp::Span& open = journal.spans.begin()->second.span;
  EXPECT_EQ(open.name, "contextcore.sprint");
  EXPECT_EQ(open.end_ns, 0u);
  EXPECT_EQ(sprint("s1").name, "s1");
  EXPECT_EQ(sprint("s1").start_date, "2026-12-01T00:00:00Z");
  pass(100);
  ok("sprint.end", R"({"id":"s1","notes":"fine"})");
  EXPECT_EQ(sprint("s1").end_ns, journal.now);
  EXPECT_EQ(sprint("s1").notes, "fine");
  EXPECT_FALSE(*ok("sprint.end", R"({"id":"s1"})").find("changed")->as_bool());
  EXPECT_EQ(fails("sprint.start", R"({"id":"s1"})").code, Code::failed_precondition);
  EXPECT_EQ(fails("sprint.edit", R"({"id":"s1","goal":"x"})").code, Code::failed_precondition);
  EXPECT_THAT(fails("sprint.end", R"({"id":"s2"})").candidates, ElementsAre("s1"));
  expect_rebuilds();
}

TEST_F(SprintTest, StartingAnOpenOneAgainChangesNothing) {
  ok("sprint.start", R"({"id":"s1"})");
  EXPECT_FALSE(*ok("sprint.start", R"({"id":"s1"})").find("changed")->as_bool());
}

TEST_F(SprintTest, PointsFollowTheTasks) {
  create("a", R"("story_points":3,"sprint_id":"s1")");
  ok("sprint.start", R"({"id":"s1"})");
  EXPECT_EQ(points("s1"), Points(3, 0));
  create("b", R"("story_points":5,"sprint_id":"s1")");
  create("c", R"("story_points":8)");
  EXPECT_EQ(points("s1"), Points(8, 0));
  ok("task.edit", R"({"id":"c","sprint_id":"s1"})");
  ok("task.edit", R"({"id":"b","story_points":2})");
  EXPECT_EQ(points("s1"), Points(13, 0));
  ok("task.complete", R"({"id":"a"})");
  EXPECT_EQ(points("s1"), Points(13, 3));
  ok("task.reopen", R"({"id":"a"})");
  EXPECT_EQ(points("s1"), Points(13, 0));
  ok("task.cancel", R"({"id":"b"})");
  EXPECT_EQ(points("s1"), Points(11, 0));
  ok("task.delete", R"({"id":"c"})");
  EXPECT_EQ(points("s1"), Points(3, 0));
  EXPECT_EQ(sprint("s1").revision, 1);  // derived values raise none
  expect_rebuilds();
}

TEST_F(SprintTest, ItsEndFreezesThePoints) {
  ok("sprint.start", R"({"id":"s1"})");
  create("a", R"("story_points":3,"sprint_id":"s1")");
  ok("sprint.end", R"({"id":"s1"})");
  ok("task.complete", R"({"id":"a"})");
  EXPECT_EQ(points("s1"), Points(3, 0));
  expect_rebuilds();
}

TEST_F(SprintTest, EditsAreOneEventEach) {
  ok("sprint.start", R"({"id":"s1","goal":"g"})");
  const size_t from = mark();
  ok("sprint.edit", R"({"id":"s1","name":"First","goal":null,"end_date":"2027-01-01"})");
  EXPECT_THAT(events_since(from), ElementsAre("sprint.edited", "sprint.edited", "sprint.edited"));
  EXPECT_EQ(sprint("s1").name, "First");
  EXPECT_EQ(sprint("s1").goal, "");
  Command stale = command("sprint.edit", R"({"id":"s1","name":"x"})");
  stale.expected_revision = 1;
  EXPECT_EQ(fails(stale).code, Code::conflict);
  expect_rebuilds();
}

TEST_F(SprintTest, AProjectsOwnTypesAndStatuses) {
  ok(with_own_words(command("task.create", R"({"id":"t","title":"t","type":"chore"})")));
  ok(with_own_words(command("task.status", R"({"id":"t","status":"qa"})")));
  EXPECT_EQ(field("t", "type"), "\"chore\"");
  EXPECT_EQ(field("t", "status"), "\"qa\"");
  EXPECT_EQ(field("t", "base_status"), "\"in_review\"");
  EXPECT_EQ(field("t", "category"), "\"active\"");
  // From one to what it behaves like is a change as well, and back after a block.
  ok("task.status", R"({"id":"t","status":"in_review"})");
  ok(with_own_words(command("task.status", R"({"id":"t","status":"qa"})")));
  ok("task.block", R"({"id":"t","reason":"r"})");
  ok("task.unblock", R"({"id":"t"})");
  EXPECT_EQ(field("t", "status"), "\"qa\"");
  ok(with_own_words(command("task.status", R"({"id":"t","status":"shipped"})")));
  EXPECT_EQ(field("t", "open"), "false");
  EXPECT_EQ(field("t", "status"), "\"shipped\"");
  EXPECT_EQ(fails("task.create", R"({"id":"u","title":"u","type":"chore"})").code,
            Code::invalid_argument);
  expect_rebuilds();
}

TEST_F(SprintTest, OwnNamesAreChecked) {
  const auto refuses = [](Vocabulary vocabulary) {
    const auto result = checked(std::move(vocabulary));
    EXPECT_FALSE(result.ok());
  };
  refuses({{"Epic Tale"}, {}});
  refuses({{"epic"}, {}});
  refuses({{}, {{"done", "todo"}}});
  refuses({{}, {{"qa", "reviewing"}}});
  const auto good = checked({{"chore"}, {{"qa", "active"}, {"shipped", "ended"}}});
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->statuses[0].second, "in_progress");
  EXPECT_EQ(good->statuses[1].second, "done");
}

TEST_F(SprintTest, ABatchIsOneTransactionInWhichLaterCommandsSeeEarlierOnes) {
  const Json answer = ok("batch", R"({"commands":[
      {"op":"task.create","args":{"id":"e","title":"e"}},
      {"op":"task.create","args":{"id":"a","title":"a","parent_id":"e","story_points":2}},
      {"op":"task.create","args":{"title":"made","parent_id":"e","depends_on":["a"]}},
      {"op":"task.complete","args":{"id":"a"}},
      {"op":"task.comment","args":{"id":"a","text":"done"}}]})");
  ASSERT_EQ(answer.find("results")->as_array()->size(), 5u);
  const std::string made((*answer.find("results")->as_array())[2].string_or("id"));
  EXPECT_EQ(field(made, "ready"), "true");
  EXPECT_EQ(field("e", "subtask_completed"), "1");
  EXPECT_EQ(journal.results.size(), 1u);
  expect_rebuilds();
}

TEST_F(SprintTest, ABatchWritesAllOrNothingAndNamesTheCommand) {
  const Error error = fails("batch", R"({"commands":[
      {"op":"task.create","args":{"id":"a","title":"a"}},
      {"op":"task.status","args":{"id":"a","status":"dnoe"}}]})");
  EXPECT_THAT(error.message, HasSubstr("command 2: "));
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_EQ(journal.rows.size(), 0u);
  for (const char* args :
       {R"({})", R"({"commands":{}})", R"({"commands":[{"op":"batch","args":{}}]})",
        R"({"commands":[{"op":"task.create","arguments":{}}]})", R"({"commands":["x"]})"}) {
    EXPECT_EQ(fails("batch", args).code, Code::invalid_argument) << args;
  }
  EXPECT_FALSE(*ok("batch", R"({"commands":[]})").find("changed")->as_bool());
}

TEST_F(SprintTest, ABatchMayMoveWhatItMade) {
  ok("batch", R"({"commands":[
      {"op":"task.create","args":{"id":"e","title":"e"}},
      {"op":"task.create","args":{"id":"t","title":"t"}},
      {"op":"task.create","args":{"id":"u","title":"u","parent_id":"t"}},
      {"op":"task.parent","args":{"id":"t","parent_id":"e"}},
      {"op":"task.delete","args":{"id":"u"}}]})");
  EXPECT_EQ(field("t", "trace_id"), field("e", "trace_id"));
  EXPECT_EQ(to_string(*ask_ok("task.list", "{}").find("total")), "2");
  expect_rebuilds();
}

}  // namespace
}  // namespace contextcore::work::testing
