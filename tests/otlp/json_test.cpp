// data/json/*.in.json is what a sender may write; *.out.json is the same as we write it.
// data/json/refused.json lists what is refused, and with which words.
// data/tempo/*.in.json (OTLP) and *.v1.json, *.v2.json: the trace as Tempo answers it.

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file_system.h"
#include "base/json.h"
#include "otlp/json.h"
#include "otlp/protobuf.h"
#include "otlp/random_telemetry.h"
#include "otlp/tempo_json.h"

namespace contextcore::otlp::test {
namespace {

std::string read_data(const std::string& name) {
  auto text = real_file_system().read_file(join_path(CONTEXTCORE_TEST_DATA, name));
  EXPECT_TRUE(text.ok()) << name;
  return text.ok() ? *text : std::string();
}

// Golden files are indented for people.
std::string pretty(const std::string& json) {
  const auto tree = parse_json(json, 1000);
  EXPECT_TRUE(tree.ok()) << json;
  return tree.ok() ? to_string(*tree, 2) + "\n" : json;
}

// With CONTEXTCORE_UPDATE_GOLDEN set it writes the file, for a person to review.
void expect_golden(const std::string& name, const std::string& actual) {
  if (std::getenv("CONTEXTCORE_UPDATE_GOLDEN") != nullptr) {
    const std::string path = join_path(CONTEXTCORE_TEST_DATA, name);
    ASSERT_TRUE(real_file_system().write_file_atomically(path, actual).ok());
  }
  EXPECT_EQ(actual, read_data(name));
}

std::vector<std::string> cases(const std::string& folder) {
  std::vector<std::string> names;
  const auto files = real_file_system().list(join_path(CONTEXTCORE_TEST_DATA, folder));
  EXPECT_TRUE(files.ok());
  for (const std::string& file : *files) {
    constexpr std::string_view kSuffix = ".in.json";
    if (file.ends_with(kSuffix)) names.push_back(file.substr(0, file.size() - kSuffix.size()));
  }
  return names;
}

TEST(Json, RandomTracesComeBack) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const TracesData data = RandomTelemetry(seed).traces();
    const auto decoded = decode_traces_json(encode_json(data));
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_EQ(encode_json(*decoded), encode_json(data));
    ASSERT_EQ(*decoded, data);
  }
}

TEST(Json, RandomLogsComeBack) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const LogsData data = RandomTelemetry(seed).logs();
    const auto decoded = decode_logs_json(encode_json(data));
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_EQ(encode_json(*decoded), encode_json(data));
    ASSERT_EQ(*decoded, data);
  }
}

TEST(Json, GoldenFiles) {
  const std::vector<std::string> names = cases("json");
  EXPECT_GE(names.size(), 4U);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const std::string in = read_data("json/" + name + ".in.json");
    std::string out;
    if (name.starts_with("logs")) {
      const auto data = decode_logs_json(in);
      ASSERT_TRUE(data.ok()) << data.error().message;
      out = encode_json(*data);
    } else {
      const auto data = decode_traces_json(in);
      ASSERT_TRUE(data.ok()) << data.error().message;
      out = encode_json(*data);
    }
    expect_golden("json/" + name + ".out.json", pretty(out));
  }
}

TEST(Json, RefusedFiles) {
  const auto list = parse_json(read_data("json/refused.json"), 100);
  ASSERT_TRUE(list.ok()) << list.error().message;
  ASSERT_NE(list->as_array(), nullptr);
  EXPECT_GE(list->as_array()->size(), 20U);
  for (const Json& item : *list->as_array()) {
    const Json* document = item.find("document");
    ASSERT_NE(document, nullptr);
    // Text that is no JSON, or a document.
    const std::string text =
        document->as_string() != nullptr ? *document->as_string() : to_string(*document);
    SCOPED_TRACE(text);
    const Status status = document->find("resourceLogs") != nullptr
                              ? decode_logs_json(text).status()
                              : decode_traces_json(text).status();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::invalid_argument);
    EXPECT_EQ(status.error().message, item.string_or("message"));
  }
}

TEST(Json, CutAnywhereItIsRefused) {
  const std::string text = read_data("json/traces_full.in.json");
  const size_t end = text.rfind('}');
  for (size_t size = 0; size <= end; ++size) {
    EXPECT_FALSE(decode_traces_json(text.substr(0, size)).ok()) << size;
  }
}

std::string nested_body(int depth, std::string_view before, std::string_view after) {
  std::string text = R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":)";
  for (int i = 0; i < depth; ++i) text += before;
  text += R"({"intValue":1})";
  for (int i = 0; i < depth; ++i) text += after;
  return text + "}]}]}]}";
}

TEST(Json, ValuesNestedTooDeep) {
  struct Nesting {
    std::string_view before, after;
  };
  constexpr Nesting kArray = {R"({"arrayValue":{"values":[)", "]}}"};
  constexpr Nesting kList = {R"({"kvlistValue":{"values":[{"key":"k","value":)", "}]}}"};
  for (const auto& [before, after] : {kArray, kList}) {
    const auto fits = decode_logs_json(nested_body(32, before, after));
    EXPECT_TRUE(fits.ok()) << fits.error().message;
    const auto refused = decode_logs_json(nested_body(33, before, after));
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("is nested deeper than 32 levels"), std::string::npos)
        << refused.error().message;
    EXPECT_FALSE(decode_logs_json(nested_body(100'000, before, after)).ok());
    EXPECT_TRUE(decode_logs_json(nested_body(2, before, after), {.value_depth_max = 2}).ok());
    EXPECT_FALSE(decode_logs_json(nested_body(3, before, after), {.value_depth_max = 2}).ok());
  }
}

TEST(Json, ExportResponse) {
  EXPECT_EQ(encode_export_response_json("rejectedSpans", 0, ""), "{}");
  EXPECT_EQ(encode_export_response_json("rejectedSpans", 3, "too \"old\""),
            R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too \"old\""}})");
  EXPECT_EQ(encode_export_response_json("rejectedLogRecords", 0, "a warning"),
            R"({"partialSuccess":{"errorMessage":"a warning"}})");
}

TEST(TempoJson, GoldenFiles) {
  const std::vector<std::string> names = cases("tempo");
  EXPECT_GE(names.size(), 1U);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const auto data = decode_traces_json(read_data("tempo/" + name + ".in.json"));
    ASSERT_TRUE(data.ok()) << data.error().message;
    expect_golden("tempo/" + name + ".v1.json", pretty(encode_tempo_trace_json(*data)));
    expect_golden("tempo/" + name + ".v2.json",
                  pretty(encode_tempo_trace_by_id_json(*data, {74569, true, "cut"})));
  }
}

TEST(TempoJson, NoTrace) {
  EXPECT_EQ(encode_tempo_trace_json({}), "{}");
  EXPECT_EQ(encode_tempo_trace_by_id_json({}, {}), R"({"trace":{},"metrics":{}})");
}

}  // namespace
}  // namespace contextcore::otlp::test
