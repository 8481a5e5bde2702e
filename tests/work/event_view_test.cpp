// Events as folds see them.

#include "work/event_view.h"

#include <gtest/gtest.h>

#include "work/names.h"

namespace contextcore::work::testing {
namespace {

Event event_with(JsonObject line) {
  Event event;
  event.name = names::event::kTaskEdited;
  event.line = std::move(line);
  return event;
}

TEST(EventView, FieldsAreThoseOfTheEvent) {
  const Event event = event_with({{"text", "a"}, {"integer", 7}, {"real", 1.5}, {"nested", Json(JsonArray{Json(1)})}, {"yes", true}});
  const ViewOfEvent of(event);
  const EventView& view = of.view();
  EXPECT_EQ(view.change, TaskChange::edited);
  EXPECT_EQ(view.whole, &event);
  EXPECT_EQ(view.text("text"), "a");
  EXPECT_EQ(view.integer("integer"), 7);
  EXPECT_EQ(view.number_if("integer"), 7.0);
  EXPECT_EQ(view.number_if("real"), 1.5);
  EXPECT_EQ(view.integer_if("real"), std::nullopt);
  for (const char* other : {"integer", "nested", "yes", "absent"}) {
    EXPECT_EQ(view.text(other), "") << other;
    EXPECT_TRUE(view.list(other).empty()) << other;
  }
  EXPECT_EQ(view.number_if("yes"), std::nullopt);
}

TEST(EventView, ListsAreWhatTheParserReads) {
  for (const char* text : {"", "[]", "[\"a\"]", "[\"a\",\"b c\"]", "[\"\"]", "[\"a\\\"b\",\"c\"]", "[\"\u00e9\"]", "[1,\"a\"]",
                           "[\"a\", \"b\"]", "[\"a\",]", "[\"a\"", "[\"a\"\"b\"]", "[,]", "[\"a\" ]", "\"a\"", "[[\"a\"]]", "x"}) {
    const Event event = event_with({{"list", text}});
    EXPECT_EQ(ViewOfEvent(event).view().list("list"), event.list("list")) << text;
  }
}

TEST(EventView, NamesOfLaterVersionsChangeNothing) {
  EXPECT_EQ(task_change("task.created"), TaskChange::created);
  EXPECT_EQ(task_change("task.imported"), TaskChange::created);
  EXPECT_EQ(task_change("task.commented"), TaskChange::other);
  EXPECT_EQ(task_change("task.teleported"), TaskChange::other);
  EXPECT_EQ(task_change(""), TaskChange::other);
}

}  // namespace
}  // namespace contextcore::work::testing
