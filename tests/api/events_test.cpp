// GET /tracker/v1/events, piece by piece.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service_kit.h"

namespace contextcore::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class EventsTest : public ServiceTest {
 protected:
  void command(const std::string& op, const std::string& args, const std::string& project = "a") {
    post("/tracker/v1/commands",
         R"({"op":")" + op + R"(","project":")" + project + R"(","args":)" + args + "}");
  }
  // All that a stream says until it has nothing to say.
  static std::string drain(Response& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    std::string out;
    if (!response.stream) return "no stream: " + response.body;
    for (auto piece = response.stream->next(); piece && !piece->empty();
         piece = response.stream->next()) {
      out += *piece;
    }
    return out;
  }
  std::string all(std::string_view target, Pairs headers = {}) {
    Response response = get(target, std::move(headers));
    return drain(response);
  }
};

TEST_F(EventsTest, begins_where_it_is_told) {
  command("task.create", R"({"id":"A-1","title":"One"})");
  command("task.create", R"({"id":"A-2","title":"Two"})");
  const std::string whole = all("/tracker/v1/events?since=0&follow=false");
  EXPECT_THAT(whole, HasSubstr("retry: 1000\nid: 0\n\n"));
  EXPECT_THAT(whole, HasSubstr("event: task.created\ndata: {\"sequence\":1,"));
  EXPECT_THAT(whole, HasSubstr("\nid: 1\n\n"));
  EXPECT_THAT(whole, HasSubstr(R"("task_id":"A-2")"));
  const std::string rest = all("/tracker/v1/events?since=1&follow=false");
  EXPECT_THAT(rest, Not(HasSubstr("A-1")));
  EXPECT_THAT(rest, HasSubstr("A-2"));
  // Connecting again, with the address of the first time.
  EXPECT_THAT(all("/tracker/v1/events?since=0&follow=false", {{"last-event-id", "2"}}),
              Not(HasSubstr("event:")));
  EXPECT_THAT(all("/tracker/v1/events?follow=false"), Not(HasSubstr("event:")));
}

TEST_F(EventsTest, follows) {
  Response response = get("/tracker/v1/events");
  EXPECT_EQ(response.content_type, "text/event-stream");
  EXPECT_THAT(drain(response), Not(HasSubstr("event:")));
  command("task.create", R"({"id":"A-1","title":"One"})");
  EXPECT_THAT(drain(response), HasSubstr(R"("task_id":"A-1")"));
  EXPECT_EQ(response.stream->next(), "");
  clock_.sleep_ns(16'000'000'000);
  EXPECT_EQ(response.stream->next(), ": still here\n\n");
  EXPECT_EQ(response.stream->next(), "");
}

TEST_F(EventsTest, marks_the_end_of_a_transaction_only) {
  command("task.create", R"({"id":"A-1","title":"One"})");
  command("task.complete", R"({"id":"A-1"})");
  const std::string said = all("/tracker/v1/events?since=1&follow=false");
  size_t events = 0, ids = 0;
  for (size_t at = 0; (at = said.find("event: ", at)) != std::string::npos; ++at) ++events;
  for (size_t at = 0; (at = said.find("\nid: 2\n", at)) != std::string::npos; ++at) ++ids;
  EXPECT_GT(events, 1u);
  EXPECT_EQ(ids, 1u);
  EXPECT_TRUE(said.ends_with("id: 2\n\n"));
}

TEST_F(EventsTest, filters) {
  command("task.create", R"({"id":"A-1","title":"One"})");
  command("task.create", R"({"id":"B-1","title":"One"})", "b");
  command("task.start", R"({"id":"A-1"})");
  const std::string base = "/tracker/v1/events?since=0&follow=false&";
  EXPECT_THAT(all(base + "project=b"), Not(HasSubstr("A-1")));
  EXPECT_THAT(all(base + "project=b"), HasSubstr("B-1"));
  EXPECT_THAT(all(base + "task=A-1"), Not(HasSubstr("B-1")));
  const std::string two = all(base + "event=task.status_changed&event=insight.*");
  EXPECT_THAT(two, HasSubstr("event: task.status_changed"));
  EXPECT_THAT(two, Not(HasSubstr("event: task.created")));
}

TEST_F(EventsTest, says_what_is_wrong_with_a_request) {
  for (const char* query : {"since=x", "since=-1", "follow=maybe", "event=*", "colour=red"}) {
    const Response response = get(std::string("/tracker/v1/events?") + query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(response.stream, nullptr);
    EXPECT_THAT(response.body, HasSubstr("invalid_argument"));
  }
}

}  // namespace
}  // namespace contextcore::api
