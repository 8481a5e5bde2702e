// How fast OTLP is read and written: one request of 1000 spans as an SDK sends it.

#include <benchmark/benchmark.h>

#include <string>

#include "otlp/json.h"
#include "otlp/protobuf.h"

namespace contextcore::otlp {
namespace {

TracesData make_request() {
  TracesData data;
  ResourceSpans& resource_spans = data.resource_spans.emplace_back();
  resource_spans.resource.attributes = {{"service.name", "checkout"},
                                        {"service.version", "1.2.3"},
                                        {"host.name", "node-17.example.org"}};
  ScopeSpans& scope_spans = resource_spans.scope_spans.emplace_back();
  scope_spans.scope.name = "io.example.http";
  for (int64_t i = 0; i < 1000; ++i) {
    Span& span = scope_spans.spans.emplace_back();
    const auto low = static_cast<uint8_t>(i);
    span.trace_id.bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, low};
    span.span_id.bytes = {1, 2, 3, 4, 5, 6, 7, static_cast<uint8_t>(low | 1)};
    span.parent_span_id.bytes = {8, 7, 6, 5, 4, 3, 2, 1};
    span.name = "GET /cart/{id}";
    span.kind = SpanKind::server;
    span.start_ns = 1'700'000'000'000'000'000 + static_cast<uint64_t>(i) * 1'000'000;
    span.end_ns = span.start_ns + 750'000;
    span.attributes = {{"http.request.method", "GET"},
                       {"http.route", "/cart/{id}"},
                       {"http.response.status_code", i % 7 == 0 ? 500 : 200},
                       {"url.path", "/cart/" + std::to_string(i)},
                       {"user_agent.original", "curl/8.5.0"},
                       {"server.port", 8080},
                       {"retry", false},
                       {"cache.ratio", 0.25}};
    span.events.push_back({span.start_ns + 10, "cache miss", {{"cache.key", "cart"}}, 0});
  }
  return data;
}

void count_work(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * 1000));
}

void protobuf_decode(benchmark::State& state) {
  const std::string bytes = encode_protobuf(make_request());
  for (auto _ : state) benchmark::DoNotOptimize(decode_traces_protobuf(bytes));
  count_work(state, bytes.size());
}
BENCHMARK(protobuf_decode);

void protobuf_encode(benchmark::State& state) {
  const TracesData data = make_request();
  size_t size = 0;
  for (auto _ : state) size = encode_protobuf(data).size();
  count_work(state, size);
}
BENCHMARK(protobuf_encode);

void json_decode(benchmark::State& state) {
  const std::string text = encode_json(make_request());
  for (auto _ : state) benchmark::DoNotOptimize(decode_traces_json(text));
  count_work(state, text.size());
}
BENCHMARK(json_decode);

void json_encode(benchmark::State& state) {
  const TracesData data = make_request();
  size_t size = 0;
  for (auto _ : state) size = encode_json(data).size();
  count_work(state, size);
}
BENCHMARK(json_encode);

}  // namespace
}  // namespace contextcore::otlp

BENCHMARK_MAIN();
