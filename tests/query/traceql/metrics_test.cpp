#include "query/traceql/metrics.h"

#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <sstream>

#include "base/time.h"
#include "golden.h"
#include "memory_source.h"
#include "query/common/text.h"
#include "query/traceql/parser.h"
#include "query/traceql/tags.h"

namespace contextcore::traceql {
namespace {

using testing::data_path;
using testing::GoldenCase;
using testing::load_traces;
using testing::MemorySource;
using testing::read_golden;

const MemorySource& source() {
  static const MemorySource kSource(load_traces(data_path("traces.json")));
  return kSource;
}

std::string text_of(const otlp::Value& value) {
  if (const auto* text = value.as_string()) return "\"" + *text + "\"";
  if (const auto* integer = value.as_int()) return std::to_string(*integer);
  if (const auto* real = value.as_double()) return query::format_sample(*real) + "f";
  if (const auto* boolean = value.as_bool()) return *boolean ? "true" : "false";
  return "[...]";
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", value);
  return text;
}

// {a="x"} 1 _ 2: a value for each interval, _ where there is none.
std::string describe(const MetricsResult& result, const MetricsGrid& grid) {
  std::string out;
  for (const MetricsSeries& series : result.series) {
    if (!out.empty()) out += " ; ";
    out += "{";
    for (const otlp::KeyValue& label : series.labels) {
      if (out.back() != '{') out += ",";
      out += label.key + "=" + text_of(label.value);
    }
    out += "}";
    size_t at = 0;
    for (size_t step = 0; step < grid.points(); ++step) {
      const bool here = at < series.points.size() && series.points[at].step == step;
      out += here ? " " + number_text(series.points[at++].value) : " _";
    }
  }
  return out;
}

// "@start end step query", or "@start end query" for one interval.
Result<MetricsGrid> take_grid(std::string_view& text) {
  std::array<int64_t, 3> numbers{};
  size_t count = 0;
  text.remove_prefix(1);
  while (count < numbers.size() && !text.empty() && text[0] >= '0' && text[0] <= '9') {
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), numbers[count++]);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return count == 3 ? range_grid(numbers[0], numbers[1], numbers[2])
                    : instant_grid(numbers[0], numbers[1]);
}

TEST(TraceqlMetrics, Golden) {
  const auto cases = read_golden("metrics.txt", "=>");
  ASSERT_GT(cases.size(), 50u);
  for (const GoldenCase& c : cases) {
    SCOPED_TRACE("metrics.txt:" + std::to_string(c.line) + ": " + c.query);
    std::string_view text = c.query;
    ASSERT_TRUE(text.starts_with('@'));
    MetricsOptions options;
    const auto grid = take_grid(text);
    ASSERT_TRUE(grid.ok()) << grid.error().to_string();
    options.grid = *grid;
    const auto result = query_metrics(source(), text, options);
    const std::string got = result.ok() ? describe(*result, *grid) : "!! " + result.error().message;
    EXPECT_EQ(got, c.expected.empty() ? "" : c.expected.substr(1));
  }
}

// What the store is asked for loses nothing.
TEST(TraceqlMetrics, PushDownLosesNothing) {
  const MemorySource whole(load_traces(data_path("traces.json")), false);
  for (const GoldenCase& c : read_golden("metrics.txt", "=>")) {
    SCOPED_TRACE(c.query);
    std::string_view text = c.query;
    MetricsOptions options;
    options.grid = *take_grid(text);
    const auto a = query_metrics(source(), text, options);
    const auto b = query_metrics(whole, text, options);
    ASSERT_EQ(a.ok(), b.ok());
    if (!a.ok()) continue;
    EXPECT_EQ(describe(*a, options.grid), describe(*b, options.grid));
  }
}

MetricsResult ask(const std::string& text, MetricsOptions options = {}) {
  options.grid = *range_grid(1000, 5000, 500);
  auto result = query_metrics(source(), text, options);
  EXPECT_TRUE(result.ok()) << text;
  return result.ok() ? std::move(*result) : MetricsResult{};
}

size_t count_exemplars(const MetricsResult& result) {
  size_t count = 0;
  for (const MetricsSeries& series : result.series) count += series.exemplars.size();
  return count;
}

TEST(TraceqlMetrics, AnExemplarStandsForATrace) {
  const MetricsResult result = ask("{ span.s = \"x\" } | rate() by (name)");
  ASSERT_EQ(result.series.size(), 2u);
  const std::vector<Exemplar>& exemplars = result.series[0].exemplars;
  ASSERT_EQ(exemplars.size(), 1u);
  EXPECT_EQ(exemplars[0].time_ns, 1000);
  EXPECT_EQ(exemplars[0].value, result.series[0].points[0].value);  // that of its interval
  EXPECT_EQ(exemplars[0].labels[0].key, "trace:id");
  EXPECT_EQ(*exemplars[0].labels[0].value.as_string(), "a01");
  EXPECT_EQ(exemplars[0].labels[1].key, "span.s");
}

TEST(TraceqlMetrics, AnExemplarOfAFieldHasItsOwnValue) {
  const MetricsResult result = ask("{ } | max_over_time(span.task.story_points)");
  ASSERT_EQ(count_exemplars(result), 1u);
  EXPECT_EQ(result.series[0].exemplars[0].value, 8);
}

TEST(TraceqlMetrics, ExemplarsAreLimitedByRequestAndHint) {
  EXPECT_EQ(count_exemplars(ask("{ } | rate()")), 4u);  // one of each trace
  MetricsOptions options;
  options.exemplars_max = 1;
  EXPECT_EQ(count_exemplars(ask("{ } | rate()", options)), 1u);
  EXPECT_EQ(count_exemplars(ask("{ } | rate() with (exemplars=false)")), 0u);
  EXPECT_EQ(count_exemplars(ask("{ } | rate() with (exemplars=2)", options)), 2u);
}

TEST(TraceqlMetrics, ArithmeticReachesExemplars) {
  const MetricsResult result = ask("10 * ({ } | max_over_time(span.task.story_points))");
  ASSERT_EQ(count_exemplars(result), 1u);
  EXPECT_EQ(result.series[0].exemplars[0].value, 80);
  EXPECT_EQ(count_exemplars(ask("{ } | max_over_time(span.task.story_points) > 100")), 0u);
}

TEST(TraceqlMetrics, MoreSeriesThanWantedAreToldApart) {
  MetricsOptions options;
  options.series_max = 2;
  const MetricsResult result = ask("{ } | rate() by (name)", options);
  EXPECT_EQ(result.series.size(), 2u);
  EXPECT_TRUE(result.truncated);
}

TEST(TraceqlMetrics, CheckpointEndsTheQuery) {
  MetricsOptions options;
  options.grid = *range_grid(1000, 5000, 1000);
  options.checkpoint = []() -> contextcore::Status { return {Code::cancelled, "gone"}; };
  for (const char* query : {"{ } | rate()", "{ } | compare({ status = error })"}) {
    const auto result = query_metrics(source(), query, options);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Code::cancelled);
  }
}

TEST(TraceqlMetrics, OnlyMetricsQueriesGiveNumbers) {
  MetricsOptions options;
  options.grid = *range_grid(1000, 5000, 1000);
  const auto result = query_metrics(source(), "{ }", options);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "not a metrics query");
}

TEST(TraceqlMetricsGrid, RangesLieOnMultiplesOfTheStep) {
  // As the original: ten minutes of a minute each give eleven samples and the one before.
  const int64_t start_ns = 1'700'000'040 * kSecondNs;  // a whole minute
  const auto grid = range_grid(start_ns, start_ns + 10 * kMinuteNs, kMinuteNs);
  ASSERT_TRUE(grid.ok());
  EXPECT_EQ(grid->points(), 11u);
  EXPECT_EQ(grid->time_of(0), start_ns);
  EXPECT_EQ(grid->time_of(10), start_ns + 10 * kMinuteNs);
  EXPECT_EQ(grid->interval(start_ns), 0u);  // closed at the right
  EXPECT_EQ(grid->interval(start_ns + 1), 1u);
  EXPECT_EQ(grid->interval(start_ns - kMinuteNs), std::nullopt);
  EXPECT_EQ(grid->interval(start_ns + 10 * kMinuteNs + 1), std::nullopt);
}

TEST(TraceqlMetricsGrid, DefaultStepsAreRound) {
  EXPECT_EQ(default_step(0, kHourNs), 15 * kSecondNs);
  EXPECT_EQ(default_step(0, 30 * kSecondNs), 100 * kMillisecondNs);
  EXPECT_EQ(default_step(0, 5 * kSecondNs), 50 * kMillisecondNs);
  EXPECT_EQ(default_step(0, 5 * kMinuteNs), kSecondNs);
  EXPECT_EQ(default_step(0, 24 * kHourNs), 5 * kMinuteNs);
  EXPECT_EQ(default_step(0, 30 * 24 * kHourNs), 3 * kHourNs);
}

TEST(TraceqlMetricsGrid, RefusesWhatIsNoRange) {
  EXPECT_EQ(range_grid(5, 5, 1).error().message, "end must be greater than start");
  EXPECT_EQ(instant_grid(6, 5).error().message, "end must be greater than start");
  EXPECT_EQ(range_grid(0, 10, 0).error().message, "step must be greater than 0");
  EXPECT_EQ(range_grid(0, kMinuteNs * 10, kMillisecondNs).error().message,
            "step of 1ms is too small, minimum step for given range is 60ms");
  EXPECT_FALSE(range_grid(-5, 10, 1).ok());
  EXPECT_FALSE(range_grid(0, INT64_MAX, INT64_MAX / 2).ok());
  EXPECT_TRUE(range_grid(0, 9'000'000'000'000'000'000, INT64_MAX / 100).ok());
}

// ---- tags ----

std::string answer(const std::string& line) {
  std::istringstream words(line);
  std::string kind, field, query;
  words >> kind;
  if (kind == "values") words >> field;
  std::getline(words >> std::ws, query);
  TagsOptions options;
  options.query = query;
  std::string out;
  if (kind == "names") {
    const auto scopes = tag_names(source(), options);
    if (!scopes.ok()) return "!! " + scopes.error().message;
    for (const ScopeTags& scope : *scopes) {
      out += (out.empty() ? "" : " ; ") + scope.scope + ":";
      for (const std::string& tag : scope.tags) out += " " + tag;
    }
    return out;
  }
  const auto values = tag_values(source(), *parse_attribute(field), options);
  if (!values.ok()) return "!! " + values.error().message;
  for (const TagValue& value : *values) {
    out += (out.empty() ? "" : " ") + value.type + ":" + value.value;
  }
  return out;
}

TEST(TraceqlTags, Golden) {
  const auto cases = read_golden("tags.txt", "=>");
  ASSERT_GT(cases.size(), 20u);
  for (const GoldenCase& c : cases) {
    SCOPED_TRACE("tags.txt:" + std::to_string(c.line) + ": " + c.query);
    EXPECT_EQ(answer(c.query), c.expected.empty() ? "" : c.expected.substr(1));
  }
}

TEST(TraceqlTags, LimitsAreKept) {
  TagsOptions options;
  options.limit = 2;
  EXPECT_EQ(tag_values(source(), *parse_attribute("name"), options)->size(), 2u);
  options.limit = 0;
  options.bytes_max = 10;
  size_t bytes = 0;
  const auto values = tag_values(source(), *parse_attribute("name"), options);
  for (const TagValue& value : *values) bytes += value.value.size();
  EXPECT_GT(bytes, 0u);
  EXPECT_LE(bytes, 10u);
}

}  // namespace
}  // namespace contextcore::traceql
