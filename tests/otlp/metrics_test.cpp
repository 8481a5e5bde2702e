// OTLP metrics: our codecs against protoc's and each other, and what becomes of them as series
// (data/metrics/*.txt).

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "otlp/json.h"
#include "otlp/metric_batch.h"
#include "otlp/protobuf.h"
#include "otlp/random_telemetry.h"
#include "otlp/reference.h"

namespace contextcore::otlp::test {
namespace {

constexpr uint64_t kSeeds = 400;

TEST(OtlpMetrics, ProtobufAgreesWithTheReferenceBothWaysToTheByte) {
  size_t points = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const MetricsData data = RandomTelemetry(seed).metrics();
    points += data.point_count();
    const std::string theirs = to_reference(data).SerializeAsString();
    const auto decoded = decode_metrics_protobuf(theirs);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_EQ(*decoded, data);
    ASSERT_EQ(encode_protobuf(data), theirs);
  }
  EXPECT_GT(points, kSeeds);
}

TEST(OtlpMetrics, JsonComesBackTheSame) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const MetricsData data = RandomTelemetry(seed).metrics();
    const std::string json = encode_json(data);
    const auto decoded = decode_metrics_json(json);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_EQ(*decoded, data) << json;
  }
}

TEST(OtlpMetrics, NumbersMayComeOneByOne) {
  reference::UnpackedHistogramDataPoint point;
  point.set_count(3);
  point.add_bucket_counts(1);
  point.add_bucket_counts(2);
  point.add_explicit_bounds(0.5);
  reference::MetricsData data;
  ASSERT_TRUE(data.add_resource_metrics()
                  ->add_scope_metrics()
                  ->add_metrics()
                  ->mutable_histogram()
                  ->add_data_points()
                  ->ParseFromString(point.SerializeAsString()));
  // What the classes parse they write packed; ours has to read what was sent.
  const std::string inner = point.SerializeAsString();
  const auto sized = [](char key, const std::string& bytes) {
    return std::string(1, key) + static_cast<char>(bytes.size()) + bytes;
  };
  const std::string bytes = sized(0x0a, sized(0x12, sized(0x12, sized(0x4a, sized(0x0a, inner)))));
  const auto decoded = decode_metrics_protobuf(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  const auto& metric = decoded->resource_metrics.at(0).scope_metrics.at(0).metrics.at(0);
  const auto& read = std::get<Histogram>(metric.data).points.at(0);
  EXPECT_EQ(read.bucket_counts, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(read.explicit_bounds, std::vector<Real>{0.5});
}

TEST(OtlpMetrics, RandomBytesAreRefusedOrStable) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    RandomTelemetry random(seed);
    const std::string bytes = random.mutate(encode_protobuf(random.metrics()));
    const auto decoded = decode_metrics_protobuf(bytes);
    if (!decoded.ok()) {
      ASSERT_LE(*decoded.error().position, static_cast<int64_t>(bytes.size()));
      continue;
    }
    const auto again = decode_metrics_protobuf(encode_protobuf(*decoded));
    ASSERT_TRUE(again.ok());
    ASSERT_EQ(*again, *decoded);
    std::ignore = translate(*decoded, {});
  }
}

std::string as_text(const Translation& translation) {
  std::ostringstream out;
  for (const SampleSeries& series : translation.batch.series) {
    out << (series.delta ? "delta " : "") << describe(series.labels);
    for (const SeriesSample& sample : series.samples) {
      out << " " << sample.timestamp_ms << "=";
      if (series.delta && is_start_mark(sample.value)) {
        out << "start";
      } else if (std::bit_cast<uint64_t>(sample.value) == 0x7ff0000000000002) {
        out << "stale";
      } else {
        out << sample.value;
      }
    }
    out << "\n";
  }
  for (const MetricFamily& family : translation.batch.families) {
    out << "# " << family.name << " " << family.type << " \"" << family.unit << "\" " << family.help
        << "\n";
  }
  if (translation.rejected != 0) out << "rejected " << translation.rejected << "\n";
  for (const std::string& reason : translation.reasons) out << "reason " << reason << "\n";
  return out.str();
}

// "=== title", the request as OTLP JSON, "--->", the series that it becomes.
TEST(OtlpMetrics, SeriesAsPrometheusNamesThem) {
  std::ifstream file(std::string(CONTEXTCORE_TEST_DATA) + "/metrics/series.txt");
  ASSERT_TRUE(file);
  std::string line, title, request, expected;
  bool in_answer = false;
  size_t cases = 0;
  const auto check = [&] {
    if (title.empty()) return;
    ++cases;
    const auto data = decode_metrics_json(request);
    ASSERT_TRUE(data.ok()) << title << ": " << data.error().message;
    EXPECT_EQ(as_text(translate(*data, {})), expected) << title;
  };
  while (std::getline(file, line)) {
    if (line.starts_with("=== ")) {
      check();
      title = line.substr(4);
      request.clear();
      expected.clear();
      in_answer = false;
    } else if (line == "--->") {
      in_answer = true;
    } else if (!line.empty()) {
      (in_answer ? expected : request) += line + "\n";
    }
  }
  check();
  EXPECT_GT(cases, 8U);
}

// Name, unit and kind to the name that Prometheus gives (its otlptranslator, by default).
TEST(OtlpMetrics, Names) {
  struct Case {
    const char *name, *unit;
    NameType type;
    const char* expected;
  };
  const Case cases[] = {
      {"http.server.duration", "s", NameType::other, "http_server_duration_seconds"},
      {"requests.count", "1", NameType::counter, "requests_count_total"},
      {"memory.usage", "By", NameType::gauge, "memory_usage_bytes"},
      {"claude_code.cost.usage", "USD", NameType::counter, "claude_code_cost_usage_USD_total"},
      {"claude_code.token.usage", "tokens", NameType::counter,
       "claude_code_token_usage_tokens_total"},
      {"claude_code.session.count", "", NameType::counter, "claude_code_session_count_total"},
      {"hit.ratio", "1", NameType::gauge, "hit_ratio"},
      {"total.requests", "{request}", NameType::counter, "requests_total"},
      {"speed", "m/s", NameType::gauge, "speed_meters_per_second"},
      {"load", "{packet}/s", NameType::gauge, "load_per_second"},
      {"system.cpu.seconds", "s", NameType::counter, "system_cpu_seconds_total"},
      {"__a__b__", "", NameType::gauge, "a_b"},
      {"2xx", "", NameType::gauge, "_2xx"},
      {"a:b", "", NameType::gauge, "a:b"},
      {"été", "", NameType::gauge, "t"},
      {"temperature", "Cel", NameType::gauge, "temperature_celsius"},
      {"odd", "__x//y", NameType::gauge, "odd_x_per_y"},
      {"...", "", NameType::gauge, ""},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(prometheus_metric_name(one.name, one.unit, one.type), one.expected) << one.name;
  }
  EXPECT_EQ(prometheus_label_name("http.method"), "http_method");
  EXPECT_EQ(prometheus_label_name("123abc"), "key_123abc");
  EXPECT_EQ(prometheus_label_name("_private"), "key_private");
  EXPECT_EQ(prometheus_label_name("__reserved__"), "__reserved__");
  EXPECT_EQ(prometheus_label_name("été"), "key_t_");
}

TEST(OtlpMetrics, ValuesAsLabels) {
  EXPECT_EQ(label_text(Value("x")), "x");
  EXPECT_EQ(label_text(Value(true)), "true");
  EXPECT_EQ(label_text(Value(int64_t{-7})), "-7");
  EXPECT_EQ(label_text(Value(0.25)), "0.25");
  EXPECT_EQ(label_text(Value(1e21)), "1e+21");
  EXPECT_EQ(label_text(Value(1e-7)), "1e-7");
  EXPECT_EQ(label_text(Value(Array{Value("a"), Value(int64_t{1})})), R"(["a",1])");
  EXPECT_EQ(label_text(Value(KeyValueList{{"k", Value(false)}})), R"({"k":false})");
  EXPECT_EQ(label_text(Value(Bytes{"abc"})), "YWJj");
  EXPECT_EQ(label_text(Value()), "");
}

// A small request must not become gigabytes of labels.
TEST(OtlpMetrics, BucketsTimesLabelsAreBounded) {
  HistogramPoint point;
  point.attributes = {{"long", std::string(100'000, 'x')}};
  point.bucket_counts.resize(10'001, 1);
  for (size_t i = 0; i < 10'000; ++i) point.explicit_bounds.emplace_back(static_cast<double>(i));
  Metric metric;
  metric.name = "h";
  metric.data = Histogram{{point}, Temporality::cumulative};
  MetricsData data;
  data.resource_metrics.emplace_back().scope_metrics.emplace_back().metrics.push_back(metric);
  const Translation translation = translate(data, {});
  EXPECT_EQ(translation.rejected, 1);
  EXPECT_TRUE(translation.batch.series.empty());
  ASSERT_EQ(translation.reasons.size(), 1U);
  EXPECT_EQ(translation.reasons[0], "metric \"h\" has more buckets than one request may have");
}

}  // namespace
}  // namespace contextcore::otlp::test
