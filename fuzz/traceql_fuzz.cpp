// TraceQL: no input may crash the parser, and what it accepts must survive printing: the canonical
// text parses to an equal query and prints as itself. What is valid is evaluated over a few spans:
// as a search, as numbers over time, as the filter of an autocompletion. An answer or an error with
// words comes back.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/sim_file_system.h"
#include "otlp/json.h"
#include "query/traceql/engine.h"
#include "query/traceql/metrics.h"
#include "query/traceql/parser.h"
#include "query/traceql/printer.h"
#include "query/traceql/tags.h"
#include "query/traceql/validate.h"
#include "store/store.h"

namespace {

[[noreturn]] void fail(std::string_view what, const std::string& text) {
  std::fprintf(stderr, "%.*s\n  %s\n", static_cast<int>(what.size()), what.data(), text.c_str());
  std::abort();
}

// Two traces: attributes of every type, an event, a link, an orphan.
constexpr std::string_view kSpans = R"({"resourceSpans":[{"resource":{"attributes":[
{"key":"service.name","value":{"stringValue":"shop"}},{"key":"a","value":{"intValue":"1"}}]},
"scopeSpans":[{"scope":{"name":"lib"},"spans":[
{"traceId":"000000000000000000000000000000a1","spanId":"00000000000000c3","name":"b","kind":2,
"startTimeUnixNano":"1000","endTimeUnixNano":"9000","attributes":[
{"key":"a","value":{"intValue":"5"}},{"key":"b","value":{"doubleValue":0.5}},
{"key":"c","value":{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":"2"}]}}},
{"key":"d","value":{"boolValue":true}},{"key":"foo","value":{"stringValue":"bar"}}],
"events":[{"timeUnixNano":"1500","name":"e","attributes":[{"key":"a","value":{"intValue":"1"}}]}]},
{"traceId":"000000000000000000000000000000a1","spanId":"00000000000000c4",
"parentSpanId":"00000000000000c3","name":"c","kind":3,"startTimeUnixNano":"2000",
"endTimeUnixNano":"3000","status":{"code":2,"message":"m"},
"links":[{"traceId":"000000000000000000000000000000a2","spanId":"00000000000000c5"}]}]}]},
{"resource":{},"scopeSpans":[{"spans":[{"traceId":"000000000000000000000000000000a2",
"spanId":"00000000000000c5","parentSpanId":"00000000000000ff","name":"orphan",
"startTimeUnixNano":"4000","endTimeUnixNano":"5000"}]}]}]})";

struct World {
  contextcore::ManualClock clock;
  contextcore::SeededRandom random{1};
  contextcore::SimDisk disk{1, &clock};
  std::unique_ptr<contextcore::SimFileSystem> files = disk.start_process();
  std::unique_ptr<contextcore::store::Store> store;
  contextcore::store::Store::Read read;

  World() {
    contextcore::store::StoreOptions options;
    options.path = "/store";
    options.mode = contextcore::store::StoreMode::server;
    options.file_system = files.get();
    options.clock = &clock;
    options.random = &random;
    auto opened = contextcore::store::Store::open(std::move(options));
    if (!opened.ok()) std::abort();
    store = std::move(*opened);
    const auto spans = contextcore::otlp::decode_traces_json(kSpans);
    if (!spans.ok() || !store->ingest(*spans, {}).ok()) std::abort();
    auto opened_read = store->read();
    if (!opened_read.ok()) std::abort();
    read = std::move(*opened_read);
  }
};

const contextcore::store::Source& source() {
  static const World world;
  return *world.read.source;
}

template <typename T>
void check(const contextcore::Result<T>& result) {
  if (!result.ok() && result.error().message.empty()) fail("an error without words", "");
}

void evaluate(const contextcore::traceql::Query& query, const std::string& text) {
  using namespace contextcore::traceql;
  check(search(source(), query));
  MetricsOptions range;
  range.grid = *range_grid(500, 6000, 1000);
  const auto numbers = query_metrics(source(), query, range);
  check(numbers);
  if (numbers.ok()) {
    for (const MetricsSeries& series : numbers->series) {
      for (size_t i = 0; i < series.points.size(); ++i) {
        if (series.points[i].step >= range.grid.points()) fail("a point beyond the range", text);
        if (i > 0 && series.points[i].step <= series.points[i - 1].step) {
          fail("points out of order", text);
        }
      }
    }
  }
  MetricsOptions instant;
  instant.grid = *instant_grid(0, 6000);
  check(query_metrics(source(), query, instant));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace contextcore::traceql;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto query = parse(text);
  TagsOptions tags;
  tags.query = text;
  check(tag_names(source(), tags));
  if (!query.ok()) {
    const auto& error = query.error();
    if (error.position && static_cast<size_t>(*error.position) > size) {
      fail("error position outside the query", error.message);
    }
    return 0;
  }
  const bool valid = validate(*query, text).ok();
  if (valid) evaluate(*query, text);
  const std::string printed = to_string(*query);
  ParseOptions options;
  options.query_bytes_max = SIZE_MAX;  // parentheses may make it longer than the source was
  const auto again = parse(printed, options);
  if (!again.ok()) fail("canonical text does not parse: " + again.error().message, printed);
  if (!(*again == *query)) fail("canonical text parses to another query", printed);
  if (to_string(*again) != printed) fail("printing is not idempotent", printed);
  if (validate(*again, printed).ok() != valid) fail("canonical text differs in validity", printed);
  return 0;
}
