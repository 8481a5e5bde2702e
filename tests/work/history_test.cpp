// Random histories: whatever is done, the stored spans are the fold of the log lines, revisions and
// times never go back, errors write nothing, and every command gives the same result when it is
// repeated.

#include <gtest/gtest.h>

#include "base/random.h"
#include "bench.h"
#include "work/names.h"

namespace contextcore::work::testing {
namespace {

class HistoryTest : public WorkTest {
 protected:
  std::string pick(SeededRandom& random, std::initializer_list<const char*> words) {
    return *(words.begin() + random.below(words.size()));
  }
  std::string task(SeededRandom& random) { return "t" + std::to_string(random.below(8)); }
  std::string quoted(const std::string& text) { return "\"" + text + "\""; }

  Command random_command(SeededRandom& random) {
    const std::string id = "{\"id\":" + quoted(task(random));
    switch (random.below(16)) {
      case 0:
      case 1: {
        std::string args = id + ",\"title\":\"t\",\"if_absent\":true";
        if (random.below(2) == 0) args += ",\"parent_id\":" + quoted(task(random));
        if (random.below(3) == 0) args += ",\"depends_on\":[" + quoted(task(random)) + "]";
        if (random.below(2) == 0) args += ",\"story_points\":" + std::to_string(random.below(5));
        if (random.below(4) == 0) args += ",\"attributes\":{\"x\":1.0,\"y\":[true,false]}";
        return command("task.create", args + "}");
      }
      case 2:
      case 3:
        return command("task.status",
                       id + ",\"status\":" +
                           quoted(pick(random, {"todo", "backlog", "in_progress", "in_review",
                                                "blocked", "done", "failed", "cancelled"})) +
                           "}");
      case 4:
        return command("task.block", id + ",\"reason\":\"r\",\"by\":" + quoted(task(random)) + "}");
      case 5:
        return command("task.unblock", id + "}");
      case 6:
        return command(pick(random, {"task.complete", "task.fail", "task.cancel"}), id + "}");
      case 7:
        return command("task.comment", id + ",\"text\":\"hello \\u0000 \\\"x\\\"\"}");
      case 8:
        return command("task.assign",
                       id + ",\"assignee\":" + pick(random, {"null", "\"bob\"", "\"eve\""}) + "}");
      case 9:
        return command("task.progress",
                       id + ",\"percent\":" + std::to_string(random.below(101)) + "}");
      case 10:
        return command("task.depend", id + ",\"on\":" + quoted(task(random)) + ",\"when\":" +
                                          quoted(pick(random, {"done", "ended", "failed"})) + "}");
      case 11:
        return command("task.undepend", id + ",\"on\":" + quoted(task(random)) + "}");
      case 12:
        return command("task.claim",
                       id + ",\"lease_seconds\":" + std::to_string(1 + random.below(100)) +
                           (random.below(3) == 0 ? ",\"steal\":true}" : "}"));
      case 13:
        return command(pick(random, {"task.heartbeat", "task.release"}), id + "}");
      case 14:
        return command("task.claim_ready", "{}");
      default:
        return command("insight.emit",
                       "{\"type\":\"lesson\",\"summary\":\"s\",\"confidence\":" +
                           pick(random, {"0", "0.5", "1"}) +
                           (random.below(2) == 0 ? ",\"task_id\":" + quoted(task(random)) : "") +
                           "}");
    }
  }

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
    for (int step = 0; step < 80; step++) {
      act_as(pick(random, {"claude", "other"}), pick(random, {"s1", "s2", "s3"}));
      // The clock steps back now and then; some times are given.
      journal.now += static_cast<int64_t>(random.below(30)) * kSecondNs -
                     (random.below(10) == 0 ? 60 * kSecondNs : 0);
      Command next = random_command(random);
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
