#include "query/traceql/engine.h"

#include <gtest/gtest.h>

#include "golden.h"
#include "memory_source.h"
#include "query/traceql/parser.h"
#include "query/traceql/printer.h"

namespace contextcore::traceql {
namespace {

using testing::data_path;
using testing::GoldenCase;
using testing::load_traces;
using testing::MemorySource;
using testing::MemoryTrace;
using testing::read_golden;

const std::vector<MemoryTrace>& traces() {
  static const std::vector<MemoryTrace> kTraces = load_traces(data_path("traces.json"));
  return kTraces;
}

std::string short_id(const otlp::SpanId& id) {
  std::string text = otlp::to_hex(id);
  text.erase(0, text.find_first_not_of('0'));
  return text;
}

std::string describe(const SearchResult& result) {
  std::string out;
  for (const MatchedTrace& trace : result.traces) {
    if (!out.empty()) out += " ;";
    for (size_t i = 0; i < trace.spansets.size(); ++i) {
      if (i > 0) out += " /";
      for (const MatchedSpan& span : trace.spansets[i].spans) out += " " + short_id(span.span_id);
    }
  }
  return out.empty() ? out : out.substr(1);
}

SearchOptions everything() {
  SearchOptions options;
  options.traces_max = 1000;
  options.spans_per_spanset = 1000;
  return options;
}

TEST(TraceqlEngine, GoldenSearches) {
  ASSERT_EQ(traces().size(), 4u);
  const auto expected = read_golden("search.txt", "=>");
  const auto refused = read_golden("search.txt", "!! ");
  ASSERT_GT(expected.size(), 100u);
  const MemorySource source(traces());
  for (size_t i = 0; i < expected.size(); ++i) {
    const GoldenCase& c = expected[i];
    if (c.query.starts_with("!! ")) continue;
    SCOPED_TRACE("search.txt:" + std::to_string(c.line) + ": " + c.query);
    const auto result = search(source, c.query, everything());
    const bool fails = i + 1 < expected.size() && expected[i + 1].query.starts_with("!! ");
    if (fails) {
      ASSERT_FALSE(result.ok()) << describe(*result);
      const std::string wanted = expected[i + 1].query.substr(3);
      EXPECT_NE(result.error().message.find(wanted), std::string::npos) << result.error().message;
      continue;
    }
    ASSERT_TRUE(result.ok()) << result.error().to_string();
    const std::string ids = c.expected.empty() ? "" : c.expected.substr(1);
    EXPECT_EQ(describe(*result), ids);
  }
}

// A reader of the same source that ignores conditions gives the same answers.
void expect_same_without_push_down(const std::string& query) {
  SCOPED_TRACE(query);
  const MemorySource pruned(traces());
  const MemorySource whole(traces(), false);
  const auto a = search(pruned, query, everything());
  const auto b = search(whole, query, everything());
  ASSERT_EQ(a.ok(), b.ok());
  if (!a.ok()) return;
  EXPECT_EQ(describe(*a), describe(*b));
  EXPECT_LE(pruned.fetched(), whole.fetched());
}

TEST(TraceqlEngine, PushDownLosesNothingOfTheGoldenSearches) {
  for (const GoldenCase& c : read_golden("search.txt", "=>")) {
    if (!c.query.starts_with("!! ")) expect_same_without_push_down(c.query);
  }
}

// Deterministic choices for generated queries.
class Chooser {
 public:
  explicit Chooser(uint64_t seed) : state_(seed) {}
  size_t below(size_t count) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>(state_ >> 33) % count;
  }
  std::string from(const std::vector<std::string>& choices) {
    return choices[below(choices.size())];
  }

 private:
  uint64_t state_;
};

std::string make_comparison(Chooser& choose) {
  const std::string field =
      choose.from({"span.i", "span.f", ".i", ".region", "span.s", ".s", "resource.region",
                   "span.arr", "span.nums", "event.k", "event.type", "link.w", ".missing", "span.b",
                   "instrumentation.lib"});
  const std::string value =
      choose.from({"5", "5.0", "4.5", "0", "-1", "1", "2.0", "\"x\"", "\"y\"", "\"a\"", "\"eu\"",
                   "true", "false", "2ns", "9007199254740993", "maxInt", "1e300"});
  switch (choose.below(8)) {
    case 0:
      return field + choose.from({" = nil", " != nil"});
    case 1:
      return field + choose.from({" =~ ", " !~ "}) + choose.from({"\"x|eu\"", "\".\"", "\".*\""});
    case 2:
      return value + choose.from({" = ", " != "}) + field;
    case 3:
      return choose.from({"status = error", "status != ok", "kind = server", "name =~ \".*e.*\"",
                          "duration > 99.5", "duration <= 100", "event:name = \"retry\"",
                          "span:parentID = \"1\"", "link:traceID = \"0b02\"", "true", "false",
                          "name != \"render\"", "span:childCount > 0"});
    default:
      break;
  }
  const bool word = value == "true" || value == "false";
  return field +
         (word ? choose.from({" = ", " != "})
               : choose.from({" = ", " != ", " < ", " <= ", " > ", " >= "})) +
         value;
}

std::string make_filter(Chooser& choose, int depth) {
  if (depth == 0 || choose.below(3) == 0) return make_comparison(choose);
  if (choose.below(5) == 0) return "!(" + make_filter(choose, depth - 1) + ")";
  return "(" + make_filter(choose, depth - 1) + choose.from({" && ", " || "}) +
         make_filter(choose, depth - 1) + ")";
}

std::string make_spanset(Chooser& choose, int depth) {
  if (depth == 0 || choose.below(2) == 0) return "{ " + make_filter(choose, 3) + " }";
  return "(" + make_spanset(choose, depth - 1) + " " +
         choose.from({"&&", "||", ">", ">>", "<", "<<", "~", "!>", "!>>", "!<", "!<<", "!~", "&>",
                      "&>>", "&<", "&<<", "&~"}) +
         " " + make_spanset(choose, depth - 1) + ")";
}

TEST(TraceqlEngine, PushDownLosesNothingOfGeneratedSearches) {
  Chooser choose(20'261'122);
  size_t matching = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string query = make_spanset(choose, 2);
    if (choose.below(3) == 0) query += " | " + make_spanset(choose, 1);
    if (choose.below(6) == 0) query += " | count() > 1";
    expect_same_without_push_down(query);
    const auto result = search(MemorySource(traces()), query, everything());
    ASSERT_TRUE(result.ok()) << query << ": " << result.error().message;
    matching += result->traces.empty() ? 0 : 1;
    const auto parsed = parse(query);
    EXPECT_EQ(*parse(to_string(*parsed)), *parsed) << query;
  }
  EXPECT_GT(matching, 100u);  // otherwise nothing was compared
}

TEST(TraceqlEngine, PushDownAsksTheStore) {
  const MemorySource source(traces());
  ASSERT_TRUE(search(source, "{ span.task.id = \"S-1\" }").ok());
  EXPECT_EQ(source.fetched(), 1u);
  ASSERT_TRUE(search(source, "{ span.i = 4 && status = error } >> { }").ok());
  EXPECT_EQ(source.fetched(), 2u);
  ASSERT_TRUE(search(source, "{ span.i = 4 && false }").ok());
  EXPECT_EQ(source.fetched(), 2u);
}

TEST(TraceqlEngine, AnswersCarryWhatTheyPromise) {
  const MemorySource source(traces());
  SearchOptions options;
  options.spans_per_spanset = 1;
  const auto result = search(source,
                             "{ span.i >= 4 && kind != server } | by(status) | "
                             "select(resource.region, event:name, duration)",
                             options);
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result->traces.size(), 2u);
  const MatchedTrace& trace = result->traces[1];
  EXPECT_EQ(otlp::to_hex(trace.trace_id), "00000000000000000000000000000a01");
  EXPECT_TRUE(trace.has_root);
  EXPECT_EQ(trace.root_service, "shop");
  EXPECT_EQ(trace.root_name, "GET /cart");
  EXPECT_EQ(trace.start_ns, 1000);
  EXPECT_EQ(trace.duration_ns, 500);
  ASSERT_EQ(trace.services.size(), 2u);
  EXPECT_EQ(trace.services[0].service, "shop");
  EXPECT_EQ(trace.services[0].spans, 2u);
  EXPECT_EQ(trace.services[0].errors, 1u);
  ASSERT_EQ(trace.spansets.size(), 2u);
  EXPECT_EQ(trace.spansets[0].attributes, (otlp::Attributes{{"by(status)", otlp::Value("error")}}));
  ASSERT_EQ(trace.spansets[0].spans.size(), 1u);
  const MatchedSpan& span = trace.spansets[0].spans[0];
  EXPECT_EQ(span.name, "db query");
  EXPECT_EQ(span.start_ns, 1100);
  EXPECT_EQ(span.duration_ns, 100);
  EXPECT_EQ(span.attributes, (otlp::Attributes{{"i", otlp::Value(4)},
                                               {"kind", otlp::Value("client")},
                                               {"status", otlp::Value("error")},
                                               {"region", otlp::Value("eu")},
                                               {"event:name", otlp::Value("exception")}}));
  EXPECT_FALSE(result->traces[0].has_root);
}

TEST(TraceqlEngine, CountsAllAndShowsSome) {
  SearchOptions options;
  options.spans_per_spanset = 2;
  options.traces_max = 1;
  const MemorySource source(traces());
  const auto result =
      search(source, "{ resource.service.name =~ \"shop|web\" } | count() > 2", options);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->traces.size(), 1u);
  const MatchedSpanset& spanset = result->traces[0].spansets[0];
  EXPECT_EQ(spanset.matched, 4u);
  EXPECT_EQ(spanset.spans.size(), 2u);
  EXPECT_EQ(spanset.attributes, (otlp::Attributes{{"count()", otlp::Value(4)}}));
}

TEST(TraceqlEngine, LimitTakesTheNewest) {
  SearchOptions options = everything();
  options.traces_max = 2;
  EXPECT_EQ(describe(*search(MemorySource(traces()), "{ }", options)), "31 32 33 ; 21 22 23");
  options.traces_max = 0;
  EXPECT_EQ(describe(*search(MemorySource(traces()), "{ }", options)), "");
}

TEST(TraceqlEngine, RangeIsThatOfTheAnswer) {
  const MemorySource source(traces());
  SearchOptions options = everything();
  options.range = {1310, 1340};
  // The range meets spans 1, 3 and 4 of the trace; span 2 had ended.
  EXPECT_EQ(describe(*search(source, "{ name = \"template\" }", options)), "4");
  EXPECT_EQ(describe(*search(source, "{ status = error }", options)), "");
  EXPECT_EQ(describe(*search(source, "{ status = error } || { kind = server }", options)), "1 2");
  // Conditions see spans outside of it.
  EXPECT_EQ(describe(*search(source, "{ status = error } ~ { name = \"render\" }", options)), "3");
}

TEST(TraceqlEngine, CheckpointEndsTheSearch) {
  SearchOptions options = everything();
  int left = 2;
  options.checkpoint = [&left]() -> contextcore::Status {
    if (left-- > 0) return {};
    return {Code::cancelled, "client went away"};
  };
  const auto result = search(MemorySource(traces()), "{ }", options);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::cancelled);
}

TEST(TraceqlEngine, SearchShowsTheSpansThatAMetricsQueryCounts) {
  EXPECT_EQ(describe(*search(MemorySource(traces()), "{ status = error } | rate()", everything())),
            "12 ; 2");
  for (const char* query : {"({ } | rate()) / ({ } | rate())", "{ } | count()"}) {
    const auto result = search(MemorySource(traces()), query, everything());
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Code::unsupported) << query;
  }
}

}  // namespace
}  // namespace contextcore::traceql
