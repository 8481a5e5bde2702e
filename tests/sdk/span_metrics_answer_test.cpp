// What a server's answer to TraceQL metrics says, as the backend reads it.

#include "sdk/span_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace contextcore::sdk {
namespace {

TEST(SpanMetricsAnswer, SeriesOfARange) {
  const auto answer = parse_span_metrics_answer(
      R"({"series":[{"labels":[{"key":"span.i","value":{"intValue":"5"}},{"key":"p","value":{"doubleValue":0.5}},
          {"key":"status","value":{"stringValue":"error"}},{"key":"b","value":{"boolValue":true}},
          {"key":"arr","value":{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":"2"}]}}}],
          "samples":[{"timestampMs":"1000"},{"timestampMs":"2000","value":0.25},{"timestampMs":"3000","value":"Infinity"}]}],
          "status":"PARTIAL","message":"m"})",
      false);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->type, "matrix");
  ASSERT_EQ(answer->series.size(), 1u);
  EXPECT_EQ(
      answer->series[0].labels,
      (Labels{
          {"span.i", "5"}, {"p", "0.5"}, {"status", "error"}, {"b", "true"}, {"arr", "[x, 2]"}}));
  ASSERT_EQ(answer->series[0].samples.size(), 3u);
  EXPECT_EQ(answer->series[0].samples[0], std::pair(int64_t{1'000'000'000}, 0.0));
  EXPECT_EQ(answer->series[0].samples[1].second, 0.25);
  EXPECT_TRUE(std::isinf(answer->series[0].samples[2].second));
  EXPECT_EQ(answer->notes.size(), 1u);
}

TEST(SpanMetricsAnswer, OneValue) {
  const auto answer =
      parse_span_metrics_answer(R"({"series":[{"labels":[]},{"labels":[],"value":2}]})", true);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->type, "vector");
  EXPECT_EQ(answer->series.at(0).samples.at(0).second, 0);
  EXPECT_EQ(answer->series.at(1).samples.at(0).second, 2);
}

TEST(SpanMetricsAnswer, BrokenAnswersAreToldOf) {
  EXPECT_FALSE(parse_span_metrics_answer("{", false).ok());
  EXPECT_TRUE(parse_span_metrics_answer("{}", false).ok());  // no series
  EXPECT_TRUE(
      parse_span_metrics_answer(R"({"series":[{"labels":3,"samples":{"a":1}}]})", false).ok());
}

}  // namespace
}  // namespace contextcore::sdk
