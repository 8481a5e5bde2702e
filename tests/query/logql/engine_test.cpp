#include "query/logql/engine.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "base/time.h"
#include "query/logql/golden.h"
#include "query/logql/memory_source.h"
#include "query/logql/parser.h"
#include "query/logql/print.h"
#include "query/logql/random_query.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

constexpr double kNsPerSecond = 1e9;

std::string seconds(int64_t ns) { return format_number(static_cast<double>(ns) / kNsPerSecond); }
int64_t to_ns(const std::string& text) {
  return static_cast<int64_t>(std::stod(text) * kNsPerSecond);
}

LabelPairs read_labels(const std::string& text) {
  LabelPairs out;
  auto matchers = parse_matchers(text);
  EXPECT_TRUE(matchers.ok()) << text;
  if (!matchers.ok()) return out;
  for (const Matcher& matcher : *matchers) out.emplace_back(matcher.name, matcher.value);
  std::sort(out.begin(), out.end());
  return out;
}

// ---- answers as text ----

std::string render(const Streams& streams, bool categorize) {
  std::string out;
  for (const ResultStream& stream : streams) {
    out += to_string(stream.labels) + "\n";
    for (const ResultEntry& entry : stream.entries) {
      out += "  " + seconds(entry.time_ns) + " " + entry.line;
      if (categorize)
        out += " metadata=" + to_string(entry.metadata) + " parsed=" + to_string(entry.parsed);
      out += "\n";
    }
  }
  return out.empty() ? "empty\n" : out;
}

std::string render(const std::vector<Series>& all) {
  std::string out;
  for (const Series& one : all) {
    out += to_string(one.labels);
    for (const Sample& sample : one.samples)
      out += " " + seconds(sample.time_ns) + "=" + format_number(sample.value);
    out += "\n";
  }
  return out.empty() ? "empty\n" : out;
}

std::string render(const Result<QueryResult>& result, bool categorize = false) {
  if (!result.ok())
    return "error " + std::string(code_name(result.error().code)) + ": " + result.error().message +
           "\n";
  if (const auto* streams = std::get_if<Streams>(&result->data))
    return render(*streams, categorize);
  if (const auto* matrix = std::get_if<Matrix>(&result->data)) return render(matrix->series);
  if (const auto* vector = std::get_if<Vector>(&result->data)) return render(vector->series);
  const Sample& sample = std::get<Scalar>(result->data).sample;
  return "scalar " + seconds(sample.time_ns) + "=" + format_number(sample.value) + "\n";
}

// ---- data files ----
//
// "entries NAME", then "stream {...}" and entries "SECONDS {metadata} line" (or - for no metadata).
// "logs NAME key=value ...", "range NAME start= end= step=", "instant NAME time=": the query on the
// next line, then the answer as render() writes it; a line "error CODE: text" expects a part of the
// message.

std::vector<MemoryEntry> read_entries(const Block& block) {
  std::vector<MemoryEntry> out;
  LabelPairs stream;
  for (size_t i = 1; i < block.lines.size(); ++i) {
    const std::string& line = block.lines[i];
    if (line.starts_with("stream ")) {
      stream = read_labels(line.substr(7));
      continue;
    }
    MemoryEntry entry;
    entry.stream = stream;
    const size_t blank = line.find(' ');
    entry.time_ns = to_ns(line.substr(0, blank));
    std::string rest = line.substr(blank + 1);
    const size_t end = rest.starts_with("- ") ? 1 : rest.find("} ") + 1;
    if (end > 1) entry.metadata = read_labels(rest.substr(0, end));
    entry.line = rest.substr(end + 1);
    // \e in a data file is the escape character.
    for (size_t at = 0; (at = entry.line.find("\\e[", at)) != std::string::npos;)
      entry.line.replace(at, 2, "\x1b");
    out.push_back(std::move(entry));
  }
  return out;
}

struct Case {
  std::string kind, dataset, query, expected;
  std::map<std::string, std::string> options;

  int64_t time(const std::string& key) const {
    return options.contains(key) ? to_ns(options.at(key)) : 0;
  }
};

Case read_case(const Block& block) {
  Case out;
  std::istringstream head(block.lines[0]);
  head >> out.kind >> out.dataset;
  for (std::string option; head >> option;) {
    const size_t equals = option.find('=');
    out.options[option.substr(0, equals)] =
        equals == std::string::npos ? "" : option.substr(equals + 1);
  }
  if (block.lines.size() > 1) out.query = block.lines[1];
  for (size_t i = 2; i < block.lines.size(); ++i) out.expected += block.lines[i] + "\n";
  return out;
}

std::string run(const Case& one, const store::Source& source) {
  if (one.kind == "instant") {
    InstantParams params;
    params.time_ns = one.time("time");
    return render(query_instant(source, one.query, params));
  }
  RangeParams params;
  params.start_ns = one.time("start");
  params.end_ns = one.time("end");
  params.step_ns = one.time("step");
  if (one.options.contains("limit")) params.limit = std::stol(one.options.at("limit"));
  if (one.options.contains("forward")) params.direction = Direction::forward;
  params.categorize_labels = one.options.contains("categorize");
  return render(query_range(source, one.query, params), params.categorize_labels);
}

void run_file(const std::string& file, size_t cases_min) {
  std::map<std::string, std::vector<MemoryEntry>> datasets;
  size_t cases = 0;
  for (const Block& block : read_blocks(file)) {
    SCOPED_TRACE(block.where());
    Case one = read_case(block);
    if (one.kind == "entries") {
      datasets[one.dataset] = read_entries(block);
      continue;
    }
    ++cases;
    ASSERT_TRUE(datasets.contains(one.dataset)) << one.dataset;
    ASSERT_TRUE(one.kind == "logs" || one.kind == "range" || one.kind == "instant") << one.kind;
    ASSERT_FALSE(one.expected.empty()) << "no answer expected";
    for (const bool exact : {true, false}) {
      const std::string actual = run(one, MemorySource(datasets[one.dataset], exact));
      if (one.expected.starts_with("error ")) {
        EXPECT_TRUE(actual.starts_with("error ")) << one.query << "\n" << actual;
        EXPECT_NE(actual.find(one.expected.substr(0, one.expected.size() - 1)), std::string::npos)
            << one.query << "\nexpected " << one.expected << "actual   " << actual;
      } else {
        EXPECT_EQ(actual, one.expected) << one.query;
      }
    }
  }
  EXPECT_GE(cases, cases_min);
}

TEST(LogqlEngine, LogQueries) { run_file("logs.txt", 45); }
TEST(LogqlEngine, MetricQueries) { run_file("metrics.txt", 45); }

// ---- properties ----

std::vector<MemoryEntry> random_entries(uint64_t seed) {
  SeededRandom random(seed);
  auto pick = [&](std::initializer_list<const char*> items) {
    return std::string(*(items.begin() + static_cast<std::ptrdiff_t>(random.below(items.size()))));
  };
  std::vector<MemoryEntry> out;
  for (int i = 0; i < 60; ++i) {
    MemoryEntry entry;
    entry.time_ns = static_cast<int64_t>(random.below(100)) * kSecondNs;
    entry.stream = {{"app", pick({"a", "b"})}, {"env", pick({"p", "q", "r"})}};
    if (random.below(2) == 0) entry.metadata = {{"task", pick({"t1", "t2"})}};
    entry.line =
        pick({R"({"event":"start","n":5,"d":"1.5s"})", R"({"event":"stop","n":7,"env":"x"})",
              R"({"event":"stop","n":"many","o":{"p":true}})", "level=info n=3 d=20ms",
              "plain text", R"({"broken":)"});
    out.push_back(std::move(entry));
  }
  return out;
}

std::string random_pipeline(SeededRandom& random) {
  constexpr const char* kStages[] = {
      R"(|= "start")",
      R"(!= "stop")",
      "|~ \"st(art|op)\"",
      R"(|= "info" or "start")",
      "| json",
      "| json",
      "| logfmt",
      R"(| event="stop")",
      R"(| n > 4)",
      R"(| __error__="")",
      R"(| __error__="")",
      R"(| task!="")",
      "| drop n",
      "| keep event,n,app",
      R"(| env=~"p|x")",
      R"(| json e="event")",
      R"(| d >= 1s)",
      R"(!~ "x$")",
      R"(| label_format z=event)",
      R"(| (n=5 or task="t1"))",
  };
  std::string out;
  for (uint64_t n = random.below(5); n > 0; --n)
    out += std::string(" ") + kStages[random.below(std::size(kStages))];
  return out;
}

std::string random_selector(SeededRandom& random) {
  constexpr const char* kSelectors[] = {R"({app="a"})", R"({app=~".+"})",
                                        R"({app=~"a|b", env!="q"})", R"({env="p", absent=""})"};
  return kSelectors[random.below(std::size(kSelectors))] + random_pipeline(random);
}

// What the store is asked to leave out is what the pipeline would drop.
TEST(LogqlEngine, PushedDownConditionsChangeNothing) {
  size_t answered = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SeededRandom random(seed);
    Case one;
    one.kind = "range";
    one.query = random_selector(random);
    if (random.below(2) == 0) one.query = "count_over_time(" + one.query + " [20s])";
    one.options = {{"start", std::to_string(random.below(50))},
                   {"end", std::to_string(50 + random.below(60))},
                   {"step", std::to_string(5 + random.below(20))},
                   {"limit", std::to_string(1 + random.below(80))}};
    if (random.below(2) == 0) one.options["forward"] = "";
    const auto entries = random_entries(seed);
    const std::string exact = run(one, MemorySource(entries, true));
    ASSERT_EQ(exact, run(one, MemorySource(entries, false))) << "seed " << seed << "\n"
                                                             << one.query;
    answered += exact.starts_with("error") || exact == "empty\n" ? 0 : 1;
  }
  EXPECT_GT(answered, 100u);
}

// A sum over an aggregation is computed on the entries; over `... * 1` it is computed on the
// series.
TEST(LogqlEngine, SumsOverEntriesEqualSumsOverSeries) {
  constexpr const char* kGroupings[] = {
      "", " by (app)", " by (event, app)", " without (env)", " without ()", " by (nope)"};
  constexpr const char* kFunctions[] = {"count_over_time", "rate", "bytes_over_time", "bytes_rate"};
  size_t answered = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SeededRandom random(seed);
    std::string inner = random_selector(random) + R"( | __error__="" )";
    inner =
        random.below(4) == 0
            ? "sum_over_time(" + inner + "| json | unwrap n | __error__=\"\" [40s])"
            : std::string(kFunctions[random.below(std::size(kFunctions))]) + "(" + inner + "[40s])";
    const std::string sum = std::string("sum") + kGroupings[random.below(std::size(kGroupings))];
    Case one;
    one.kind = "range";
    one.options = {{"start", "0"}, {"end", "120"}, {"step", "8"}};
    const MemorySource source(random_entries(seed));
    one.query = sum + "(" + inner + ")";
    const std::string pushed = run(one, source);
    one.query = sum + "((" + inner + " * 40))";
    std::string expected_query = "(" + sum + "(" + inner + ") * 40)";
    const std::string naive = run(one, source);
    one.query = expected_query;
    // Times 40 the rates are whole numbers, and sums do not depend on their order.
    ASSERT_EQ(run(one, source), naive) << "seed " << seed << "\n" << inner;
    answered += pushed.starts_with("error") || pushed == "empty\n" ? 0 : 1;
  }
  EXPECT_GT(answered, 80u);
}

// Random queries of the whole grammar: an answer or an error, and the same for the printed form.
TEST(LogqlEngine, PrintedQueriesAnswerTheSame) {
  const MemorySource source(random_entries(7));
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    Case one;
    one.kind = "range";
    one.options = {{"start", "0"}, {"end", "100"}, {"step", "50"}};
    one.query = print(RandomQuery(seed).expr());
    const std::string first = run(one, source);
    auto expr = parse(one.query);
    ASSERT_TRUE(expr.ok());
    one.query = print(*expr);
    ASSERT_EQ(run(one, source), first) << one.query;
  }
}

// ---- limits and labels ----

TEST(LogqlEngine, RefusesBadRanges) {
  const MemorySource source({});
  RangeParams params;
  params.start_ns = 10;
  params.end_ns = 5;
  params.step_ns = 1;
  EXPECT_EQ(query_range(source, R"({a="b"})", params).error().message,
            "end timestamp must not be before or equal to start time");
  params = {};
  params.end_ns = 100 * kSecondNs;
  EXPECT_NE(query_range(source, R"(rate({a="b"}[1m]))", params)
                .error()
                .message.find("zero or negative query resolution"),
            std::string::npos);
  params.step_ns = kMillisecondNs;
  EXPECT_NE(query_range(source, R"(rate({a="b"}[1m]))", params)
                .error()
                .message.find("exceeded maximum resolution"),
            std::string::npos);
  params.limit = 0;
  EXPECT_EQ(query_range(source, R"({a="b"})", params).error().message,
            "limit must be a positive value");
  params.limit = 5001;
  EXPECT_EQ(
      query_range(source, R"({a="b"})", params).error().message,
      "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)");
}

TEST(LogqlEngine, StopsAtItsLimits) {
  const MemorySource source(random_entries(1));
  RangeParams params;
  params.end_ns = 100 * kSecondNs;
  params.step_ns = 10 * kSecondNs;
  params.limits.series_max = 2;
  auto result = query_range(source, R"(count_over_time({app=~".+"}[1m]))", params);
  ASSERT_FALSE(result.ok());
  EXPECT_TRUE(result.error().message.starts_with(
      "maximum number of series (2) reached for a single query"));
  params.limits = {};
  params.limits.samples_max = 5;
  result = query_range(source, R"(count_over_time({app=~".+"}[1m]))", params);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::resource_exhausted);
  params.limits = {};
  params.cancelled = [] { return true; };
  result = query_range(source, R"({app=~".+"})", params);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::cancelled);
}

TEST(LogqlEngine, CountsWhatItReads) {
  const MemorySource source(
      {{5, {{"a", "b"}}, "12345", {}}, {6, {{"a", "b"}}, "123", {}}, {7, {{"a", "c"}}, "1", {}}});
  RangeParams params;
  params.end_ns = 100;
  auto result = query_range(source, R"({a="b"})", params);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->statistics.entries_read, 2u);
  EXPECT_EQ(result->statistics.bytes_read, 8u);
}

TEST(LogqlEngine, LabelsOfTheStreamsInRange) {
  const MemorySource source({{5, {{"app", "x"}, {"env", "p"}}, "l", {{"meta", "m"}}},
                             {6, {{"app", "y"}}, "l", {}},
                             {50, {{"late", "z"}}, "l", {}}});
  using Names = std::vector<std::string>;
  EXPECT_EQ(*label_names(source, "", 0, 10), (Names{"app", "env"}));
  EXPECT_EQ(*label_names(source, R"({app="y"})", 0, 10), (Names{"app"}));
  EXPECT_EQ(*label_names(source, "{}", 0, 100), (Names{"app", "env", "late"}));
  EXPECT_EQ(*label_values(source, "app", "", 0, 10), (Names{"x", "y"}));
  EXPECT_EQ(*label_values(source, "app", R"({env="p"})", 0, 10), (Names{"x"}));
  EXPECT_EQ(*label_values(source, "meta", "", 0, 10), Names{});
  auto two = series(source, {R"({app="x"})", R"({late=~".+"})"}, 0, 100);
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(*two, (std::vector<LabelPairs>{{{"app", "x"}, {"env", "p"}}, {{"late", "z"}}}));
  EXPECT_FALSE(label_names(source, "{", 0, 10).ok());
}

}  // namespace
}  // namespace contextcore::logql
