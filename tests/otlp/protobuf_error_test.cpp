// What the decoder says about bytes that are no OTLP: which field, and where.

#include <gtest/gtest.h>

#include <initializer_list>

#include "base/utf8.h"
#include "otlp/protobuf.h"

namespace contextcore::otlp::test {
namespace {

std::string field(uint32_t number, uint32_t wire_type) {
  return {static_cast<char>((number << 3) | wire_type)};  // numbers up to 15
}
std::string sized(uint32_t number, std::string_view content) {
  EXPECT_LT(content.size(), 16384U);
  std::string out = field(number, 2);
  if (content.size() >= 128) {
    out += static_cast<char>((content.size() & 0x7f) | 0x80);
    out += static_cast<char>(content.size() >> 7);
  } else {
    out += static_cast<char>(content.size());
  }
  return out.append(content);
}

struct Refused {
  std::string bytes;
  std::string message;  // all of it
  int64_t position;
};

void expect_span_refused(const Refused& expected) {
  const auto decoded = decode_span_protobuf(expected.bytes);
  ASSERT_FALSE(decoded.ok()) << expected.message;
  EXPECT_EQ(decoded.error().code, Code::invalid_argument);
  EXPECT_EQ(decoded.error().message, expected.message);
  EXPECT_EQ(decoded.error().position, expected.position);
}

TEST(ProtobufError, IdsOfAnotherLength) {
  const std::string name = sized(5, "abc");
  expect_span_refused({name + sized(1, "0123456789abcde"),
                       "OTLP protobuf: Span.trace_id has 15 bytes, 16 (or none) expected (byte 7)",
                       7});
  expect_span_refused({sized(2, "0123456789abcdef"),
                       "OTLP protobuf: Span.span_id has 16 bytes, 8 (or none) expected (byte 2)",
                       2});
  expect_span_refused(
      {sized(4, "1"),
       "OTLP protobuf: Span.parent_span_id has 1 bytes, 8 (or none) expected (byte 2)", 2});
  expect_span_refused(
      {sized(13, sized(1, "1")),
       "OTLP protobuf: Span.Link.trace_id has 1 bytes, 16 (or none) expected (byte 4)", 4});
}

TEST(ProtobufError, EmptyIdsAreAbsentIds) {
  const auto decoded = decode_span_protobuf(sized(1, "") + sized(2, "") + sized(4, ""));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, Span());
  const auto last_wins = decode_span_protobuf(sized(2, "12345678") + sized(2, ""));
  ASSERT_TRUE(last_wins.ok());
  EXPECT_TRUE(last_wins->span_id.empty());
}

TEST(ProtobufError, TextThatIsNotUtf8) {
  expect_span_refused({sized(5, "ab\xff"), "OTLP protobuf: Span.name is not UTF-8 (byte 4)", 4});
  expect_span_refused(
      {sized(9, sized(1, "\xed\xa0\x80")), "OTLP protobuf: KeyValue.key is not UTF-8 (byte 4)", 4});
  expect_span_refused({sized(9, sized(2, sized(1, "\xc0\x80"))),
                       "OTLP protobuf: AnyValue.string_value is not UTF-8 (byte 6)", 6});
  expect_span_refused(
      {sized(15, sized(2, "\x80")), "OTLP protobuf: Status.message is not UTF-8 (byte 4)", 4});
  // Bytes are bytes.
  EXPECT_TRUE(decode_span_protobuf(sized(9, sized(2, sized(7, "\xff")))).ok());
}

TEST(ProtobufError, WrongWireTypes) {
  expect_span_refused({field(5, 0) + "\x01",
                       "OTLP protobuf: Span.name has wire type varint, length-delimited expected "
                       "(byte 1)",
                       1});
  expect_span_refused({sized(7, "12345678"),
                       "OTLP protobuf: Span.start_time_unix_nano has wire type length-delimited, "
                       "fixed64 expected (byte 1)",
                       1});
  expect_span_refused({field(6, 5) + "1234",
                       "OTLP protobuf: Span.kind has wire type fixed32, varint expected (byte 1)",
                       1});
  expect_span_refused({field(9, 1) + "12345678",
                       "OTLP protobuf: Span.attributes has wire type fixed64, length-delimited "
                       "expected (byte 1)",
                       1});
  expect_span_refused(
      {field(5, 3), "OTLP protobuf: Span has a field with an unknown wire type (byte 1)", 1});
}

TEST(ProtobufError, BrokenFraming) {
  expect_span_refused({field(5, 2) + "\x05" + "abc",
                       "OTLP protobuf: Span ends in the middle of a field (byte 2)", 2});
  expect_span_refused(
      {std::string(1, '\0'), "OTLP protobuf: Span has an invalid field number (byte 1)", 1});
  expect_span_refused({field(6, 0) + std::string(11, '\xff'),
                       "OTLP protobuf: Span has a varint longer than 10 bytes (byte 1)", 1});
  expect_span_refused(
      {"\x88\x80\x80\x80\x10\x01", "OTLP protobuf: Span has an invalid field number (byte 5)", 5});
  expect_span_refused({field(5, 2) + "\x80\x80\x80\x80\x10",
                       "OTLP protobuf: Span has a field of an impossible length (byte 6)", 6});
}

// depth levels of arrays, or of key-value lists, around a number.
std::string nested_value(int depth, bool lists) {
  std::string bytes = field(3, 0) + "\x2a";
  for (int i = 0; i < depth; ++i) {
    bytes = lists ? sized(6, sized(1, sized(2, bytes))) : sized(5, sized(1, bytes));
  }
  return bytes;
}

TEST(ProtobufError, ValuesNestedTooDeep) {
  for (const bool lists : {false, true}) {
    EXPECT_TRUE(decode_value_protobuf(nested_value(32, lists)).ok());
    const auto refused = decode_value_protobuf(nested_value(33, lists));
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("is nested deeper than 32 levels (byte "),
              std::string::npos)
        << refused.error().message;
    EXPECT_FALSE(decode_value_protobuf(nested_value(1000, lists)).ok());
    EXPECT_TRUE(decode_value_protobuf(nested_value(3, lists), {.value_depth_max = 3}).ok());
    EXPECT_FALSE(decode_value_protobuf(nested_value(4, lists), {.value_depth_max = 3}).ok());
    const std::string attribute = sized(9, sized(2, nested_value(33, lists)));
    EXPECT_FALSE(decode_span_protobuf(attribute).ok());
    EXPECT_FALSE(decode_log_record_protobuf(sized(5, nested_value(33, lists))).ok());
  }
}

TEST(ProtobufError, OneofLastMemberWins) {
  const std::string number = field(3, 0) + "\x2a";
  const std::string text = sized(1, "t");
  EXPECT_EQ(*decode_value_protobuf(text + number), Value(42));
  EXPECT_EQ(*decode_value_protobuf(number + text), Value("t"));
  const std::string array = sized(5, sized(1, number));
  EXPECT_EQ(*decode_value_protobuf(array + array), Value(Array{42, 42}));
  EXPECT_EQ(*decode_value_protobuf(array + text + array), Value(Array{42}));
  EXPECT_EQ(*decode_value_protobuf(""), Value());
  EXPECT_EQ(*decode_value_protobuf(sized(5, "")), Value(Array{}));
}

TEST(ProtobufError, OldStatusCodeIsSkipped) {
  const auto decoded = decode_span_protobuf(sized(15, field(1, 0) + "\x02"));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->status_code, StatusCode::unset);
}

TEST(ProtobufError, EveryMessageNamesItself) {
  // 0x0f is field 1 with wire type 7.
  EXPECT_EQ(decode_traces_protobuf("\x0f").error().message,
            "OTLP protobuf: TracesData has a field with an unknown wire type (byte 1)");
  EXPECT_EQ(decode_logs_protobuf("\x0f").error().message,
            "OTLP protobuf: LogsData has a field with an unknown wire type (byte 1)");
  EXPECT_EQ(decode_log_record_protobuf("\x0f").error().message,
            "OTLP protobuf: LogRecord has a field with an unknown wire type (byte 1)");
  EXPECT_EQ(decode_resource_protobuf("\x0f").error().message,
            "OTLP protobuf: Resource has a field with an unknown wire type (byte 1)");
  EXPECT_EQ(decode_scope_protobuf("\x0f").error().message,
            "OTLP protobuf: InstrumentationScope has a field with an unknown wire type (byte 1)");
  EXPECT_EQ(decode_value_protobuf("\x0f").error().message,
            "OTLP protobuf: AnyValue has a field with an unknown wire type (byte 1)");
  const std::string deep = sized(1, sized(2, sized(2, sized(5, "\xff"))));
  EXPECT_EQ(decode_traces_protobuf(deep).error().message,
            "OTLP protobuf: Span.name is not UTF-8 (byte 8)");
}

}  // namespace
}  // namespace contextcore::otlp::test
