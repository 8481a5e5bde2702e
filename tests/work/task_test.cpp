// Tasks: creation, statuses, ends, comments, assignment, progress (data model 3 and 4).

#include <gmock/gmock.h>

#include <set>

#include "bench.h"

namespace contextcore::work::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TaskTest : public WorkTest {};

TEST_F(TaskTest, StartInTodoThenInProgressThenDone) {
  ok("task.create",
     R"({"id":"PROJ-123","title":"Implement auth","type":"story","if_absent":true})");
  EXPECT_EQ(field("PROJ-123", "status"), "\"todo\"");
  EXPECT_EQ(field("PROJ-123", "ready"), "true");
  pass(60);
  ok("task.status", R"({"id":"PROJ-123","status":"in_progress","lenient":true})");
  pass(60);
  const size_t from = mark();
  ok("task.complete", R"({"id":"PROJ-123"})");
  EXPECT_THAT(events_since(from),
              ElementsAre("task.progress_updated", "task.completed", "task.status_changed"));
  EXPECT_EQ(field("PROJ-123", "percent_complete"), "100");
  EXPECT_EQ(field("PROJ-123", "open"), "false");
  const store::WorkRow row = *find_task(journal, "p", "PROJ-123").value();
  EXPECT_EQ(row.end_ns, journal.now);
  EXPECT_EQ(row.revision, 3);
  expect_rebuilds();
}

TEST_F(TaskTest, ExistingIdWithTheSameTitleIsReturnedEndedOrNot) {
  create("a");
  EXPECT_FALSE(
      *ok("task.create", R"({"id":"a","title":"a","if_absent":true})").find("changed")->as_bool());
  ok("task.complete", R"({"id":"a"})");
  const Json again =
      ok("task.create", R"({"id":"a","title":"a","if_absent":true,"priority":"low"})");
  EXPECT_FALSE(*again.find("changed")->as_bool());
  EXPECT_TRUE(*again.find("ended")->as_bool());
  EXPECT_THAT(to_string(*again.find("warnings")), HasSubstr("priority"));
  EXPECT_EQ(fails("task.create", R"({"id":"a","title":"b","if_absent":true})").code,
            Code::already_exists);
  EXPECT_EQ(fails("task.create", R"({"id":"a","title":"a"})").code, Code::already_exists);
}

TEST_F(TaskTest, StartMovesANotStartedTaskAndCreatesAnUnknownOneInTodo) {
  ok("task.start", R"({"id":"n","title":"New"})");
  EXPECT_EQ(field("n", "status"), "\"todo\"");
  ok("task.start", R"({"id":"n"})");
  EXPECT_EQ(field("n", "status"), "\"in_progress\"");
  EXPECT_FALSE(*ok("task.start", R"({"id":"n","title":"New"})").find("changed")->as_bool());
  EXPECT_EQ(fails("task.start", R"({"id":"n","title":"Other"})").code, Code::already_exists);
  EXPECT_EQ(fails("task.start", R"({"id":"unknown"})").code, Code::not_found);
  ok("task.block", R"({"id":"n","reason":"r"})");
  EXPECT_EQ(fails("task.start", R"({"id":"n"})").code, Code::failed_precondition);
}

TEST_F(TaskTest, IdsAreMadeFromTheCommand) {
  Command make = command("task.create", R"({"title":"T"})");
  project = "My Project";
  make.project = project;
  const Json first = ok(make);
  const std::string id(first.find("task")->string_or("id"));
  EXPECT_EQ(id.substr(0, 11), "my-project-");
  EXPECT_EQ(id.size(), 15u);
  make.command_id = "another";
  EXPECT_NE(ok(make).find("task")->string_or("id"), id);
  const Json prefixed = ok("task.create", R"({"title":"T","id_prefix":"bd"})");
  EXPECT_EQ(prefixed.find("task")->string_or("id").substr(0, 3), "bd-");
}

TEST_F(TaskTest, AMadeIdThatIsTakenGrows) {
  Command make = command("task.create", R"({"title":"T"})");
  const std::string id(ok(make).find("task")->string_or("id"));
  MemoryJournal other;
  const Command taken = [&] {
    Command c = command("task.create", "{\"id\":\"" + id + "\",\"title\":\"x\"}");
    return c;
  }();
  ASSERT_TRUE(execute(other, taken, settings).ok());
  const auto grown = execute(other, make, settings);
  ASSERT_TRUE(grown.ok());
  const std::string longer(parse(*grown).find("task")->string_or("id"));
  EXPECT_EQ(longer.size(), id.size() + 1);
  EXPECT_TRUE(longer.starts_with(id));
}

TEST_F(TaskTest, IdsMayBeAnythingWithoutControlCharacters) {
  create("owner/repo#12");
  create("Größe 7");
  EXPECT_EQ(fails("task.create", R"({"id":"a\nb","title":"t"})").code, Code::invalid_argument);
  EXPECT_EQ(fails("task.create", R"({"id":"a\u0085b","title":"t"})").code, Code::invalid_argument);
  EXPECT_EQ(fails("task.create", "{\"id\":\"" + std::string(257, 'x') + "\",\"title\":\"t\"}").code,
            Code::invalid_argument);
  ok("task.create", "{\"id\":\"" + std::string(256, 'x') + "\",\"title\":\"t\"}");
  project = "";
  EXPECT_THAT(fails("task.create", R"({"id":"a","title":"t"})").message, HasSubstr("project"));
}

TEST_F(TaskTest, UnknownFieldsAndValuesAreErrorsWithCandidates) {
  const Error error = fails("task.create", R"({"id":"a","title":"t","pirority":"high"})");
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_THAT(error.candidates, ElementsAre("priority"));
  EXPECT_THAT(fails("task.create", R"({"title":"t","priority":"hihg"})").candidates,
              ElementsAre("high"));
  EXPECT_THAT(fails("task.create", R"({"title":"t","type":"storey"})").candidates,
              ElementsAre("story"));
  create("a");
  EXPECT_THAT(fails("task.status", R"({"id":"a","status":"banana"})").hint, HasSubstr("in_review"));
  EXPECT_THAT(fails("task.statsu", R"({})").candidates, ElementsAre("task.status", "task.start"));
  EXPECT_EQ(fails("task.create", R"({"title":"t","story_points":"five"})").code,
            Code::invalid_argument);
  EXPECT_EQ(fails("task.create", R"({"title":"t","due_date":"soon"})").code,
            Code::invalid_argument);
  EXPECT_EQ(fails("task.create", R"({"title":"t","attributes":{"task.status":"done"}})").code,
            Code::invalid_argument);
}

TEST_F(TaskTest, UnknownSubjectAndParentNameCloseIds) {
  create("PROJ-123");
  const Error error = fails("task.complete", R"({"id":"PROJ-124"})");
  EXPECT_EQ(error.code, Code::not_found);
  EXPECT_THAT(error.candidates, ElementsAre("PROJ-123"));
  EXPECT_EQ(fails("task.create", R"({"title":"t","parent_id":"PROJ-12"})").code, Code::not_found);
}

TEST_F(TaskTest, APrefixIsAcceptedOnlyAsTyped) {
  create("PROJ-123");
  EXPECT_EQ(fails("task.complete", R"({"id":"PROJ-1"})").code, Code::not_found);
  ok("task.comment", R"({"id":"PROJ-1","text":"t","resolve":true})");
  create("PROJ-199");
  EXPECT_EQ(fails("task.comment", R"({"id":"PROJ-1","text":"t","resolve":true})").code,
            Code::invalid_argument);
  EXPECT_EQ(get("PROJ-12").string_or("id"), "PROJ-123");
}

TEST_F(TaskTest, TheProjectMayBeLeftOutWhereTheIdIsUnique) {
  create("a");
  project = "q";
  create("b");
  EXPECT_EQ(fails("task.complete", R"({"id":"a"})").code, Code::not_found);
  project = "";
  ok("task.complete", R"({"id":"a"})");
  project = "q";
  create("a");
  project = "";
  EXPECT_EQ(fails("task.comment", R"({"id":"a","text":"x"})").code, Code::invalid_argument);
}

TEST_F(TaskTest, MovesBetweenOpenStatusesAreFree) {
  create("a");
  for (const char* status :
       {"in_review", "backlog", "in_progress", "todo", "blocked", "in_review"}) {
    ok("task.status", std::string(R"({"id":"a","status":")") + status + "\"}");
    EXPECT_EQ(field("a", "status"), "\"" + std::string(status) + "\"");
  }
  expect_rebuilds();
}

TEST_F(TaskTest, AnEndedTaskIsFrozen) {
  create("a");
  ok("task.complete", R"({"id":"a"})");
  for (const auto& [op, args] : std::vector<std::pair<const char*, const char*>>{
           {"task.status", R"({"id":"a","status":"todo"})"},
           {"task.block", R"({"id":"a","reason":"r"})"},
           {"task.unblock", R"({"id":"a"})"},
           {"task.fail", R"({"id":"a"})"},
           {"task.cancel", R"({"id":"a"})"},
           {"task.assign", R"({"id":"a","assignee":"bob"})"},
           {"task.progress", R"({"id":"a","percent":5})"},
           {"task.depend", R"({"id":"a","on":"b"})"},
           {"task.start", R"({"id":"a"})"},
           {"task.claim", R"({"id":"a"})"},
           {"task.create", R"({"title":"child","parent_id":"a"})"}}) {
    const Error error = fails(op, args);
    EXPECT_EQ(error.code, Code::failed_precondition) << op;
    EXPECT_THAT(error.hint, HasSubstr("reopen")) << op;
  }
}

TEST_F(TaskTest, LenientCallsOnAnEndedTaskSayThatItHasEnded) {
  create("a");
  ok("task.complete", R"({"id":"a"})");
  const Json mild = ok("task.status", R"({"id":"a","status":"todo","lenient":true})");
  EXPECT_FALSE(*mild.find("changed")->as_bool());
  EXPECT_TRUE(*mild.find("ended")->as_bool());
  EXPECT_TRUE(mild.find("warnings"));
  const Json already = ok("task.complete", R"({"id":"a"})");
  EXPECT_FALSE(*already.find("changed")->as_bool());
}

TEST_F(TaskTest, CommentsAndLinksOfAnEndedTaskLiveInTheLogOnly) {
  create("a");
  create("b");
  ok("task.complete", R"({"id":"a"})");
  const auto span = journal.spans;
  ok("task.comment", R"({"id":"a","text":"late"})");
  ok("task.comment", R"({"id":"a","text":"later"})");
  ok("task.link", R"({"id":"a","type":"relates_to","target_task_id":"b"})");
  EXPECT_EQ(span.size(), journal.spans.size());
  for (const auto& [id, before] : span) EXPECT_TRUE(before.span == journal.spans[id].span);
  const Json task = ask_ok("task.get", R"({"id":"a","comments":true,"events":true})");
  EXPECT_EQ(task.find("comments")->as_array()->size(), 2u);
  std::set<std::pair<int64_t, int64_t>> orders;
  for (const Json& event : *task.find("events")->as_array()) {
    EXPECT_TRUE(
        orders.emplace(*event.find("revision")->as_int(), *event.find("seq")->as_int()).second);
  }
  expect_rebuilds();
}

TEST_F(TaskTest, NothingToChangeSucceedsAndSaysSo) {
  create("a", R"("assignee":"bob")");
  for (const auto& [op, args] : std::vector<std::pair<const char*, const char*>>{
           {"task.status", R"({"id":"a","status":"todo"})"},
           {"task.assign", R"({"id":"a","assignee":"bob"})"},
           {"task.progress", R"({"id":"a","percent":0})"},
           {"task.unblock", R"({"id":"a"})"},
           {"task.undepend", R"({"id":"a","on":"x"})"},
           {"task.release", R"({"id":"a"})"},
           {"task.parent", R"({"id":"a","parent_id":null})"}}) {
    const size_t from = mark();
    EXPECT_FALSE(*ok(op, args).find("changed")->as_bool()) << op;
    EXPECT_EQ(from, mark()) << op;
  }
  EXPECT_EQ(field("a", "revision"), "1");
}

TEST_F(TaskTest, BlockedIsAnErrorStatusThatLeavingClears) {
  create("a");
  ok("task.start", R"({"id":"a"})");
  const size_t from = mark();
  ok("task.block", R"({"id":"a","reason":"vendor"})");
  EXPECT_THAT(events_since(from), ElementsAre("task.blocked", "task.status_changed"));
  const otlp::SpanId id = find_task(journal, "p", "a").value()->span_id;
  EXPECT_EQ(journal.spans[id].span.status_code, otlp::StatusCode::error);
  EXPECT_EQ(journal.spans[id].span.status_message, "Blocked: vendor");
  EXPECT_EQ(journal.events_written[from].record.severity_text, "WARN");
  pass(90);
  ok("task.unblock", R"({"id":"a","resolution":"they called"})");
  EXPECT_EQ(field("a", "status"), "\"in_progress\"");
  EXPECT_EQ(field("a", "blocked_reason"), "null");
  EXPECT_EQ(journal.spans[id].span.status_code, otlp::StatusCode::unset);
  EXPECT_THAT(*journal.events_written[from + 2].record.body.as_string(),
              HasSubstr("\"blocked_duration_seconds\":90"));
  expect_rebuilds();
}

TEST_F(TaskTest, FailedIsAnErrorWithReasonAndType) {
  create("a");
  ok("task.fail", R"({"id":"a","reason":"no disk","error_type":"io"})");
  const store::JournalSpan& span = journal.spans[find_task(journal, "p", "a").value()->span_id];
  EXPECT_EQ(span.span.status_code, otlp::StatusCode::error);
  EXPECT_EQ(span.span.status_message, "no disk");
  EXPECT_EQ(otlp::find_string(span.span.attributes, "error.type"), "io");
  EXPECT_NE(span.span.end_ns, 0u);
  expect_rebuilds();
}

TEST_F(TaskTest, EveryCallThatReachesAnEndEndsTheSpan) {
  for (const char* status : {"done", "failed", "cancelled"}) {
    create(status);
    const size_t from = mark();
    ok("task.status", std::string(R"({"id":")") + status + R"(","status":")" + status + "\"}");
    EXPECT_EQ(field(status, "open"), "false");
    const auto names = events_since(from);
    const std::string specific =
        std::string("task.") + (std::string_view(status) == "done" ? "completed" : status);
    EXPECT_NE(std::find(names.begin(), names.end(), specific), names.end());
  }
  create("born-done", R"("status":"done")");
  EXPECT_EQ(field("born-done", "open"), "false");
  expect_rebuilds();
}

TEST_F(TaskTest, TimesOfCompletionComeFromPhases) {
  create("a");
  pass(100);
  ok("task.start", R"({"id":"a"})");
  pass(30);
  ok("task.block", R"({"id":"a","reason":"r"})");
  pass(20);
  ok("task.unblock", R"({"id":"a"})");
  pass(50);
  const size_t from = mark();
  ok("task.complete", R"({"id":"a","outcome":"merged"})");
  const std::string line = *journal.events_written[from + 1].record.body.as_string();
  EXPECT_THAT(
      line,
      HasSubstr(
          R"("lead_time_seconds":200,"cycle_time_seconds":100,"blocked_time_seconds":20,"outcome":"merged")"));
  expect_rebuilds();
}

TEST_F(TaskTest, PhasesFollowTheStatuses) {
  create("a");
  pass(10);
  ok("task.start", R"({"id":"a"})");
  ok("task.assign", R"({"id":"a","assignee":"bob"})");
  pass(10);
  ok("task.block", R"({"id":"a","reason":"r"})");
  const Json phases = *get("a").find("phases");
  ASSERT_EQ(phases.as_array()->size(), 3u);
  int open = 0;
  for (const auto& [id, span] : journal.spans) {
    if (span.span.name != "contextcore.phase") continue;
    if (span.span.end_ns == 0) {
      open++;
      EXPECT_EQ(span.span.status_code, otlp::StatusCode::error);
    }
    EXPECT_EQ(otlp::find_string(span.span.attributes, "phase.task_id"), "a");
    EXPECT_EQ(otlp::find_string(span.span.attributes, "project.id"), "p");
    if (otlp::find_string(span.span.attributes, "phase.status") == "in_progress") {
      EXPECT_EQ(otlp::find_string(span.span.attributes, "phase.assignee"), "bob");
    }
  }
  EXPECT_EQ(open, 1);
  ok("task.cancel", R"({"id":"a"})");
  for (const auto& [id, span] : journal.spans) EXPECT_NE(span.span.end_ns, 0u);
  expect_rebuilds();
}

TEST_F(TaskTest, AGivenEarlierTimeIsRefusedAndAnEarlierClockIsStamped) {
  Command create_at = command("task.create", R"({"id":"a","title":"a"})");
  create_at.time_ns = journal.now - 100 * kSecondNs;
  ok(create_at);
  Command comment = command("task.comment", R"({"id":"a","text":"t"})");
  comment.time_ns = journal.now - 50 * kSecondNs;
  ok(comment);
  Command early = command("task.complete", R"({"id":"a"})");
  early.time_ns = journal.now - 60 * kSecondNs;
  const Error error = fails(early);
  EXPECT_EQ(error.code, Code::failed_precondition);
  EXPECT_THAT(error.message, HasSubstr("task.commented"));
  journal.now -= 80 * kSecondNs;
  const size_t from = mark();
  ok("task.complete", R"({"id":"a"})");
  for (size_t i = from; i < mark(); i++) {
    EXPECT_EQ(journal.events_written[i].record.time_ns, static_cast<uint64_t>(*comment.time_ns));
    EXPECT_EQ(journal.events_written[i].record.observed_time_ns,
              static_cast<uint64_t>(journal.now));
  }
}

TEST_F(TaskTest, AStaleExpectedRevisionIsAConflict) {
  create("a");
  Command comment = command("task.comment", R"({"id":"a","text":"t"})");
  comment.expected_revision = 1;
  ok(comment);
  comment.command_id = "again";
  EXPECT_EQ(fails(comment).code, Code::conflict);
}

TEST_F(TaskTest, TheSameCommandAgainGivesTheFirstResult) {
  const Command make = command("task.create", R"({"title":"T"})");
  const auto first = run(make);
  const auto second = run(make);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(mark(), 1u);
}

TEST_F(TaskTest, PlanningTwiceGivesTheSameBytes) {
  create("parent");
  const Command make = command(
      "task.create", R"({"title":"T","parent_id":"parent","labels":["x"],"status":"done"})");
  const auto a = plan(journal, make, settings);
  const auto b = plan(journal, make, settings);
  ASSERT_TRUE(a.ok() && b.ok());
  ASSERT_EQ(a->events.size(), b->events.size());
  for (size_t i = 0; i < a->events.size(); i++)
    EXPECT_TRUE(a->events[i].record == b->events[i].record);
  EXPECT_EQ(a->result, b->result);
}

TEST_F(TaskTest, ACallersAttributesAreKeptVerbatim) {
  ok("task.create",
     R"({"id":"a","title":"a","attributes":{"vcs.ref":"main","x.whole":1.0,"x.count":3,"x.list":["a","b"],"x.flag":true,"x.deep":{"k":[1]}}})");
  const otlp::Attributes& attributes =
      journal.spans[find_task(journal, "p", "a").value()->span_id].span.attributes;
  EXPECT_EQ(otlp::find_string(attributes, "vcs.ref"), "main");
  EXPECT_EQ(*otlp::find(attributes, "x.whole")->as_double(), 1.0);
  EXPECT_EQ(*otlp::find(attributes, "x.count")->as_int(), 3);
  EXPECT_EQ(otlp::find(attributes, "x.list")->as_array()->size(), 2u);
  EXPECT_EQ(otlp::find_string(attributes, "x.deep"), R"({"k":[1]})");
  expect_rebuilds();
}

TEST_F(TaskTest, InvalidUtf8IsRefused) {
  Command make = command("task.create", R"({"id":"a"})");
  std::get<JsonObject>(make.args.data).emplace_back("title", Json(std::string("\xff")));
  EXPECT_EQ(fails(make).code, Code::invalid_argument);
}

}  // namespace
}  // namespace contextcore::work::testing
