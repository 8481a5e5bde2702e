// Random histories: whatever is done, the stored spans are the fold of the log lines, revisions and
// times never go back, errors write nothing, and every command gives the same result when it is
// repeated.

#include <gtest/gtest.h>

#include <sstream>

#include "random_changes.h"
#include "work/ids.h"
#include "work/names.h"

namespace contextcore::work::testing {
namespace {

class HistoryTest : public RandomChangeTest {
 protected:
  std::string state(const std::string& id);
  static std::string own_values(const std::string& state);
  int64_t revision(const std::string& id);
  void check_order() {
    std::map<otlp::SpanId, std::tuple<int64_t, int64_t, uint64_t>> last;
    for (const auto& event : journal.events_written) {
      const auto number = [&](std::string_view key) {
        return *otlp::find(event.record.attributes, key)->as_int();
      };
      const auto& [revision, seq, time] = last[event.record.span_id];
      const std::pair now(number("revision"), number("event_seq"));
      ASSERT_GT(now, std::pair(revision, seq)) << event.record.event_name;
      ASSERT_GE(event.record.time_ns, time);
      last[event.record.span_id] = {now.first, now.second, event.record.time_ns};
    }
  }
};

TEST_F(HistoryTest, AnyHistoryIsTheFoldOfItsEvents) {
  int succeeded = 0;
  for (uint64_t seed = 0; seed < 60; seed++) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    const int64_t start = journal.now;
    journal = MemoryJournal();
    journal.now = start;
    for (int step = 0; step < 120; step++) {
      act_as(pick(random, {"claude", "other"}), pick(random, {"s1", "s2", "s3"}));
      // The clock steps back now and then; some times are given.
      journal.now += static_cast<int64_t>(random.below(30)) * kSecondNs -
                     (random.below(10) == 0 ? 60 * kSecondNs : 0);
      Command next = any_command(random);
      if (random.below(10) == 0)
        next.time_ns = journal.now - static_cast<int64_t>(random.below(100)) * kSecondNs;
      const size_t events = mark();
      const auto rows = journal.rows;
      const auto spans = journal.spans.size();
      const auto result = run(next);
      if (!result.ok()) {
        ASSERT_EQ(events, mark());
        ASSERT_EQ(rows, journal.rows);
        ASSERT_EQ(spans, journal.spans.size());
        ASSERT_NE(result.error().code, Code::corruption) << result.error().to_string();
        ASSERT_NE(result.error().code, Code::internal) << result.error().to_string();
        continue;
      }
      succeeded++;
      ASSERT_EQ(*parse(*result).find("changed")->as_bool(), events != mark());
      const auto again = run(next);
      ASSERT_TRUE(again.ok());
      ASSERT_EQ(*again, *result);
    }
    check_order();
    expect_rebuilds();
    if (HasFailure()) return;
  }
  EXPECT_GT(succeeded, 1000);
}

// What undo promises to give back: all but what every change moves on, the claim (it may be
// somebody else's turn) and the end's own time. Absent: "".
std::string HistoryTest::state(const std::string& id) {
  Question question{"task.get", project, parse("{\"id\":" + quoted(id) + "}"), actor, {}};
  const auto answer = ask(journal, journal, question);
  if (!answer.ok()) return {};
  static constexpr std::array<std::string_view, 8> kMoved = {
      "revision", "updated", "phases", "claim", "ready", "ended", "trace_id", "parent_span_id"};
  std::string out;
  for (const auto& [name, value] : *answer->as_object()) {
    if (std::find(kMoved.begin(), kMoved.end(), name) == kMoved.end())
      out += name + "=" + to_string(value) + "\n";
  }
  return out;
}

std::string HistoryTest::own_values(const std::string& state) {
  std::istringstream lines(state);
  std::string line, out;
  while (std::getline(lines, line)) {
    const bool derived = line.starts_with("percent_complete=") || line.starts_with("subtask_") ||
                         line.starts_with("waiting_on=");
    if (!derived) out += line + "\n";
  }
  return out;
}

int64_t HistoryTest::revision(const std::string& id) {
  const auto row = journal.rows.find(span_id("task", project, id));
  return row == journal.rows.end() ? 0 : row->second.revision;
}

TEST_F(HistoryTest, UndoOfAnyChangeIsTheStateBefore) {
  std::map<std::string, int> undone;
  for (uint64_t seed = 0; seed < 120; seed++) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    const int64_t start = journal.now;
    journal = MemoryJournal();
    journal.now = start;
    for (int step = 0; step < 80; step++) {
      act_as(pick(random, {"claude", "other"}), "s1");
      journal.now += static_cast<int64_t>(random.below(30)) * kSecondNs;
      const Command next = any_command(random);
      const std::string id(next.args.string_or("id"));
      const std::string before = state(id);
      const int64_t revision_before = revision(id);
      if (!run(next).ok() || next.op == "batch" || next.args.find("subtree")) continue;
      if (revision_before == 0 || revision(id) == revision_before) continue;
      SCOPED_TRACE(next.op + " " + to_string(next.args));
      const MemoryJournal after = journal;
      const auto result = run(command("task.undo", "{\"id\":" + quoted(id) + "}"));
      if (result.ok()) {
        undone[next.op]++;
        // An end that is undone and given back is frozen anew, with what derives from children now.
        const bool frozen = before.find("open=false") != std::string::npos;
        ASSERT_EQ(frozen ? own_values(state(id)) : state(id), frozen ? own_values(before) : before);
        if (step % 8 == 0) expect_rebuilds();
      } else {
        // An event that leaves nothing behind, or a parent that has ended meanwhile.
        ASSERT_EQ(result.error().code, Code::failed_precondition) << result.error().to_string();
      }
      journal = after;
      if (HasFailure()) return;
    }
  }
  for (const char* op : {"task.status", "task.edit", "task.parent", "task.claim", "task.assign",
                         "task.reopen", "task.delete", "task.undo", "task.verify"})
    EXPECT_GT(undone[op], 0) << op;
}

TEST_F(HistoryTest, AChangedLineIsNoticed) {
  create("a");
  ok("task.complete", R"({"id":"a"})");
  journal.events_written[2].record.body = otlp::Value("{not json");
  EXPECT_EQ(rebuild(journal).error().code, Code::corruption);
  journal.events_written.erase(journal.events_written.begin());
  journal.events_written[1].record.body = otlp::Value("{}");
  EXPECT_FALSE(rebuild(journal).ok());
}

}  // namespace
}  // namespace contextcore::work::testing
