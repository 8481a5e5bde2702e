// Loki's push requests as OTLP logs: both forms give the same, and what is wrong is named.

#include "otlp/loki_push.h"

#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>

#include "otlp/snappy.h"

namespace contextcore::otlp {
namespace {

std::string entry(int64_t seconds, int32_t nanos, std::string_view line,
                  const Attributes& metadata = {}) {
  std::string out;
  protozero::pbf_writer writer(out);
  {
    protozero::pbf_writer time(writer, 1);
    time.add_int64(1, seconds);
    time.add_int32(2, nanos);
  }
  writer.add_string(2, std::string(line));
  for (const KeyValue& pair : metadata) {
    protozero::pbf_writer label(writer, 3);
    label.add_string(1, pair.key);
    label.add_string(2, *pair.value.as_string());
  }
  return out;
}

std::string stream(const std::string& labels, const std::vector<std::string>& entries) {
  std::string out;
  protozero::pbf_writer writer(out);
  writer.add_string(1, labels);
  for (const std::string& one : entries) writer.add_message(2, one);
  writer.add_uint64(3, 12345);  // a hash, which says nothing here
  return out;
}

std::string body(const std::vector<std::string>& streams) {
  std::string out;
  protozero::pbf_writer writer(out);
  for (const std::string& one : streams) writer.add_message(1, one);
  return snappy_compress(out);
}

TEST(LokiPush, both_forms_give_the_same) {
  const Attributes metadata = {{"trace_id", "0102030405060708090a0b0c0d0e0f10"},
                               {"span_id", "0102030405060708"},
                               {"severity_number", "9"},
                               {"user.id", "7"}};
  const auto binary = decode_loki_push(body(
      {stream(R"({job="a", env="p\"q\n"})", {entry(17, 5, "one", metadata), entry(18, 0, "two")}),
       stream("{}", {entry(19, 0, "three")})}));
  const auto json = decode_loki_push_json(
      R"({"streams":[{"stream":{"job":"a","env":"p\"q\n"},"values":[["17000000005","one",)"
      R"({"trace_id":"0102030405060708090a0b0c0d0e0f10","span_id":"0102030405060708",)"
      R"("severity_number":"9","user.id":"7"}],["18000000000","two"]]},)"
      R"({"stream":{},"values":[["19000000000","three"]]}]})");
  ASSERT_TRUE(binary.ok()) << binary.error().message;
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ(*binary, *json);
  ASSERT_EQ(binary->resource_logs.size(), 2U);
  const Attributes& labels = binary->resource_logs[0].resource.attributes;
  EXPECT_EQ(find_string(labels, "env"), "p\"q\n");
  EXPECT_EQ(find_string(labels, "service_name"), "a");
  EXPECT_EQ(*find(labels, kLokiLabelsHint)->as_array(), (Array{"env", "job", "service_name"}));
  const LogRecord& record = binary->resource_logs[0].scope_logs[0].records[0];
  EXPECT_EQ(record.time_ns, 17'000'000'005U);
  EXPECT_EQ(to_hex(record.trace_id), "0102030405060708090a0b0c0d0e0f10");
  EXPECT_EQ(record.severity_number, 9);
  EXPECT_EQ(record.attributes, (Attributes{{"user.id", "7"}}));
  EXPECT_EQ(find_string(binary->resource_logs[1].resource.attributes, "service_name"),
            "unknown_service");
}

// A field that would read back as another text stays an attribute.
TEST(LokiPush, metadata_comes_back_as_it_was) {
  const auto logs = decode_loki_push_json(
      R"({"streams":[{"stream":{"a":"b"},"values":[["1","x",{"trace_id":"ABCD","span_id":"",)"
      R"("severity_number":"09"}]]}]})");
  ASSERT_TRUE(logs.ok()) << logs.error().message;
  const LogRecord& record = logs->resource_logs[0].scope_logs[0].records[0];
  EXPECT_TRUE(record.trace_id.empty());
  EXPECT_EQ(record.severity_number, 0);
  EXPECT_EQ(record.attributes,
            (Attributes{{"trace_id", "ABCD"}, {"span_id", ""}, {"severity_number", "09"}}));
}

TEST(LokiPush, labels_are_read_as_prometheus_writes_them) {
  const auto labels = parse_loki_labels("{ a = \"\\x41\\101\\u00e9\\U0001F600\\t\" , b=`\\n` ,}");
  ASSERT_TRUE(labels.ok()) << labels.error().message;
  EXPECT_EQ(*labels, (Attributes{{"a", "AA\xC3\xA9\xF0\x9F\x98\x80\t"}, {"b", "\\n"}}));
  EXPECT_TRUE(parse_loki_labels("{}").ok());
  for (const char* wrong :
       {"", "{", "{a}", "{a=}", "{a=\"b}", "{a=\"b\"", "{a=\"b\"} x", "{,}", "{1a=\"b\"}",
        "{a=\"\\z\"}", "{a=\"\\ud800\"}", "{a=\"b\" c=\"d\"}", "{a.b=\"c\"}"}) {
    const auto read = parse_loki_labels(wrong);
    ASSERT_FALSE(read.ok()) << wrong;
    EXPECT_NE(read.error().message.find("couldn't parse labels"), std::string::npos);
  }
}

TEST(LokiPush, refuses_what_is_broken) {
  const auto refused = [](const std::string& bytes, const char* part) {
    const auto logs = decode_loki_push(bytes);
    ASSERT_FALSE(logs.ok()) << part;
    EXPECT_NE(logs.error().message.find(part), std::string::npos) << logs.error().message;
  };
  refused("no snappy", "snappy");
  refused(snappy_compress("\x0a\x05"), "ends in the middle");
  refused(body({stream("{a=", {})}), "couldn't parse labels");
  refused(body({stream(R"({a="b", a="c"})", {})}), "duplicate label name: 'a'");
  refused(body({stream(R"({a="b"})", {entry(-1, 0, "x")})}), "Entry.timestamp");
  refused(body({stream(R"({a="b"})", {entry(1, -1, "x")})}), "Entry.timestamp");
  refused(body({stream(R"({a="b"})", {entry(INT64_MAX, 0, "x")})}), "Entry.timestamp");
  refused(body({stream(R"({a="b"})", {entry(1, 0, "\xff")})}), "not UTF-8");
  LokiPushLimits limits;
  limits.raw_bytes_max = 10;
  EXPECT_EQ(decode_loki_push(snappy_compress(std::string(11, 'x')), limits).error().code,
            Code::resource_exhausted);
  limits = {};
  limits.labels_max = 1;
  EXPECT_EQ(decode_loki_push(body({stream(R"({a="b", c="d"})", {})}), limits).error().code,
            Code::resource_exhausted);
}

}  // namespace
}  // namespace contextcore::otlp
