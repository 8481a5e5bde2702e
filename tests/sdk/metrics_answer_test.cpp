// What a server's Prometheus API answers, as the backend reads it.

#include <gtest/gtest.h>

#include <cmath>

#include "sdk/remote_backend.h"

namespace contextcore::sdk {
namespace {

TEST(MetricsAnswer, SeriesOfARange) {
  const auto answer = parse_metrics_answer(
      R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[60,"1.5"],[120.5,"NaN"]]}]},
          "warnings":["w"],"infos":["i"]})");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->type, "matrix");
  ASSERT_EQ(answer->series.size(), 1u);
  EXPECT_EQ(answer->series[0].labels, (Labels{{"a", "b"}}));
  ASSERT_EQ(answer->series[0].samples.size(), 2u);
  EXPECT_EQ(answer->series[0].samples[0], std::pair(int64_t{60'000'000'000}, 1.5));
  EXPECT_EQ(answer->series[0].samples[1].first, 120'500'000'000);
  EXPECT_TRUE(std::isnan(answer->series[0].samples[1].second));
  EXPECT_EQ(answer->notes, (std::vector<std::string>{"w", "i"}));
}

TEST(MetricsAnswer, OneValueOfEachKind) {
  const auto vector = parse_metrics_answer(
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[60,"-Inf"]}]}})");
  ASSERT_TRUE(vector.ok());
  EXPECT_EQ(vector->series.at(0).samples.at(0).second, -std::numeric_limits<double>::infinity());
  const auto scalar = parse_metrics_answer(R"({"data":{"resultType":"scalar","result":[60,"2"]}})");
  ASSERT_TRUE(scalar.ok());
  EXPECT_EQ(scalar->series.at(0).samples.at(0).second, 2);
  const auto string = parse_metrics_answer(R"({"data":{"resultType":"string","result":[60,"text"]}})");
  ASSERT_TRUE(string.ok());
  EXPECT_EQ(string->text, "text");
  EXPECT_FALSE(parse_metrics_answer("{}").ok());
  EXPECT_FALSE(parse_metrics_answer("no JSON").ok());
}

TEST(MetricsAnswer, ErrorsKeepTheirWords) {
  const Error wrong = parse_error_answer(400, "application/json",
                                         R"({"status":"error","errorType":"bad_data","error":"1:1: parse error: no"})");
  EXPECT_EQ(wrong.code, Code::invalid_argument);
  EXPECT_EQ(wrong.message, "1:1: parse error: no");
  const Error impossible = parse_error_answer(422, "application/json",
                                              R"({"status":"error","errorType":"execution","error":"many-to-many"})");
  EXPECT_EQ(impossible.code, Code::invalid_argument);
}

}  // namespace
}  // namespace contextcore::sdk
