#include "query/promql/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/time.h"
#include "query/common/text.h"
#include "query/promql/golden.h"
#include "query/promql/memory_metrics.h"
#include "query/promql/print.h"

namespace contextcore::promql {
namespace {

int64_t ms_of(std::string_view text) {
  double seconds = 0;
  if (MemoryMetrics::read_number(text, seconds)) return static_cast<int64_t>(std::llround(seconds * 1000));
  const auto duration = parse_prometheus_duration(text);
  EXPECT_TRUE(duration.ok()) << text;
  return duration.ok() ? *duration / kMillisecondNs : 0;
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> out;
  for (size_t at = 0; at < line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    if (end > at) out.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// Six digits are enough to tell right from wrong, and few enough to write.
std::string number_text(double value) {
  if (std::isnan(value) || std::isinf(value)) return query::format_sample(value);
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%.6g", value);
  return buffer;
}

std::string labels_text(const query::LabelPairs& labels) {
  std::string name, rest;
  for (const auto& [key, value] : labels) {
    if (key == query::kNameLabel) {
      name = value;
    } else {
      rest += (rest.empty() ? "" : ", ") + print_label(key) + "=" + query::quote(value);
    }
  }
  return name + "{" + rest + "}";
}

std::vector<std::string> lines_of(const QueryResult& result, bool instant) {
  std::vector<std::string> out;
  const auto add = [&](const std::vector<Series>& all, bool times) {
    for (const Series& series : all) {
      std::string line = labels_text(series.labels);
      for (const Sample& sample : series.samples) {
        line += " " + number_text(sample.value);
        if (times) line += "@" + number_text(static_cast<double>(sample.time_ms) / 1000);
      }
      out.push_back(line);
    }
  };
  if (const auto* matrix = std::get_if<Matrix>(&result.data)) add(matrix->series, true);
  if (const auto* vector = std::get_if<Vector>(&result.data)) add(vector->series, !instant);
  if (const auto* scalar = std::get_if<Scalar>(&result.data)) out.push_back(number_text(scalar->sample.value));
  if (const auto* string = std::get_if<String>(&result.data)) out.push_back(query::quote(string->value));
  for (const std::string& warning : result.warnings) out.push_back("warning: " + warning);
  for (const std::string& info : result.infos) out.push_back("info: " + info);
  return out;
}

struct Case {
  std::string kind, data, query;
  std::vector<std::string> times, expected;
};

Case case_of(const Block& block) {
  Case out;
  std::vector<std::string> words = words_of(block.lines[0]);
  out.kind = words[0];
  if (words.size() > 1) out.data = words[1];
  out.times.assign(words.begin() + std::min<long>(2, static_cast<long>(words.size())), words.end());
  if (block.lines.size() > 1) out.query = block.lines[1];
  for (size_t i = 2; i < block.lines.size(); ++i) out.expected.push_back(block.lines[i]);
  return out;
}

Result<QueryResult> run(const Case& test, const MemoryMetrics& metrics) {
  const QueryOptions options;
  if (test.kind == "range") {
    return query_range(metrics, test.query, {ms_of(test.times[0]), ms_of(test.times[1]), ms_of(test.times[2])},
                       options);
  }
  return query_instant(metrics, test.query, ms_of(test.times[0]), options);
}

// data/eval*.txt: "load NAME STEP" and series; "instant NAME TIME" or "range NAME START END STEP", a query, what it
// gives; "fails NAME TIME", a query, "!> code: message". Series of one value may come as runs: both ways give the same.
void check_file(const std::string& file, size_t cases_min) {
  const auto blocks = read_blocks(file);
  for (const bool as_runs : {false, true}) {
    std::map<std::string, MemoryMetrics> data;
    size_t cases = 0;
    for (const Block& block : blocks) {
      SCOPED_TRACE(block.where() + (as_runs ? ", as runs" : ""));
      const Case test = case_of(block);
      if (test.kind == "load") {
        for (size_t i = 1; i < block.lines.size(); ++i) {
          ASSERT_TRUE(data[test.data].add(block.lines[i], ms_of(test.times[0]), as_runs)) << block.lines[i];
        }
        continue;
      }
      ++cases;
      ASSERT_TRUE(data.contains(test.data)) << "no load of " << test.data;
      ASSERT_FALSE(test.times.empty());
      const auto result = run(test, data[test.data]);
      if (test.kind == "fails") {
        ASSERT_FALSE(result.ok()) << test.query;
        ASSERT_EQ(test.expected.size(), 1u);
        EXPECT_EQ("!> " + std::string(code_name(result.error().code)) + ": " + result.error().message,
                  test.expected[0]);
        continue;
      }
      ASSERT_TRUE(result.ok()) << test.query << "\n" << result.error().message;
      std::vector<std::string> expected = test.expected;
      if (expected == std::vector<std::string>{"nothing"}) expected.clear();
      EXPECT_EQ(lines_of(*result, test.kind == "instant"), expected) << test.query;
    }
    EXPECT_GE(cases, cases_min);
  }
}

TEST(PromqlEngine, SelectorsLookBackAndEnd) { check_file("eval_selectors.txt", 20); }
TEST(PromqlEngine, FunctionsOverRanges) { check_file("eval_ranges.txt", 30); }
TEST(PromqlEngine, OperatorsAndMatching) { check_file("eval_operators.txt", 30); }
TEST(PromqlEngine, Aggregations) { check_file("eval_aggregations.txt", 20); }
TEST(PromqlEngine, FunctionsOverVectors) { check_file("eval_functions.txt", 30); }

TEST(PromqlEngine, LimitsAreErrorsNotCuts) {
  MemoryMetrics metrics;
  ASSERT_TRUE(metrics.add("foo{a=\"1\"} 1x100", 60'000, false));
  QueryOptions options;
  options.limits.samples_max = 50;
  const auto too_many = query_instant(metrics, "sum_over_time(foo[1d])", 6'000'000, options);
  ASSERT_FALSE(too_many.ok());
  EXPECT_EQ(too_many.error().code, Code::resource_exhausted);
  const auto too_fine = query_range(metrics, "foo", {0, 11'001'000, 1'000}, {});
  ASSERT_FALSE(too_fine.ok());
  EXPECT_EQ(too_fine.error().code, Code::invalid_argument);
  EXPECT_TRUE(too_fine.error().message.starts_with("exceeded maximum resolution of 11,000 points"));
  options = {};
  options.cancelled = [] { return true; };
  const auto cancelled = query_instant(metrics, "foo", 0, options);
  ASSERT_FALSE(cancelled.ok());
  EXPECT_EQ(cancelled.error().code, Code::cancelled);
}

// A source is told what labels the query names.
class NamedLabels : public store::MetricSource {
 public:
  mutable std::vector<std::string> named;
  mutable int64_t start_ms = 0, end_ms = 0;
  Result<std::vector<store::MetricSeries>> select(const store::MetricRequest& request) const override {
    named = request.named_labels;
    start_ms = request.start_ms;
    end_ms = request.end_ms;
    return std::vector<store::MetricSeries>{};
  }
  std::vector<store::MetricDescription> describe() const override { return {}; }
};

TEST(PromqlEngine, TellsTheSourceWhatItNeeds) {
  NamedLabels source;
  ASSERT_TRUE(query_range(source,
                          "sum by (a) (rate(foo{b=\"1\"}[10m] offset 5m)) * on (c) group_left (d) sum by (c, d) "
                          "(label_replace(rate(bar[10m] offset 5m), \"e\", \"$1\", \"f\", \"(.*)\"))",
                          {1'000'000, 2'000'000, 60'000}, {})
                  .ok());
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    EXPECT_TRUE(std::find(source.named.begin(), source.named.end(), name) != source.named.end()) << name;
  }
  EXPECT_EQ(source.start_ms, 1'000'000 - 300'000 - 600'000 + 1);
  EXPECT_EQ(source.end_ms, 1'960'000 - 300'000);
}

}  // namespace
}  // namespace contextcore::promql
