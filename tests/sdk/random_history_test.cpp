// Random histories through the real store: many processes tell the same story as one, an import
// anew changes nothing, a rebuild is the original, an import elsewhere is too.

#include <set>

#include "base/sim_file_system.h"
#include "base/time.h"
#include "sdk/backend.h"
#include "work/random_changes.h"

namespace contextcore::sdk {
namespace {

constexpr int kSeeds = 6;
constexpr int kSteps = 150;

// The commands are made without a store, by the work room's generator.
class RandomHistoryTest : public work::testing::RandomChangeTest {
 protected:
  std::unique_ptr<Backend> open(const std::string& path) {
    processes_.push_back(disk_.start_process());
    BackendOptions options;
    options.store = path;
    options.file_system = processes_.back().get();
    options.clock = &clock_;
    options.random = &random_;
    return Backend::make(std::move(options));
  }
  work::Command next_command(SeededRandom& random) {
    act_as(pick(random, {"claude", "other"}), pick(random, {"s1", "s2", "s3"}));
    clock_.advance_ns(static_cast<int64_t>(1 + random.below(30)) * kSecondNs);
    work::Command next = any_command(random);
    if (random.below(10) == 0)
      next.time_ns = clock_.wall_ns() - static_cast<int64_t>(random.below(100)) * kSecondNs;
    return next;
  }
  void fill(Backend& backend, uint64_t seed) {
    SeededRandom random(seed);
    for (int step = 0; step < kSteps; step++) (void)backend.command(next_command(random));
  }
  static std::string told(const Result<Json>& answer) {
    return answer.ok() ? contextcore::to_string(*answer) : answer.error().to_string();
  }
  Json ask(Backend& backend, const std::string& op, JsonObject args) {
    work::Question question;
    question.op = op;
    question.project = project;
    question.args = Json(std::move(args));
    const auto answer = backend.question(question);
    EXPECT_TRUE(answer.ok()) << op << ": " << answer.error().to_string();
    return answer.ok() ? *answer : Json();
  }
  std::string exported(Backend& backend) {
    const Json answer = ask(backend, "log.export", {{"limit", 100'000}});
    std::string out;
    for (const Json& event : *answer.find("items")->as_array())
      out += contextcore::to_string(event) + "\n";
    return out;
  }
  // Every trace that an event was ever written in, and where it leads now.
  std::map<std::string, std::set<std::string>> traces(Backend& backend, const std::string& log) {
    std::map<std::string, std::set<std::string>> out;
    static constexpr std::string_view kKey = "\"trace_id\":\"";
    for (size_t at = log.find(kKey); at != std::string::npos; at = log.find(kKey, at + 1)) {
      const std::string hex = log.substr(at + kKey.size(), 32);
      if (out.contains(hex)) continue;
      otlp::TraceId id;
      EXPECT_TRUE(otlp::parse_hex(hex, id));
      const auto trace = backend.trace(id);
      EXPECT_TRUE(trace.ok());
      std::set<std::string>& spans = out[hex];
      if (!trace.ok() || !*trace) continue;
      for (const auto& resource : (*trace)->resource_spans) {
        for (const auto& scope : resource.scope_spans) {
          for (const auto& span : scope.spans)
            spans.insert(otlp::to_hex(span.trace_id) + " " + otlp::to_hex(span.span_id));
        }
      }
    }
    return out;
  }
  static void expect_original(Backend& backend) {
    const auto rebuilt = backend.rebuild();
    ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().to_string();
    EXPECT_EQ(*rebuilt->find("changed")->as_int(), 0);
    EXPECT_EQ(*rebuilt->find("forwards")->as_int(), 0);
  }

  ManualClock clock_{1'795'000'000'000'000'000};
  SeededRandom random_{1};
  SimDisk disk_{1, &clock_};
  std::vector<std::unique_ptr<SimFileSystem>> processes_;
};

TEST_F(RandomHistoryTest, ManyProcessesTellTheSameStoryAsOne) {
  int written = 0;
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SCOPED_TRACE(seed);
    const auto one = open("/one" + std::to_string(seed));
    const std::string shared = "/many" + std::to_string(seed);
    std::vector<std::unique_ptr<Backend>> many;
    for (int i = 0; i < 3; i++) many.push_back(open(shared));
    SeededRandom random(seed), turns(seed + 100);
    for (int step = 0; step < kSteps; step++) {
      const work::Command next = next_command(random);
      const auto answer = one->command(next);
      written += answer.ok() ? 1 : 0;
      ASSERT_EQ(told(many[turns.below(many.size())]->command(next)), told(answer)) << next.op;
    }
    const std::string log = exported(*one);
    for (const auto& process : many) {
      ASSERT_EQ(exported(*process), log);
      EXPECT_EQ(ask(*process, "task.list", {{"limit", 1000}}),
                ask(*one, "task.list", {{"limit", 1000}}));
    }
    EXPECT_EQ(traces(*many[0], log), traces(*one, log));
  }
  EXPECT_GT(written, kSeeds * kSteps / 6);
}

// In lines of the log, or in the columns of many files, whose events may lie in another order than they happened.
TEST_F(RandomHistoryTest, ThePastIsTheSameHoweverTheLogLies) {
  size_t answered = 0;
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SCOPED_TRACE(seed);
    const auto lines = open("/lines" + std::to_string(seed));
    const auto columns = open("/columns" + std::to_string(seed));
    const int64_t begin_ns = clock_.wall_ns();
    SeededRandom random(seed);
    for (int step = 0; step < kSteps; step++) {
      const work::Command next = next_command(random);
      ASSERT_EQ(told(columns->command(next)), told(lines->command(next))) << next.op;
      if (random.below(12) != 0) continue;
      ASSERT_TRUE(columns->flush().ok());
    }
    ASSERT_TRUE(columns->flush().ok());
    for (int look = 0; look < 60; look++) {
      const int64_t then = begin_ns + static_cast<int64_t>(random.below(static_cast<uint64_t>(clock_.wall_ns() - begin_ns + 1)));
      work::Question question;
      question.project = project;
      question.op = pick(random, {"task.list", "task.list", "task.get", "task.get", "task.blocked", "task.tree", "task.ready",
                                  "task.why", "sprint.list", "insight.query", "project.list"});
      JsonObject args{{pick(random, {"as_of", "as_of", "known_at"}), format_rfc3339(then)}};
      if (question.op == "task.get" || question.op == "task.why") args.emplace_back("id", task(random));
      if (question.op == "task.list") args.emplace_back("sort", pick(random, {"updated", "due", "priority", "id"}));
      if (question.op == "task.list") args.emplace_back("limit", int64_t{2} + static_cast<int64_t>(random.below(50)));
      question.args = Json(std::move(args));
      const auto answer = lines->question(question);
      ASSERT_EQ(told(columns->question(question)), told(answer)) << question.op << contextcore::to_string(question.args);
      const auto text = columns->question_text(question);
      ASSERT_EQ(text.ok() ? "{" + *text + "}" : text.error().to_string(), told(answer));
      answered += answer.ok() ? 1 : 0;
    }
  }
  EXPECT_GT(answered, kSeeds * 30u);
}

TEST_F(RandomHistoryTest, WhatIsImportedAgainChangesNothingAndElsewhereIsTheSame) {
  for (uint64_t seed = 0; seed < kSeeds; seed++) {
    SCOPED_TRACE(seed);
    const auto from = open("/from" + std::to_string(seed));
    fill(*from, seed);
    const std::string log = exported(*from);
    const Json before = ask(*from, "task.list", {{"limit", 1000}});
    const auto again = from->import_events(log);
    ASSERT_TRUE(again.ok()) << again.error().to_string();
    EXPECT_EQ(*again->find("imported")->as_int(), 0);
    EXPECT_EQ(*again->find("spans")->as_int(), 0);
    EXPECT_EQ(exported(*from), log);
    EXPECT_EQ(ask(*from, "task.list", {{"limit", 1000}}), before);
    expect_original(*from);

    const auto to = open("/to" + std::to_string(seed));
    ASSERT_TRUE(to->import_events(log).ok());
    EXPECT_EQ(exported(*to), log);
    EXPECT_EQ(traces(*to, log), traces(*from, log));
    expect_original(*to);
  }
}

TEST_F(RandomHistoryTest, ATraceThatWasLeftIsFoundAfterARebuildAndAnImport) {
  const auto from = open("/from"), to = open("/to");
  ASSERT_TRUE(from->command(command("task.create", R"({"id":"t","title":"t"})")).ok());
  clock_.advance_ns(kSecondNs);
  ASSERT_TRUE(from->command(command("task.create", R"({"id":"e","title":"e"})")).ok());
  clock_.advance_ns(kSecondNs);
  ASSERT_TRUE(from->command(command("task.parent", R"({"id":"t","parent_id":"e"})")).ok());
  const std::string log = exported(*from);
  const auto there = traces(*from, log);
  ASSERT_EQ(there.size(), 2u);
  EXPECT_EQ(there.begin()->second, there.rbegin()->second);
  EXPECT_EQ(there.begin()->second.size(), 4u);  // two tasks, a phase of each
  ASSERT_TRUE(to->import_events(log).ok());
  EXPECT_EQ(traces(*to, log), there);
  expect_original(*to);
}

}  // namespace
}  // namespace contextcore::sdk
