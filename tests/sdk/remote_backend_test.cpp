#include "sdk/remote_backend.h"

#include <gtest/gtest.h>

namespace contextcore::sdk {
namespace {

TEST(RemoteBackendTest, reads_a_search_answer) {
  const auto found =
      parse_search_answer(R"({"traces":[{"traceID":"abc","rootServiceName":"contextcore",
    "rootTraceName":"contextcore.task.epic","startTimeUnixNano":"1700000000000000000","durationMs":1500,
    "spanSets":[{"matched":3,"spans":[{"spanID":"00000000000000aa","name":"n","startTimeUnixNano":"1700000000000000001",
    "durationNanos":"250","attributes":[{"key":"task.id","value":{"stringValue":"A-1"}},
    {"key":"n","value":{"intValue":"7"}},{"key":"l","value":{"arrayValue":{"values":[{"boolValue":true}]}}}]}]}]}],"metrics":{}})");
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1u);
  const FoundTrace& trace = found->front();
  EXPECT_EQ(trace.trace_id, "00000000000000000000000000000abc");
  EXPECT_EQ(trace.duration_ns, 1'500'000'000);
  EXPECT_EQ(trace.matched, 3);
  ASSERT_EQ(trace.spans.size(), 1u);
  EXPECT_EQ(trace.spans[0].duration_ns, 250);
  ASSERT_EQ(trace.spans[0].attributes.size(), 3u);
  EXPECT_EQ(trace.spans[0].attributes[0].second, Json("A-1"));
  EXPECT_EQ(trace.spans[0].attributes[1].second, Json(7));
  EXPECT_EQ(trace.spans[0].attributes[2].second, Json(JsonArray{Json(true)}));
}

TEST(RemoteBackendTest, reads_streams_in_the_order_asked_for) {
  const std::string text = R"({"status":"success","data":{"resultType":"streams","result":[
    {"stream":{"a":"1"},"values":[["30","c"],["10","a"]]},{"stream":{"a":"2"},"values":[["20","b"]]}]}})";
  const auto backward = parse_logs_answer(text, true);
  ASSERT_TRUE(backward.ok());
  ASSERT_EQ(backward->lines.size(), 3u);
  EXPECT_EQ(backward->lines[0].line, "c");
  EXPECT_EQ(backward->lines[1].labels, (Labels{{"a", "2"}}));
  EXPECT_EQ(backward->lines[2].line, "a");
  const auto forward = parse_logs_answer(text, false);
  ASSERT_TRUE(forward.ok());
  EXPECT_EQ(forward->lines[0].line, "a");
}

TEST(RemoteBackendTest, reads_a_matrix) {
  const auto answer = parse_logs_answer(
      R"({"data":{"resultType":"matrix","result":[{"metric":{"p":"x"},"values":[[1700000000.25,"1.5"],[1700000060,"NaN"]]}]}})",
      true);
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->series.size(), 1u);
  ASSERT_EQ(answer->series[0].samples.size(), 2u);
  EXPECT_EQ(answer->series[0].samples[0].first, 1'700'000'000'250'000'000);
  EXPECT_EQ(answer->series[0].samples[0].second, 1.5);
  EXPECT_NE(answer->series[0].samples[1].second, answer->series[0].samples[1].second);
}

TEST(RemoteBackendTest, keeps_code_hint_and_candidates_of_an_error) {
  const Error error = parse_error_answer(
      409, "application/json; charset=utf-8",
      R"({"error":{"code":"conflict","message":"m","hint":"h","candidates":["a","b"]}})");
  EXPECT_EQ(error.code, Code::conflict);
  EXPECT_EQ(error.message, "m");
  EXPECT_EQ(error.hint, "h");
  EXPECT_EQ(error.candidates, (std::vector<std::string>{"a", "b"}));
}

TEST(RemoteBackendTest, takes_plain_text_errors_by_status) {
  EXPECT_EQ(parse_error_answer(400, "text/plain", "parse error at line 1\n").message,
            "parse error at line 1");
  EXPECT_EQ(parse_error_answer(400, "text/plain", "x").code, Code::invalid_argument);
  EXPECT_EQ(parse_error_answer(503, "text/plain", "").code, Code::unavailable);
  EXPECT_EQ(parse_error_answer(418, "text/plain", "").message,
            "the server answered with status 418");
}

TEST(RemoteBackendTest, refuses_what_is_no_json) {
  EXPECT_FALSE(parse_search_answer("<html>").ok());
  EXPECT_FALSE(parse_logs_answer("{}", true).ok());
}

}  // namespace
}  // namespace contextcore::sdk
