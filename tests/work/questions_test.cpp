// Questions about many tasks: filters, blocked, overdue, stale, tree, critical path, workload,
// search, overview.

#include "bench.h"
#include "work/filters.h"

namespace contextcore::work::testing {
namespace {

class QuestionsTest : public WorkTest {
 protected:
  // Ids of the items, in order: "a b c".
  std::string ids(std::string_view op, std::string_view args) {
    std::string out;
    const Json answer = ask_ok(op, args);
    for (const Json& item : *answer.find("items")->as_array())
      out += (out.empty() ? "" : " ") + std::string(item.string_or("id"));
    return out;
  }
  std::string traceql(std::string_view args) {
    return std::string(ask_ok("task.list", args).string_or("traceql"));
  }
  Error refused(std::string_view op, std::string_view args) {
    Question question{std::string(op), project, parse(args), actor};
    const auto answer = ask(journal, journal, question);
    EXPECT_FALSE(answer.ok()) << op << " " << args;
    return answer.ok() ? Error{} : answer.error();
  }
};

TEST_F(QuestionsTest, ListFiltersByEachField) {
  create("a", R"("type":"bug","priority":"high","assignee":"bob","labels":["x","y"])");
  create("b", R"("type":"story","assignee":"eve","labels":["x"],"due_date":"2030-01-05")");
  create("c", R"("parent_id":"a","description":"Needs the Žluť parser")");
  create("d", R"("parent_id":"c")");
  ok("task.start", R"({"id":"b"})");
  ok("task.complete", R"({"id":"d"})");
  EXPECT_EQ(ids("task.list", R"({"type":"bug"})"), "a");
  EXPECT_EQ(ids("task.list", R"({"type":["bug","story"],"sort":"id"})"), "a b");
  EXPECT_EQ(ids("task.list", R"({"priority":"high"})"), "a");
  EXPECT_EQ(ids("task.list", R"({"assignee":"eve"})"), "b");
  EXPECT_EQ(ids("task.list", R"({"assignee":"","sort":"id"})"), "c d");
  EXPECT_EQ(ids("task.list", R"({"label":["x","y"]})"), "a");
  EXPECT_EQ(ids("task.list", R"({"status":"active"})"), "b");
  EXPECT_EQ(ids("task.list", R"({"status":["open"],"sort":"id"})"), "a b c");
  EXPECT_EQ(ids("task.list", R"({"status":["ended","in_progress"],"sort":"id"})"), "b d");
  EXPECT_EQ(ids("task.list", R"({"open":false})"), "d");
  EXPECT_EQ(ids("task.list", R"({"parent":"a"})"), "c");
  EXPECT_EQ(ids("task.list", R"({"subtree":"a","sort":"id"})"), "c d");
  EXPECT_EQ(ids("task.list", R"({"text":"žluť PARSER"})"), "c");
  EXPECT_EQ(ids("task.list", R"({"due_from":"2030-01-05","due_to":"2030-01-06"})"), "b");
  EXPECT_EQ(ids("task.list", R"({"due_to":"2030-01-05"})"), "");
}

TEST_F(QuestionsTest, ListFiltersByTimes) {
  create("old");
  pass(3600);
  const std::string from = "\"" + format_rfc3339(journal.now) + "\"";
  create("new");
  ok("task.complete", R"({"id":"new"})");
  EXPECT_EQ(ids("task.list", "{\"created_from\":" + from + "}"), "new");
  EXPECT_EQ(ids("task.list", "{\"created_to\":" + from + "}"), "old");
  EXPECT_EQ(ids("task.list", "{\"updated_from\":" + from + "}"), "new");
  EXPECT_EQ(ids("task.list", "{\"ended_from\":" + from + "}"), "new");
  EXPECT_EQ(ids("task.list", "{\"ended_to\":" + from + "}"), "");
  const Json answer = ask_ok("task.list", "{\"created_from\":" + from + "}");
  EXPECT_EQ(to_string(*answer.find("not_in_traceql")), R"(["created_from"])");
}

TEST_F(QuestionsTest, ListSaysItsTraceql) {
  create("E-1");
  EXPECT_EQ(traceql("{}"), R"({ span.task.status != nil && span.project.id = "p" })");
  EXPECT_EQ(traceql(R"({"all_projects":true})"), "{ span.task.status != nil }");
  EXPECT_EQ(traceql(R"({"status":["todo","blocked"],"assignee":""})"),
            R"({ (span.task.status = "todo" || span.task.status = "blocked") && )"
            R"(span.project.id = "p" && span.task.assignee = nil })");
  EXPECT_EQ(traceql(R"({"subtree":"E-1","status":"not_started"})"),
            R"({ span.task.id = "E-1" && span.project.id = "p" } >> )"
            R"({ span.task.status =~ "backlog|todo" && span.project.id = "p" })");
  EXPECT_EQ(traceql(R"({"text":"a\"b.c"})"),
            R"({ span.task.status != nil && span.project.id = "p" && )"
            R"((span.task.title =~ "(?i).*a\\\"b\\.c.*" || )"
            R"(span.task.description =~ "(?i).*a\\\"b\\.c.*") })");
}

TEST_F(QuestionsTest, UnknownWordsAreRefusedWithCandidates) {
  create("a", R"("sprint_id":"S-1")");
  const Error status = refused("task.list", R"({"status":"blokced"})");
  EXPECT_EQ(status.code, Code::invalid_argument);
  EXPECT_EQ(status.candidates.front(), "blocked");
  EXPECT_EQ(refused("task.list", R"({"type":"bugg"})").candidates.front(), "bug");
  EXPECT_EQ(refused("task.list", R"({"sprint":"S-2"})").code, Code::not_found);
  EXPECT_EQ(refused("task.list", R"({"sprint":"last"})").code, Code::not_found);
  EXPECT_EQ(refused("task.list", R"({"created_from":"now","created_to":"2d ago"})").code,
            Code::invalid_argument);
  EXPECT_EQ(refused("task.list", R"({"parent":"nope"})").code, Code::not_found);
  EXPECT_EQ(refused("task.search", "{}").code, Code::invalid_argument);
}

TEST_F(QuestionsTest, BlockedSaysSinceWhen) {
  create("a");
  create("b");
  pass(60);
  ok("task.block", R"({"id":"a","reason":"no key"})");
  pass(120);
  ok("task.comment", R"({"id":"a","text":"still none"})");
  const Json answer = ask_ok("task.blocked", "{}");
  EXPECT_EQ(to_string(*answer.find("total")), "1");
  const Json& item = answer.find("items")->as_array()->front();
  EXPECT_EQ(item.string_or("blocked_reason"), "no key");
  EXPECT_EQ(item.string_or("blocked_since"), format_rfc3339(journal.now - 120 * kSecondNs));
  EXPECT_EQ(to_string(*item.find("blocked_seconds")), "120");
}

TEST_F(QuestionsTest, OverdueAreOpenAndPastTheirDate) {
  create("late", "\"due_date\":\"" + format_rfc3339(journal.now - 7200 * kSecondNs) + "\"");
  create("later", "\"due_date\":\"" + format_rfc3339(journal.now - 60 * kSecondNs) + "\"");
  create("in_time", "\"due_date\":\"" + format_rfc3339(journal.now + 60 * kSecondNs) + "\"");
  create("done", "\"due_date\":\"" + format_rfc3339(journal.now - 60 * kSecondNs) + "\"");
  ok("task.complete", R"({"id":"done"})");
  EXPECT_EQ(ids("task.overdue", "{}"), "late later");
  pass(120);
  EXPECT_EQ(ids("task.overdue", "{}"), "late later in_time");
}

TEST_F(QuestionsTest, StaleAreOpenAndWithoutEvents) {
  create("a");
  create("b");
  create("c");
  ok("task.complete", R"({"id":"c"})");
  pass(10 * 86400);
  ok("task.comment", R"({"id":"b","text":"alive"})");
  pass(4 * 86400);
  EXPECT_EQ(ids("task.stale", "{}"), "a");
  EXPECT_EQ(ids("task.stale", R"({"days":4})"), "a b");
  EXPECT_EQ(ids("task.stale", R"({"days":15})"), "");
}

TEST_F(QuestionsTest, TreeIsDepthFirstWithDepths) {
  create("epic");
  pass(1);
  create("one", R"("parent_id":"epic")");
  pass(1);
  create("two", R"("parent_id":"epic")");
  create("one-a", R"("parent_id":"one")");
  create("alone");
  ok("task.complete", R"({"id":"two"})");
  const auto tree = [&](std::string_view args) {
    std::string out;
    const Json answer = ask_ok("task.tree", args);
    for (const Json& item : *answer.find("items")->as_array())
      out += to_string(*item.find("depth")) + std::string(item.string_or("id")) + " ";
    return out;
  };
  EXPECT_EQ(tree("{}"), "0epic 1one 2one-a 1two 0alone ");
  EXPECT_EQ(tree(R"({"id":"one"})"), "0one 1one-a ");
  EXPECT_EQ(tree(R"({"depth":1})"), "0epic 1one 1two 0alone ");
  EXPECT_EQ(tree(R"({"open":true})"), "0epic 1one 2one-a 0alone ");
}

TEST_F(QuestionsTest, TheCriticalPathIsTheHeaviestOpenChain) {
  create("design", R"("estimate_minutes":30)");
  create("build", R"("estimate_minutes":300,"depends_on":["design"])");
  create("test", R"("depends_on":["build"])");
  create("docs", R"("estimate_minutes":200,"depends_on":["design"])");
  create("print", R"("depends_on":["docs"])");
  create("bind", R"("depends_on":["print"])");
  EXPECT_EQ(ids("project.critical_path", R"({"by":"estimate"})"), "design build test");
  EXPECT_EQ(ids("project.critical_path", R"({"by":"count"})"), "design docs print bind");
  const Json answer = ask_ok("project.critical_path", R"({"by":"estimate"})");
  EXPECT_EQ(to_string(*answer.find("weight")), "390");
  EXPECT_EQ(to_string(*answer.find("without_weight")), "1");
  ok("task.complete", R"({"id":"build"})");
  EXPECT_EQ(ids("project.critical_path", R"({"by":"estimate"})"), "design docs print bind");
}

TEST_F(QuestionsTest, WithoutDependenciesThereIsNoCriticalPath) {
  create("a");
  EXPECT_EQ(ids("project.critical_path", "{}"), "");
}

TEST_F(QuestionsTest, WorkloadCountsOpenWorkByAssignee) {
  create("a", R"("assignee":"bob")");
  create("b", R"("assignee":"bob")");
  create("c");
  create("d", R"("assignee":"eve")");
  ok("task.start", R"({"id":"a"})");
  ok("task.block", R"({"id":"b","reason":"r"})");
  ok("task.complete", R"({"id":"d"})");
  std::string out;
  const Json answer = ask_ok("project.workload", "{}");
  for (const Json& load : *answer.find("items")->as_array()) {
    out += to_string(*load.find("assignee")) + " " + to_string(*load.find("open")) + " " +
           to_string(*load.find("active")) + " " + to_string(*load.find("blocked")) + " " +
           to_string(*load.find("ready")) + "\n";
  }
  EXPECT_EQ(out, "\"bob\" 2 1 1 0\nnull 1 0 0 1\n");
}

TEST_F(QuestionsTest, SearchFindsTitlesDescriptionsAndComments) {
  ok("task.create", R"({"id":"a","title":"Fix the Parser"})");
  pass(1);
  create("b", R"("description":"the parser, again")");
  pass(1);
  create("c");
  ok("task.comment", R"({"id":"c","text":"see PARSER.cpp","author":"eve"})");
  create("d");
  EXPECT_EQ(ids("task.search", R"({"text":"parser"})"), "c b a");
  EXPECT_EQ(ids("task.search", R"({"text":"parser.cpp"})"), "c");
  const Json answer = ask_ok("task.search", R"({"text":"parser","limit":1})");
  EXPECT_EQ(to_string(*answer.find("total")), "3");
  const Json& match =
      answer.find("items")->as_array()->front().find("matches")->as_array()->front();
  EXPECT_EQ(match.string_or("in"), "comment");
  EXPECT_EQ(match.string_or("author"), "eve");
}

TEST_F(QuestionsTest, SnippetsAreCutAtCharacters) {
  std::string text;
  for (int i = 0; i < 200; i++) text += "ž";
  ok("task.create", R"({"id":"a","title":")" + text + "needle" + text + "\"}");
  const Json answer = ask_ok("task.search", R"({"text":"needle"})");
  const Json& match =
      answer.find("items")->as_array()->front().find("matches")->as_array()->front();
  const std::string snippet(match.string_or("text"));
  EXPECT_TRUE(parse_json("\"" + snippet + "\"").ok()) << snippet;
  EXPECT_NE(snippet.find("needle"), std::string::npos);
  EXPECT_LT(snippet.size(), 200u);
}

TEST_F(QuestionsTest, OverviewIsOfWhoAsks) {
  act_as("claude", "s1");
  create("mine", R"("assignee":"claude")");
  create("free");
  create("stuck");
  ok("task.block", R"({"id":"stuck","reason":"r"})");
  ok("task.claim", R"({"id":"free"})");
  const Json answer = ask_ok("task.overview", "{}");
  const auto total = [&](std::string_view section) {
    return to_string(*answer.find(section)->find("total"));
  };
  EXPECT_EQ(total("mine"), "2");
  EXPECT_EQ(total("ready"), "1");
  EXPECT_EQ(total("blocked"), "1");
  EXPECT_EQ(total("overdue"), "0");
}

TEST_F(QuestionsTest, SprintsAreNamedByTimeToo) {
  ok("sprint.start", R"({"id":"S-1"})");
  create("a", R"("sprint_id":"S-1")");
  pass(60);
  ok("sprint.end", R"({"id":"S-1"})");
  ok("sprint.start", R"({"id":"S-2"})");
  create("b", R"("sprint_id":"S-2","story_points":3)");
  EXPECT_EQ(ids("task.list", R"({"sprint":"last"})"), "a");
  EXPECT_EQ(ids("task.list", R"({"sprint":"current"})"), "b");
  EXPECT_EQ(traceql(R"({"sprint":"last"})"),
            R"({ span.task.status != nil && span.project.id = "p" && span.sprint.id = "S-1" })");
}

TEST_F(QuestionsTest, DeletedOnesAreListedWhenAskedFor) {
  create("a");
  create("b");
  ok("task.delete", R"({"id":"a"})");
  EXPECT_EQ(ids("task.list", "{}"), "b");
  EXPECT_EQ(ids("task.list", R"({"deleted":true})"), "a");
  EXPECT_EQ(ids("task.tree", "{}"), "b");
  EXPECT_EQ(ids("task.search", R"({"text":"a"})"), "");
}

TEST_F(QuestionsTest, ImportedTasksSayWhereTheyComeFrom) {
  EXPECT_EQ(refused("task.list", R"({"type":"nope"})").code, Code::invalid_argument);
  fails("task.import", R"({"id":"a","title":"a"})");
  ok("task.import", R"({"id":"a","title":"a","source":"tracker X","source_time":"2026-01-05"})");
  const Json history = ask_ok("task.history", R"({"id":"a"})");
  const Json& event = history.find("items")->as_array()->front();
  EXPECT_EQ(event.string_or("event"), "task.imported");
  EXPECT_EQ(event.string_or("source_time"), "2026-01-05T00:00:00Z");
  EXPECT_EQ(event.string_or("words"), "imported as todo (task) from tracker X");
  expect_rebuilds();
}

TEST_F(QuestionsTest, OwnWordsAreKnownToEveryFilter) {
  const Vocabulary own{{"chore"}, {{"qa", "in_review"}, {"stuck", "blocked"}}};
  const auto asked = [&](std::string_view op, std::string_view args, const Vocabulary& vocabulary) {
    return ask(journal, journal, Question{std::string(op), "p", parse(args), actor, vocabulary});
  };
  // Not in use yet: the sender's words are enough.
  for (const char* op : {"task.list", "task.ready", "task.blocked", "task.tree", "task.stale"}) {
    EXPECT_TRUE(asked(op, R"({"type":"chore"})", own).ok()) << op;
    EXPECT_EQ(asked(op, R"({"type":"chore"})", {}).error().code, Code::invalid_argument) << op;
  }
  EXPECT_TRUE(asked("task.list", R"({"status":["qa","stuck"]})", own).ok());
  EXPECT_EQ(asked("task.list", R"({"status":"qa"})", {}).error().code, Code::invalid_argument);
  Command claim = command("task.claim_ready", R"({"type":"chore"})");
  EXPECT_FALSE(run(claim).ok());
  act_as("claude", "s1");
  claim = command("task.claim_ready", R"({"type":"chore"})");
  claim.vocabulary = own;
  EXPECT_TRUE(ok(claim).find("task")->is_null());
  // In use: anybody's.
  Command make = command("task.create", R"({"id":"w","title":"w","type":"chore"})");
  make.vocabulary = own;
  ok(make);
  EXPECT_EQ(to_string(*asked("task.ready", R"({"type":"chore"})", {})->find("total")), "1");
}

TEST_F(QuestionsTest, BlockedHasOwnStatusesThatBehaveLikeIt) {
  create("a");
  create("b");
  create("c");
  ok("task.block", R"({"id":"a","reason":"r"})");
  Command move = command("task.status", R"({"id":"b","status":"stuck"})");
  move.vocabulary.statuses = {{"stuck", "blocked"}};
  ok(move);
  const Json blocked = ask_ok("task.blocked", "{}");
  EXPECT_EQ(to_string(*blocked.find("total")), "2");
  EXPECT_EQ(blocked.string_or("traceql"),
            R"({ (span.task.status = "blocked" || span.task.base_status = "blocked") && )"
            R"(span.project.id = "p" && span.contextcore.open = true })");
  EXPECT_EQ(to_string(*ask_ok("task.overview", "{}").find("blocked")->find("total")), "2");
}

TEST_F(QuestionsTest, EveryQuestionCanBeAskedOfThePast) {
  create("a");
  const std::string then = format_rfc3339(journal.now);
  pass(60);
  ok("task.block", R"({"id":"a","reason":"r"})");
  EXPECT_EQ(ids("task.blocked", "{}"), "a");
  EXPECT_EQ(ids("task.blocked", R"({"as_of":")" + then + "\"}"), "");
  EXPECT_EQ(ids("task.ready", R"({"as_of":")" + then + "\"}"), "a");
  EXPECT_EQ(ids("task.tree", R"({"as_of":")" + then + "\"}"), "a");
  const Json answer = ask_ok("task.list", R"({"as_of":")" + then + "\"}");
  EXPECT_EQ(to_string(*answer.find("not_in_traceql")), R"(["as_of"])");
}

}  // namespace
}  // namespace contextcore::work::testing
