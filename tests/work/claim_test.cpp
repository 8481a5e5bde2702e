// Claims (data model 3).

#include <gmock/gmock.h>

#include "bench.h"
#include "work/hooks.h"
#include "work/names.h"

namespace contextcore::work::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ClaimTest : public WorkTest {
 protected:
  void SetUp() override {
    create("a");
    act_as("claude", "s1");
  }
  int64_t claim_a() {
    return *ok("task.claim", R"({"id":"a","lease_seconds":100})").find("token")->as_int();
  }
  std::string with_token(int64_t token) {
    return "{\"id\":\"a\",\"token\":" + std::to_string(token) + "}";
  }
};

TEST_F(ClaimTest, AClaimStartsTheTaskAndFillsTheAssignee) {
  const size_t from = mark();
  EXPECT_EQ(claim_a(), 2);
  EXPECT_THAT(events_since(from),
              ElementsAre("task.claimed", "task.assigned", "task.status_changed"));
  EXPECT_EQ(field("a", "status"), "\"in_progress\"");
  EXPECT_EQ(field("a", "assignee"), "\"claude\"");
  EXPECT_THAT(field("a", "claim"),
              HasSubstr("\"claimed_by\":\"claude\",\"session\":\"s1\",\"token\":2"));
  expect_rebuilds();
}

TEST_F(ClaimTest, OnlyTheSameSessionIsToldThatItIsItsAlready) {
  const int64_t token = claim_a();
  const Json again = ok("task.claim", R"({"id":"a"})");
  EXPECT_FALSE(*again.find("changed")->as_bool());
  EXPECT_EQ(*again.find("token")->as_int(), token);
  act_as("claude", "s2");
  EXPECT_EQ(fails("task.claim", R"({"id":"a"})").code, Code::conflict);
  act_as("claude", "");
  EXPECT_EQ(fails("task.claim", R"({"id":"a"})").code, Code::conflict);
}

TEST_F(ClaimTest, AClaimNeedsAHolder) {
  actor = {
      .actor = "", .actor_type = "user", .agent_id = "", .session_id = "s", .trigger = "manual"};
  EXPECT_EQ(fails("task.claim", R"({"id":"a"})").code, Code::invalid_argument);
}

TEST_F(ClaimTest, WhileItLivesOnlyTheTokenOrTheSessionCompletes) {
  const int64_t token = claim_a();
  act_as("other", "s2");
  for (const char* op : {"task.complete", "task.fail", "task.heartbeat", "task.release"}) {
    EXPECT_EQ(fails(op, R"({"id":"a"})").code, Code::conflict) << op;
    EXPECT_EQ(fails(op, with_token(token + 1)).code, Code::conflict) << op;
  }
  EXPECT_EQ(fails("task.block", R"({"id":"a","reason":"r"})").code, Code::conflict);
  EXPECT_EQ(fails("task.status", R"({"id":"a","status":"done"})").code, Code::conflict);
  ok("task.comment", R"({"id":"a","text":"anybody may"})");
  const size_t from = mark();
  ok("task.complete", with_token(token));
  EXPECT_THAT(events_since(from), ElementsAre("task.released", "task.progress_updated",
                                              "task.completed", "task.status_changed"));
  EXPECT_EQ(fails("task.complete", with_token(token + 7)).code, Code::conflict);
  EXPECT_FALSE(*ok("task.complete", with_token(token)).find("changed")->as_bool());
  expect_rebuilds();
}

TEST_F(ClaimTest, TheSessionCompletesWithoutToken) {
  claim_a();
  ok("task.complete", R"({"id":"a"})");
  expect_rebuilds();
}

TEST_F(ClaimTest, AHolderPastItsLeaseGetsAConflictAndNothingIsWritten) {
  const int64_t token = claim_a();
  pass(100);
  EXPECT_EQ(fails("task.complete", with_token(token)).code, Code::conflict);
  EXPECT_EQ(fails("task.complete", R"({"id":"a"})").code, Code::conflict);
  EXPECT_EQ(fails("task.heartbeat", with_token(token)).code, Code::conflict);
}

TEST_F(ClaimTest, TheFirstCommandThatMeetsAnExpiredLeaseReleasesIt) {
  claim_a();
  pass(100);
  act_as("other", "s2");
  const size_t from = mark();
  ok("task.comment", R"({"id":"a","text":"t"})");
  EXPECT_THAT(events_since(from), ElementsAre("task.released", "task.commented"));
  EXPECT_THAT(*journal.events_written[from].record.body.as_string(),
              HasSubstr("\"reason\":\"lease_expired\""));
  ok("task.complete", R"({"id":"a"})");
  expect_rebuilds();
}

TEST_F(ClaimTest, AnotherTakesOverAfterTheLeaseAndTheFirstIsTooLate) {
  const int64_t token = claim_a();
  pass(100);
  act_as("other", "s2");
  const int64_t second = claim_a();
  EXPECT_GT(second, token);
  act_as("claude", "s1");
  EXPECT_EQ(fails("task.complete", with_token(token)).code, Code::conflict);
  EXPECT_EQ(fails("task.complete", R"({"id":"a"})").code, Code::conflict);
  act_as("other", "s2");
  ok("task.complete", with_token(second));
  act_as("claude", "s1");
  EXPECT_EQ(fails("task.complete", with_token(token)).code, Code::conflict);
  expect_rebuilds();
}

TEST_F(ClaimTest, WhatACrashedHolderHadInHandIsReadyWhenItsLeaseIsOver) {
  const int64_t token = claim_a();
  act_as("other", "s2");
  EXPECT_EQ(field("a", "ready"), "false");
  EXPECT_EQ(to_string(*ok("task.claim_ready", "{}").find("task")), "null");
  pass(100);
  EXPECT_EQ(field("a", "ready"), "true");
  const Json taken = ok("task.claim_ready", R"({"lease_seconds":100})");
  EXPECT_EQ(*taken.find("task")->find("id")->as_string(), "a");
  EXPECT_GT(*taken.find("token")->as_int(), token);
  EXPECT_EQ(field("a", "ready"), "false");
  pass(100);
  create("b");
  ok("task.depend", R"({"id":"a","on":"b"})");  // ends the second claim, too: nobody's any more
  EXPECT_EQ(field("a", "ready"), "false");
  expect_rebuilds();
}

TEST_F(ClaimTest, AnAssigneeWhoNeverClaimedKeepsTheTask) {
  ok("task.assign", R"({"id":"a","assignee":"someone"})");
  claim_a();
  pass(100);
  act_as("other", "s2");
  EXPECT_EQ(to_string(*ok("task.claim_ready", "{}").find("task")), "null");
}

TEST_F(ClaimTest, AHeartbeatRenewsWithoutEventOrRevision) {
  const int64_t token = claim_a();
  const size_t from = mark();
  pass(90);
  const Json beat = ok("task.heartbeat", with_token(token));
  EXPECT_FALSE(*beat.find("changed")->as_bool());
  EXPECT_EQ(from, mark());
  EXPECT_EQ(field("a", "revision"), std::to_string(token));
  pass(90);
  // A later change by somebody else does not forget it.
  ok("task.comment", R"({"id":"a","text":"t"})");
  pass(5);
  ok("task.complete", with_token(token));
}

TEST_F(ClaimTest, ACommentNeitherShortensNorExtendsTheLease) {
  claim_a();
  pass(60);
  act_as("other", "s2");
  ok("task.comment", R"({"id":"a","text":"t"})");
  pass(40);
  EXPECT_EQ(field("a", "claim"), "null");
}

TEST_F(ClaimTest, ReleaseGivesItBack) {
  const int64_t token = claim_a();
  ok("task.release", with_token(token));
  EXPECT_EQ(field("a", "claim"), "null");
  EXPECT_EQ(fails("task.complete", with_token(token)).code, Code::conflict);
  act_as("other", "s2");
  EXPECT_GT(claim_a(), token);
  expect_rebuilds();
}

TEST_F(ClaimTest, StealingIsAnEvent) {
  const int64_t token = claim_a();
  act_as("other", "s2");
  const size_t from = mark();
  ok("task.claim", R"({"id":"a","steal":true})");
  EXPECT_THAT(events_since(from), ElementsAre("task.released", "task.claimed", "task.assigned"));
  act_as("claude", "s1");
  EXPECT_EQ(fails("task.complete", with_token(token)).code, Code::conflict);
  expect_rebuilds();
}

TEST_F(ClaimTest, BlockedAndEndedTasksCannotBeClaimed) {
  ok("task.block", R"({"id":"a","reason":"r"})");
  EXPECT_EQ(fails("task.claim", R"({"id":"a"})").code, Code::failed_precondition);
  ok("task.cancel", R"({"id":"a"})");
  EXPECT_EQ(fails("task.claim", R"({"id":"a"})").code, Code::failed_precondition);
}

TEST_F(ClaimTest, ClaimReadyHandsOutEachTaskOnce) {
  create("b", R"("priority":"high")");
  EXPECT_EQ(ok("task.claim_ready", "{}").find("task")->string_or("id"), "b");
  act_as("other", "s2");
  EXPECT_EQ(ok("task.claim_ready", "{}").find("task")->string_or("id"), "a");
  const Json none = ok("task.claim_ready", "{}");
  EXPECT_TRUE(none.find("task")->is_null());
  EXPECT_FALSE(*none.find("changed")->as_bool());
  expect_rebuilds();
}

// What was begun and given up must not lie about, whatever happens to the task in between.
TEST_F(ClaimTest, GivenUpWorkIsHandedOutAgain) {
  const auto handed_out = [this] {
    const Json answer = ok("task.claim_ready", "{}");
    const Json* task = answer.find("task");
    return task->is_null() ? std::string() : std::string(task->string_or("id"));
  };
  claim_a();
  act_as("other", "s2");
  EXPECT_EQ(handed_out(), "");
  // The lease runs out, and the first to notice is somebody with a remark.
  journal.now += 101 * kSecondNs;
  ok("task.comment", R"({"id":"a","text":"anybody here?"})");
  ok("task.edit", R"({"id":"a","title":"t2"})");
  EXPECT_EQ(field("a", "status"), "\"in_progress\"");
  EXPECT_EQ(handed_out(), "a");
  // Given back.
  ok("task.release", R"({"id":"a"})");
  act_as("third", "s3");
  EXPECT_EQ(handed_out(), "a");
  // The lease runs out behind a block.
  ok("task.block", R"({"id":"a","reason":"r"})");
  journal.now += 1'000'000 * kSecondNs;
  act_as("fourth", "s4");
  ok("task.unblock", R"({"id":"a"})");
  EXPECT_EQ(handed_out(), "a");
  expect_rebuilds();
}

TEST_F(ClaimTest, WhoTakesGivenUpWorkOnByHandKeepsIt) {
  for (const auto& [op, args] : {std::pair{"task.assign", R"({"id":"a","assignee":"ann"})"},
                                 std::pair{"task.status", R"({"id":"a","status":"in_review"})"}}) {
    claim_a();
    ok("task.release", R"({"id":"a"})");
    ok(op, args);
    act_as("other", "s2");
    EXPECT_TRUE(ok("task.claim_ready", "{}").find("task")->is_null()) << op;
    act_as("claude", "s1");
  }
  expect_rebuilds();
}

TEST_F(ClaimTest, TwoRacersPlannedAgainstTheSameStateOneWinsWhenPlannedAgain) {
  const Command first = command("task.claim", R"({"id":"a"})");
  act_as("other", "s2");
  const Command second = command("task.claim", R"({"id":"a"})");
  EXPECT_TRUE(plan(journal, first, settings).ok());
  EXPECT_TRUE(plan(journal, second, settings).ok());
  ASSERT_TRUE(run(first).ok());
  EXPECT_EQ(fails(second).code, Code::conflict);
}

TEST_F(ClaimTest, QueriesSeeAClaimWhileItsLeaseLives) {
  claim_a();
  const store::WorkHooks h = hooks();
  const store::WorkRow row = *find_task(journal, "p", "a").value();
  otlp::Span now = journal.spans[row.span_id].span;
  otlp::Span later = now;
  h.compute(now, row, journal.now);
  h.compute(later, row, journal.now + 100 * kSecondNs);
  EXPECT_EQ(otlp::find_string(now.attributes, names::attr::kTaskClaimedBy), "claude");
  EXPECT_TRUE(*otlp::find(now.attributes, names::attr::kContextcoreOpen)->as_bool());
  EXPECT_FALSE(otlp::find(now.attributes, names::attr::kContextcoreUpdatedNs));
  EXPECT_FALSE(otlp::find(later.attributes, names::attr::kTaskClaimedBy));
  EXPECT_FALSE(otlp::find(later.attributes, names::attr::kTaskClaimToken));
}

}  // namespace
}  // namespace contextcore::work::testing
