#include <gtest/gtest.h>

#include "store/rows.h"

namespace contextcore::store {
namespace {

using otlp::Array;
using otlp::KeyValueList;

std::string find(const LabelPairs& labels, const std::string& name) {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return "(none)";
}

TEST(LogModel, MakesStreamLabelsOfTheListedResourceAttributes) {
  otlp::Resource resource;
  resource.attributes = {{"service.name", "api"},
                         {"k8s.pod.name", "pod-1"},
                         {"project.id", "p"},
                         {"host.name", "elsewhere"},
                         {"job", 7},
                         {"cloud.region", ""}};
  EXPECT_EQ(
      stream_labels(resource),
      (LabelPairs{
          {"job", "7"}, {"k8s_pod_name", "pod-1"}, {"project_id", "p"}, {"service_name", "api"}}));
}

TEST(LogModel, NamesAServiceThatHasNoName) {
  EXPECT_EQ(stream_labels({}), (LabelPairs{{"service_name", "unknown_service"}}));
  otlp::Resource resource;
  resource.attributes = {{"service", "tracker"}};
  EXPECT_EQ(find(stream_labels(resource), "service_name"), "tracker");
}

TEST(LogModel, MakesMetadataOfEverythingElse) {
  otlp::Resource resource;
  resource.attributes = {{"service.name", "api"}, {"host.name", "h"}, {"shared", "resource"}};
  otlp::Scope scope{"lib", "1.2", {{"scope.kind", "s"}}, 3, ""};
  otlp::LogRecord record;
  record.time_ns = 10;
  record.observed_time_ns = 11;
  record.severity_number = 17;
  record.severity_text = "Oops";
  record.flags = 1;
  record.trace_id.bytes[15] = 0xAB;
  record.span_id.bytes[7] = 0xCD;
  record.attributes = {{"http.request", KeyValueList{{"method", "GET"}, {"size", 12}}},
                       {"tags", Array{"a", 1, true}},
                       {"ratio", 0.5},
                       {"shared", "record"},
                       {"9lives", "cat"},
                       {"caf\xC3\xA9", "x"}};
  const LabelPairs labels = structured_metadata(resource, scope, record);
  EXPECT_EQ(labels, (LabelPairs{{"caf_", "x"},
                                {"detected_level", "Oops"},
                                {"flags", "1"},
                                {"host_name", "h"},
                                {"http_request_method", "GET"},
                                {"http_request_size", "12"},
                                {"key_9lives", "cat"},
                                {"observed_timestamp", "11"},
                                {"ratio", "0.5"},
                                {"scope_dropped_attributes_count", "3"},
                                {"scope_kind", "s"},
                                {"scope_name", "lib"},
                                {"scope_version", "1.2"},
                                {"severity_number", "17"},
                                {"severity_text", "Oops"},
                                {"shared", "record"},
                                {"span_id", "00000000000000cd"},
                                {"tags", "[\"a\",1,true]"},
                                {"trace_id", "000000000000000000000000000000ab"}}));
}

TEST(LogModel, DetectsLevels) {
  const auto level_of = [](const std::string& body, int32_t severity = 0,
                           otlp::Attributes attributes = {}) {
    otlp::LogRecord record;
    record.body = body;
    record.severity_number = severity;
    record.attributes = std::move(attributes);
    return find(structured_metadata({}, {}, record), "detected_level");
  };
  EXPECT_EQ(level_of("nothing to see"), "unknown");
  EXPECT_EQ(level_of("error", 9), "info");
  EXPECT_EQ(level_of("", 1), "trace");
  EXPECT_EQ(level_of("", 24), "fatal");
  EXPECT_EQ(level_of("", 9, {{"level", "WARNING"}}), "warn");
  EXPECT_EQ(level_of("", 0, {{"detected_level", "ERR"}}), "error");
  EXPECT_EQ(level_of("{\"level\": \"Debug\"}"), "debug");
  EXPECT_EQ(level_of("{\"a\": {\"severity\": \"critical\"}}"), "critical");
  EXPECT_EQ(level_of("{\"a\": {\"b\": {\"level\": \"odd\"}}}"), "unknown");
  EXPECT_EQ(level_of("ts=1 lvl=dbg level=\"wrn\" msg=x"), "warn");
  EXPECT_EQ(level_of("12:00 [ERROR] broken"), "error");
  // The first word that stands alone.
  EXPECT_EQ(level_of("{\"a\": {\"b\": {\"state\": \"error\"}}}"), "error");
  EXPECT_EQ(level_of("warning: no info, only errors"), "warn");
  EXPECT_EQ(level_of("information about a terror, not an err-or; Debug!"), "debug");
  EXPECT_EQ(level_of("infos errors warned"), "unknown");
}

TEST(LogModel, WritesBodiesThatAreNoStringAsJson) {
  const auto line_of = [](otlp::Value body) {
    otlp::LogRecord record;
    record.body = std::move(body);
    return log_line(record);
  };
  EXPECT_EQ(line_of("as \"it\" is"), "as \"it\" is");
  EXPECT_EQ(line_of(KeyValueList{{"b", 1}, {"a", Array{"x", otlp::Value()}}}),
            "{\"b\":1,\"a\":[\"x\",null]}");
  EXPECT_EQ(line_of(true), "true");
  EXPECT_EQ(line_of(2.5), "2.5");
  EXPECT_EQ(line_of(otlp::Bytes{"hi"}), "aGk=");
  EXPECT_EQ(line_of({}), "");
}

}  // namespace
}  // namespace contextcore::store
