// As of, known at, history and diff.

#include <algorithm>

#include "random_changes.h"
#include "work/row.h"

namespace contextcore::work::testing {
namespace {

class TimeTravelTest : public RandomChangeTest {
 protected:
  std::string at(int64_t time_ns) { return quoted(format_rfc3339(time_ns)); }
  // Every answer about the present, without what leases do (they are not in the log).
  std::map<std::string, std::string> answers(const std::string& moment) {
    std::map<std::string, std::string> out;
    const auto keep = [&](const std::string& op, const std::string& args) {
      const std::string separator = args.empty() || moment.empty() ? "" : ",";
      Question question{op, project, parse("{" + args + separator + moment + "}"), actor};
      const auto answer = ask(journal, journal, question);
      ASSERT_TRUE(answer.ok()) << op << " " << args << moment << ": " << answer.error().to_string();
      out[op + " " + args] = without_claims(*answer);
    };
    keep("task.list", "\"limit\":100");
    keep("task.list", "\"limit\":100,\"deleted\":true");
    keep("task.tree", "");
    keep("task.blocked", "");
    keep("sprint.list", "");
    keep("project.list", "");
    keep("insight.query", "\"status\":\"all\"");
    return out;
  }
  static std::string without_claims(const Json& json) {
    std::string out;
    append(json, out);
    return out;
  }
  static void append(const Json& json, std::string& out) {
    if (const JsonArray* array = json.as_array()) {
      for (const Json& item : *array) append(item, out += "\n");
    } else if (const JsonObject* object = json.as_object()) {
      for (const auto& [key, value] : *object) {
        if (key == "claim" || key == "ready" || key == "not_in_traceql") continue;
        out += " " + key + "=";
        append(value, out);
      }
    } else {
      out += to_string(json);
    }
  }
};

TEST_F(TimeTravelTest, AsOfShowsTheStateThen) {
  create("a", R"("assignee":"bob")");
  const int64_t created = journal.now;
  pass(60);
  ok("task.start", R"({"id":"a"})");
  pass(60);
  ok("task.complete", R"({"id":"a"})");
  pass(60);
  const auto status = [&](int64_t time_ns) {
    return *ask_ok("task.get", R"({"id":"a","as_of":)" + at(time_ns) + "}")
                .find("status")
                ->as_string();
  };
  EXPECT_EQ(status(created), "todo");
  EXPECT_EQ(status(created + 59 * kSecondNs), "todo");
  EXPECT_EQ(status(created + 60 * kSecondNs), "in_progress");
  EXPECT_EQ(status(created + 120 * kSecondNs), "done");
  EXPECT_EQ(*get("a").find("status")->as_string(), "done");
}

TEST_F(TimeTravelTest, BeforeItsCreationATaskIsNotFound) {
  pass(60);
  create("a");
  Question question{"task.get", "p", parse(R"({"id":"a","as_of":)" + at(journal.now - 1) + "}"),
                    actor};
  const auto answer = ask(journal, journal, question);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::not_found);
  EXPECT_NE(answer.error().message.find(" at 20"), std::string::npos) << answer.error().message;
}

TEST_F(TimeTravelTest, ATimeToComeIsRefused) {
  create("a");
  Question question{"task.list", "p", parse(R"({"as_of":"in 2h"})"), actor};
  EXPECT_EQ(ask(journal, journal, question).error().code, Code::invalid_argument);
}

TEST_F(TimeTravelTest, KnownAtLooksAtWhenItWasWritten) {
  Command late = command("task.create", R"({"id":"a","title":"a"})");
  late.time_ns = journal.now - 3600 * kSecondNs;
  ok(late);
  const int64_t written = journal.now;
  pass(60);
  const auto total = [&](const std::string& moment) {
    return to_string(*ask_ok("task.list", "{" + moment + "}").find("total"));
  };
  EXPECT_EQ(total("\"as_of\":" + at(written - 1800 * kSecondNs)), "1");
  EXPECT_EQ(total("\"known_at\":" + at(written - 1800 * kSecondNs)), "0");
  EXPECT_EQ(total("\"known_at\":" + at(written)), "1");
  EXPECT_EQ(
      total("\"as_of\":" + at(written - 1800 * kSecondNs) + ",\"known_at\":" + at(written - 1)),
      "0");
}

TEST_F(TimeTravelTest, TheHolderIsShownFromClaimToRelease) {
  create("a");
  act_as("claude", "s1");
  ok("task.claim", R"({"id":"a","lease_seconds":10})");
  const int64_t claimed = journal.now;
  pass(3600);
  const Json then =
      ask_ok("task.get", R"({"id":"a","as_of":)" + at(claimed + 60 * kSecondNs) + "}");
  ASSERT_NE(then.find("claim"), nullptr);
  EXPECT_EQ(then.find("claim")->string_or("claimed_by"), "claude");
  EXPECT_EQ(then.find("claim")->find("lease_end"), nullptr);
  EXPECT_EQ(get("a").find("claim"), nullptr);
}

TEST_F(TimeTravelTest, CountsAndDependenciesAreOfThatTime) {
  create("epic");
  create("far");
  create("child", R"("parent_id":"epic","depends_on":["far"])");
  const int64_t before = journal.now;
  pass(60);
  ok("task.complete", R"({"id":"far"})");
  ok("task.complete", R"({"id":"child"})");
  const std::string moment = ",\"as_of\":" + at(before) + "}";
  EXPECT_EQ(to_string(*ask_ok("task.get", R"({"id":"epic")" + moment).find("subtask_completed")),
            "0");
  EXPECT_EQ(to_string(*ask_ok("task.get", R"({"id":"child")" + moment).find("waiting_on")),
            R"(["far"])");
  EXPECT_EQ(field("epic", "subtask_completed"), "1");
}

TEST_F(TimeTravelTest, ADependencyOfAnotherProjectIsOfThatTimeToo) {
  create("here");
  project = "other";
  create("far");
  project = "p";
  ok("task.depend", R"({"id":"here","on":"far","target_project_id":"other"})");
  const std::string moment = ",\"as_of\":" + at(journal.now) + "}";
  pass(60);
  project = "other";
  ok("task.complete", R"({"id":"far"})");
  project = "p";
  EXPECT_EQ(field("here", "ready"), "true");
  EXPECT_EQ(to_string(*ask_ok("task.get", R"({"id":"here")" + moment).find("ready")), "false");
  const Json why = ask_ok("task.why", R"({"id":"here")" + moment);
  EXPECT_EQ(why.find("reasons")->as_array()->front().string_or("status"), "todo");
}

TEST_F(TimeTravelTest, KnownAtAnyStepOfAnyHistoryIsTheStateThen) {
  for (uint64_t seed = 0; seed < 12; seed++) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    const int64_t start = journal.now;
    journal = MemoryJournal();
    journal.now = start;
    std::vector<std::pair<int64_t, std::map<std::string, std::string>>> states;
    for (int step = 0; step < 40; step++) {
      act_as(pick(random, {"claude", "other"}), pick(random, {"s1", "s2"}));
      journal.now += static_cast<int64_t>(1 + random.below(30)) * kSecondNs;
      (void)run(any_command(random));
      if (step % 4 == 0) states.emplace_back(journal.now, answers(""));
    }
    for (const auto& [time_ns, state] : states) {
      SCOPED_TRACE(time_ns);
      ASSERT_EQ(answers("\"known_at\":" + at(time_ns)), state);
      ASSERT_EQ(answers("\"as_of\":" + at(time_ns)), state);
    }
  }
}

TEST_F(TimeTravelTest, AChildThatHasLeftCountsWhereItWas) {
  create("a");
  create("b", R"("parent_id":"a")");
  const int64_t then = journal.now;
  pass(60);
  ok("task.parent", R"({"id":"b","parent_id":null})");
  EXPECT_EQ(*ask_ok("task.get", R"({"id":"a","as_of":)" + at(then) + "}").find("subtask_count")->as_int(), 1);
  EXPECT_EQ(*ask_ok("task.get", R"({"id":"a"})").find("subtask_count")->as_int(), 0);
}

// Where the project is named a task is folded alone; without it, with the whole project.
TEST_F(TimeTravelTest, ATaskAloneIsWhatItIsInItsProject) {
  size_t found = 0;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    journal = MemoryJournal();
    const int64_t begin = journal.now;
    for (int step = 0; step < 150; ++step) {
      pass(random.below(3));
      (void)run(any_command(random));
    }
    for (int look = 0; look < 150; ++look) {
      const int64_t then = begin + static_cast<int64_t>(random.below(static_cast<uint64_t>(journal.now - begin + 1)));
      const std::string moment = std::string(random.below(3) == 0 ? "known_at" : "as_of") + "\":" + at(then);
      const std::string args = "{\"id\":" + quoted(task(random)) + ",\"events\":true,\"" + moment + "}";
      const auto alone = ask(journal, journal, Question{"task.get", project, parse(args), actor});
      const auto whole = ask(journal, journal, Question{"task.get", "", parse(args), actor});
      const auto text = [](const Result<Json>& answer) { return answer.ok() ? to_string(*answer) : "none"; };
      ASSERT_EQ(text(alone), text(whole)) << args;
      found += alone.ok() ? 1 : 0;
    }
  }
  EXPECT_GT(found, 100u);
}

TEST_F(TimeTravelTest, AnAnswerAsTextIsTheAnswer) {
  SeededRandom random(7);
  for (int step = 0; step < 150; ++step) {
    pass(random.below(3));
    (void)run(any_command(random));
  }
  const std::string then = ",\"as_of\":" + at(journal.now - 60 * kSecondNs);
  for (const std::string& moment : {std::string(), then}) {
    for (const std::string_view op : {"task.list", "task.blocked", "task.ready", "task.list"}) {
      const Question question{std::string(op), project, parse("{\"limit\":20" + moment + "}"), actor};
      std::string text = "{";
      ASSERT_TRUE(ask_text(journal, journal, question, text).ok());
      EXPECT_EQ(text + "}", to_string(*ask(journal, journal, question))) << op << moment;
    }
  }
  std::string text;
  EXPECT_EQ(ask_text(journal, journal, Question{"task.list", project, parse(R"({"limit":0})"), actor}, text).error().code,
            Code::invalid_argument);
}

TEST_F(TimeTravelTest, ShownMembersAreThoseOfTheWholeAnswer) {
  create("a", R"("assignee":"bob","labels":["x","y"])");
  create("b", R"("parent_id":"a","description":"long")");
  const Question question{"task.list", project, parse("{}"), actor};
  const std::vector<std::string_view> shown = {"id", "assignee", "labels", "created"};
  const Json whole = *ask(journal, journal, question), part = *ask(journal, journal, question, shown);
  EXPECT_EQ(*part.find("total"), *whole.find("total"));
  const JsonArray& items = *part.find("items")->as_array();
  ASSERT_EQ(items.size(), 2u);
  for (size_t i = 0; i < items.size(); ++i) {
    for (const auto& [name, value] : *(*whole.find("items")->as_array())[i].as_object()) {
      const bool is_shown = std::find(shown.begin(), shown.end(), name) != shown.end();
      const Json* found = items[i].find(name);
      ASSERT_EQ(found != nullptr, is_shown) << name;
      EXPECT_EQ(is_shown ? *found : Json(), is_shown ? value : Json()) << name;
    }
  }
}

TEST_F(TimeTravelTest, TheKeyOfATaskIsThatOfItsRow) {
  SeededRandom random(3);
  for (int step = 0; step < 200; ++step) {
    pass(random.below(3));
    (void)run(any_command(random));
  }
  size_t tasks = 0;
  journal.index().scan([&](const store::WorkRow& row) {
    if (row.kind != store::WorkKind::task) return true;
    const auto span = journal.span(row.span_id);
    const Task task = *task_from_span(**span);
    EXPECT_EQ(key_of(task), store::WorkKey::of(row_of(task))) << row.id;
    ++tasks;
    return true;
  });
  EXPECT_GT(tasks, 3u);
}

TEST_F(TimeTravelTest, HistoryTellsEveryEventInWords) {
  create("a");
  pass(7200);
  ok("task.start", R"({"id":"a"})");
  ok("task.comment", R"({"id":"a","text":"hello"})");
  const Json history = ask_ok("task.history", R"({"id":"a"})");
  EXPECT_EQ(to_string(*history.find("total")), "3");
  std::string words;
  for (const Json& event : *history.find("items")->as_array())
    words += std::string(event.string_or("words")) + "\n";
  EXPECT_EQ(words, "created as todo (task)\ntodo → in_progress after 2h\ncomment: hello\n");
  EXPECT_EQ(
      to_string(
          *ask_ok("task.history", R"({"id":"a","to":)" + at(journal.now - 1) + "}").find("total")),
      "1");
}

TEST_F(TimeTravelTest, DiffTellsTheNetChangeOfEachTask) {
  create("a", R"("assignee":"bob")");
  create("b");
  const int64_t from = journal.now;
  pass(60);
  ok("task.start", R"({"id":"a"})");
  ok("task.complete", R"({"id":"a"})");
  ok("task.assign", R"({"id":"b","assignee":"eve"})");
  ok("task.assign", R"({"id":"b","assignee":null})");
  create("c");
  const int64_t to = journal.now;
  pass(60);
  ok("task.cancel", R"({"id":"b"})");
  const Json diff = ask_ok("project.diff", R"({"from":)" + at(from) + R"(,"to":)" + at(to) + "}");
  EXPECT_EQ(to_string(*diff.find("total")), "3");
  std::string changes;
  for (const Json& task : *diff.find("items")->as_array())
    changes += std::string(task.string_or("id")) + " " + to_string(*task.find("changes")) + "\n";
  EXPECT_EQ(changes, R"(a [{"field":"status","from":"todo","to":"done"}]
b []
c [{"field":"status","to":"todo"}]
)");
}

TEST_F(TimeTravelTest, ADiffNeedsATimeToStartFrom) {
  Question question{"project.diff", "p", parse(R"({"to":"now"})"), actor};
  EXPECT_EQ(ask(journal, journal, question).error().code, Code::invalid_argument);
  question.args = parse(R"({"from":"now","to":"2d ago"})");
  EXPECT_EQ(ask(journal, journal, question).error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace contextcore::work::testing
