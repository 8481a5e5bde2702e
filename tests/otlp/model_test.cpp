#include "otlp/model.h"

#include <gtest/gtest.h>

#include <limits>

namespace contextcore::otlp::test {
namespace {

TEST(Hex, WritesFixedWidthLowerCase) {
  TraceId trace;
  trace.bytes[0] = 0xAB;
  trace.bytes[15] = 1;
  EXPECT_EQ(to_hex(trace), "ab000000000000000000000000000001");
  EXPECT_EQ(to_hex(SpanId{}), "0000000000000000");
}

TEST(Hex, ReadsShortIdsPaddedOnTheLeft) {
  TraceId trace;
  ASSERT_TRUE(parse_hex("F1e", trace));
  EXPECT_EQ(to_hex(trace), "00000000000000000000000000000f1e");
  ASSERT_TRUE(parse_hex("0123456789abcdefFEDCBA9876543210", trace));
  EXPECT_EQ(to_hex(trace), "0123456789abcdeffedcba9876543210");
  SpanId span;
  ASSERT_TRUE(parse_hex("0", span));
  EXPECT_TRUE(span.empty());
}

TEST(Hex, RefusesWhatIsNotHexAndKeepsTheOutput) {
  SpanId span;
  ASSERT_TRUE(parse_hex("7", span));
  for (const std::string_view bad : {"", "x", "12 ", "0x12", "00112233445566778", "é"}) {
    EXPECT_FALSE(parse_hex(bad, span)) << bad;
  }
  EXPECT_EQ(to_hex(span), "0000000000000007");
}

TEST(Value, DoublesAreEqualByTheirBits) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Value(nan), Value(nan));
  EXPECT_NE(Value(0.0), Value(-0.0));
  EXPECT_EQ(Value(Array{nan, 1}), Value(Array{nan, 1}));
  EXPECT_EQ(Value(KeyValueList{{"k", nan}}), Value(KeyValueList{{"k", nan}}));
}

TEST(Value, TypesNeverEqualEachOther) {
  const Value values[] = {{}, "1", true, 1, 1.0, Bytes{"1"}, Array{}, KeyValueList{}, ""};
  for (size_t i = 0; i < std::size(values); ++i) {
    for (size_t j = 0; j < std::size(values); ++j) {
      EXPECT_EQ(values[i] == values[j], i == j) << i << " " << j;
    }
  }
}

TEST(Attributes, KeepOrderAndDuplicates) {
  Attributes attributes = {{"a", 1}, {"b", "x"}, {"a", 2}};
  ASSERT_NE(find(attributes, "a"), nullptr);
  EXPECT_EQ(*find(attributes, "a"), Value(1));
  EXPECT_EQ(find(attributes, "c"), nullptr);
  EXPECT_EQ(find_string(attributes, "b"), "x");
  EXPECT_EQ(find_string(attributes, "a"), "");
  EXPECT_EQ(find_string(attributes, "c"), "");
  set(attributes, "a", 3);
  set(attributes, "c", true);
  EXPECT_EQ(attributes, (Attributes{{"a", 3}, {"b", "x"}, {"a", 2}, {"c", true}}));
  otlp::erase(attributes, "a");
  EXPECT_EQ(attributes, (Attributes{{"b", "x"}, {"c", true}}));
}

TEST(Counts, SumOverResourcesAndScopes) {
  TracesData traces;
  EXPECT_EQ(traces.span_count(), 0U);
  traces.resource_spans.resize(2);
  traces.resource_spans[0].scope_spans.resize(2);
  traces.resource_spans[0].scope_spans[0].spans.resize(3);
  traces.resource_spans[0].scope_spans[1].spans.resize(1);
  traces.resource_spans[1].scope_spans.resize(1);
  EXPECT_EQ(traces.span_count(), 4U);
  LogsData logs;
  logs.resource_logs.resize(1);
  logs.resource_logs[0].scope_logs.resize(2);
  logs.resource_logs[0].scope_logs[1].records.resize(5);
  EXPECT_EQ(logs.record_count(), 5U);
}

}  // namespace
}  // namespace contextcore::otlp::test
