// What of a task leaves, and when: settle time and lives.

#include <gtest/gtest.h>

#include "export_kit.h"
#include "work/ids.h"

namespace contextcore::exporter::test {
namespace {

constexpr char kTask[] = "contextcore.task.task";

std::string text(const otlp::Span& span, std::string_view key) {
  return std::string(otlp::find_string(span.attributes, key));
}
int64_t life(const otlp::Span& span) {
  const otlp::Value* value = otlp::find(span.attributes, "task.life");
  return value && value->as_int() ? *value->as_int() : 0;
}

TEST(LivesTest, an_ended_task_leaves_after_the_settle_time_and_not_before) {
  Workshop shop;
  Outlet outlet(shop, Kind::traces);
  shop.run("task.create", R"({"id":"A","title":"first"})");
  shop.run("task.complete", R"({"id":"A"})");
  shop.wait(10 * kMinuteNs - 1);
  outlet.drain();
  EXPECT_TRUE(outlet.sender->taken.empty());
  shop.wait(2 * kSecondNs);
  outlet.drain();
  ASSERT_EQ(outlet.spans(kTask).size(), 1u);
  const otlp::Span& span = *outlet.spans(kTask)[0];
  EXPECT_EQ(span.span_id, work::span_id("task", "p", "A"));
  EXPECT_EQ(text(span, "task.status"), "done");
  EXPECT_EQ(span.status_code, otlp::StatusCode::ok);
  EXPECT_NE(span.end_ns, 0u);
  EXPECT_EQ(life(span), 0);
  // What only the journal needs stays at home, the answer's computed columns come along.
  EXPECT_EQ(otlp::find(span.attributes, "contextcore.updated_ns"), nullptr);
  ASSERT_NE(otlp::find(span.attributes, "contextcore.open"), nullptr);
  EXPECT_FALSE(*otlp::find(span.attributes, "contextcore.open")->as_bool());
  EXPECT_FALSE(span.events.empty());
  // The phase in which it was, below it.
  ASSERT_EQ(outlet.spans("contextcore.phase").size(), 1u);
  EXPECT_EQ(outlet.spans("contextcore.phase")[0]->parent_span_id, span.span_id);
  shop.wait(kDayNs);
  outlet.drain();
  EXPECT_EQ(outlet.sender->taken.size(), 2u) << "and never again";
}

TEST(LivesTest, undo_and_reopen_within_the_settle_time_cost_nothing) {
  for (const std::string back : {"task.undo", "task.reopen"}) {
    Workshop shop;
    Outlet outlet(shop, Kind::traces);
    shop.run("task.create", R"({"id":"A","title":"first"})");
    shop.run("task.complete", R"({"id":"A","outcome":"too early"})");
    shop.wait(9 * kMinuteNs);
    shop.run(back, R"({"id":"A"})");
    shop.wait(kHourNs);
    outlet.drain();
    EXPECT_TRUE(outlet.spans(kTask).empty()) << back;
    shop.run("task.complete", R"({"id":"A","outcome":"now"})");
    shop.wait(kHourNs);
    outlet.drain();
    ASSERT_EQ(outlet.spans(kTask).size(), 1u) << back;
    EXPECT_EQ(text(*outlet.spans(kTask)[0], "task.outcome"), "now");
    EXPECT_EQ(life(*outlet.spans(kTask)[0]), 0);
  }
}

TEST(LivesTest, a_reopening_after_the_settle_time_begins_a_second_life) {
  // Sent as it goes, or all of it later, when the back end is there again.
  for (const bool later : {false, true}) {
    Workshop shop;
    Outlet outlet(shop, Kind::traces);
    const auto drain = [&] {
      if (!later) outlet.drain();
    };
    shop.run("task.create", R"({"id":"A","title":"first"})");
    shop.run("task.complete", R"({"id":"A","outcome":"one"})");
    shop.wait(11 * kMinuteNs);
    drain();
    const int64_t reopened_ns = shop.clock.wall_ns();
    shop.run("task.reopen", R"({"id":"A"})");
    shop.run("task.edit", R"({"id":"A","title":"again"})");
    shop.wait(kMinuteNs);
    shop.run("task.complete", R"({"id":"A","outcome":"two"})");
    shop.wait(11 * kMinuteNs);
    drain();
    shop.run("task.reopen", R"({"id":"A"})");
    shop.run("task.fail", R"({"id":"A","reason":"three"})");
    shop.wait(11 * kMinuteNs);
    outlet.drain();
    const auto spans = outlet.spans(kTask);
    ASSERT_EQ(spans.size(), 3u);
    EXPECT_EQ(spans[0]->span_id, work::span_id("task", "p", "A"));
    EXPECT_EQ(text(*spans[0], "task.title"), "first");
    EXPECT_EQ(text(*spans[0], "task.outcome"), "one");
    EXPECT_EQ(spans[1]->span_id, work::life_span_id("task", "p", "A", 2));
    EXPECT_EQ(life(*spans[1]), 2);
    EXPECT_EQ(text(*spans[1], "task.title"), "again");
    EXPECT_EQ(spans[1]->start_ns, static_cast<uint64_t>(reopened_ns));
    EXPECT_EQ(life(*spans[2]), 3);
    EXPECT_EQ(spans[2]->status_code, otlp::StatusCode::error);
    for (size_t i = 1; i < 3; ++i) {
      ASSERT_EQ(spans[i]->links.size(), 1u);
      const otlp::SpanLink& link = spans[i]->links[0];
      EXPECT_EQ(link.span_id, spans[i - 1]->span_id);
      EXPECT_EQ(link.trace_id, spans[i - 1]->trace_id);
      EXPECT_EQ(otlp::find_string(link.attributes, "type"), "continues");
      EXPECT_EQ(otlp::find_string(link.attributes, "task.id"), "A");
      EXPECT_EQ(otlp::find_string(link.attributes, "project.id"), "p");
    }
    // Each life has the events of its own, and the phases that began in it.
    for (const otlp::Span* span : spans) {
      for (const otlp::SpanEvent& event : span->events) {
        EXPECT_GE(event.time_ns, span->start_ns);
        EXPECT_LE(event.time_ns, span->end_ns);
      }
    }
    std::map<otlp::SpanId, int> phases;
    for (const otlp::Span* phase : outlet.spans("contextcore.phase"))
      ++phases[phase->parent_span_id];
    for (const otlp::Span* span : spans) EXPECT_EQ(phases[span->span_id], 1);
  }
}

TEST(LivesTest, a_reopening_taken_back_at_once_still_leaves_one_more_life) {
  Workshop shop;
  Outlet outlet(shop, Kind::traces);
  shop.run("task.create", R"({"id":"A","title":"first"})");
  shop.run("task.complete", R"({"id":"A"})");
  shop.wait(kHourNs);
  outlet.drain();
  shop.run("task.reopen", R"({"id":"A"})");
  shop.run("task.undo", R"({"id":"A"})");
  shop.wait(kHourNs);
  outlet.drain();
  ASSERT_EQ(outlet.spans(kTask).size(), 2u);
  EXPECT_EQ(life(*outlet.spans(kTask)[1]), 2);
}

TEST(LivesTest, a_deleted_task_leaves_when_it_is_brought_back) {
  Workshop shop;
  Outlet outlet(shop, Kind::traces);
  shop.run("task.create", R"({"id":"A","title":"first"})");
  shop.run("task.complete", R"({"id":"A"})");
  shop.wait(kMinuteNs);
  shop.run("task.delete", R"({"id":"A"})");
  shop.wait(kDayNs);
  outlet.drain();
  EXPECT_TRUE(outlet.sender->taken.empty());
  shop.run("task.undelete", R"({"id":"A"})");
  shop.wait(kMinuteNs);
  outlet.drain();
  EXPECT_TRUE(outlet.sender->taken.empty()) << "it settles anew";
  shop.wait(kHourNs);
  outlet.drain();
  EXPECT_EQ(outlet.spans(kTask).size(), 1u);
  EXPECT_EQ(outlet.spans("contextcore.phase").size(), 1u);
  // Once it has left, being deleted and brought back changes nothing there.
  shop.run("task.delete", R"({"id":"A"})");
  shop.run("task.undelete", R"({"id":"A"})");
  shop.wait(kHourNs);
  outlet.drain();
  EXPECT_EQ(outlet.sender->taken.size(), 2u);
}

TEST(LivesTest, phases_leave_while_their_task_is_open) {
  Workshop shop;
  Outlet outlet(shop, Kind::traces);
  shop.run("task.create", R"({"id":"A","title":"first"})");
  shop.wait(kMinuteNs);
  shop.run("task.status", R"({"id":"A","status":"in_progress"})");
  shop.run("task.block", R"({"id":"A","reason":"no keys"})");
  shop.wait(kHourNs);
  outlet.drain();
  const auto phases = outlet.spans("contextcore.phase");
  ASSERT_EQ(phases.size(), 2u);
  EXPECT_EQ(text(*phases[0], "phase.status"), "todo");
  EXPECT_EQ(text(*phases[1], "phase.status"), "in_progress");
  EXPECT_TRUE(outlet.spans(kTask).empty());
}

TEST(LivesTest, insights_leave_at_once_and_sprints_when_settled) {
  Workshop shop;
  Outlet outlet(shop, Kind::traces);
  shop.run("insight.emit", R"({"type":"decision","summary":"s","confidence":0.5})");
  shop.run("sprint.start", R"({"id":"S","name":"one"})");
  shop.run("sprint.end", R"({"id":"S"})");
  outlet.drain();
  ASSERT_EQ(outlet.spans("insight.decision").size(), 1u);
  EXPECT_TRUE(outlet.spans("contextcore.sprint").empty());
  const std::string id = text(*outlet.spans("insight.decision")[0], "insight.id");
  shop.run("insight.retract", R"({"id":")" + id + R"("})");
  outlet.drain();
  EXPECT_EQ(outlet.spans("contextcore.insight.retracted").size(), 1u);
  EXPECT_EQ(outlet.spans("insight.decision").size(), 1u);
  shop.wait(kHourNs);
  outlet.drain();
  EXPECT_EQ(outlet.spans("contextcore.sprint").size(), 1u);
}

TEST(LivesTest, a_long_description_is_cut_between_characters) {
  Workshop shop;
  Outlet outlet(shop, Kind::traces);
  std::string description(2047, 'x');
  description += "\xc3\xa4 and more";
  shop.run("task.create", R"({"id":"A","title":"t","description":")" + description + "\"}");
  shop.run("task.complete", R"({"id":"A"})");
  shop.wait(kHourNs);
  outlet.drain();
  ASSERT_EQ(outlet.spans(kTask).size(), 1u);
  EXPECT_EQ(text(*outlet.spans(kTask)[0], "task.description"), std::string(2047, 'x'));
}

TEST(LivesTest, a_changed_settle_time_holds_from_then_on) {
  Workshop shop;
  Outlet outlet(shop, Kind::traces);
  shop.run("task.create", R"({"id":"A","title":"first"})");
  shop.run("task.complete", R"({"id":"A"})");
  shop.wait(11 * kMinuteNs);
  outlet.drain();
  outlet.common.settle_ns = kHourNs;
  outlet.open();
  // Within the new settle time, but the first life has left under the old one.
  shop.wait(kMinuteNs);
  shop.run("task.reopen", R"({"id":"A"})");
  shop.run("task.complete", R"({"id":"A"})");
  shop.wait(11 * kMinuteNs);
  outlet.drain();
  EXPECT_EQ(outlet.spans(kTask).size(), 1u);
  shop.wait(kHourNs);
  outlet.drain();
  ASSERT_EQ(outlet.spans(kTask).size(), 2u);
  EXPECT_EQ(life(*outlet.spans(kTask)[1]), 2);
}

}  // namespace
}  // namespace contextcore::exporter::test
