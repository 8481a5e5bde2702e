// Sends made-up spans to a running server as OTLP/HTTP, as exporters do: requests of 500 spans of about 390 bytes over a few
// kept connections, each span new. Bodies are made before the clock starts. Refused requests (429, 503) are sent again.
//   client_ingest_bench ADDRESS [spans, default 1000000] [spans a second, default 0: as fast as it goes] [connections, default 4]
//                       [copies of each request, default 1]
// Prints one JSON object: spans/s, latency of acknowledgements in ms (with a rate: from the time at which a request was due, so
// that a server that stalls is not asked less), refusals, and bytes sent.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/network.h"
#include "base/random.h"
#include "client/http_client.h"
#include "otlp/model.h"
#include "otlp/protobuf.h"

namespace {

using namespace contextcore;

constexpr size_t kBatch = 500, kTrace = 25;

std::string make_body(SeededRandom& random, uint64_t start_ns) {
  otlp::TracesData data;
  for (size_t service = 0; service < 2; ++service) {
    otlp::ResourceSpans& resource = data.resource_spans.emplace_back();
    resource.resource.attributes = {{"service.name", fmt::format("service-{}", random.below(20))},
                                    {"service.version", "1.4.2"},
                                    {"host.name", fmt::format("host-{}", random.below(8))},
                                    {"deployment.environment.name", "bench"}};
    otlp::ScopeSpans& scope = resource.scope_spans.emplace_back();
    scope.scope.name = "client_ingest_bench";
    otlp::TraceId trace;
    for (size_t i = 0; i < kBatch / 2; ++i) {
      if (i % kTrace == 0) random.fill(trace.bytes.data(), trace.bytes.size());
      otlp::Span& span = scope.spans.emplace_back();
      span.trace_id = trace;
      random.fill(span.span_id.bytes.data(), span.span_id.bytes.size());
      if (i % kTrace != 0) span.parent_span_id = scope.spans[i - 1 - random.below(i % kTrace)].span_id;
      span.name = fmt::format("GET /api/v1/items/{}", random.below(60));
      span.kind = static_cast<otlp::SpanKind>(1 + random.below(3));
      span.start_ns = start_ns + i * 20'000;
      span.end_ns = span.start_ns + random.below(80'000'000);
      span.attributes = {{"http.request.method", random.below(4) == 0 ? "POST" : "GET"},
                         {"http.response.status_code", static_cast<int64_t>(random.below(25) == 0 ? 500 : 200)},
                         {"url.path", fmt::format("/api/v1/items/{}", random.below(4000))},
                         {"server.address", "shop.example.com"},
                         {"client.address", fmt::format("10.0.{}.{}", random.below(16), random.below(250))},
                         {"user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) bench"},
                         {"thread.id", static_cast<int64_t>(random.below(64))},
                         {"db.query.summary", fmt::format("SELECT items {}", random.below(12))}};
      if (random.below(25) == 0) span.status_code = otlp::StatusCode::error;
    }
  }
  return otlp::encode_protobuf(data);
}

uint64_t number(int argc, char** argv, int at, uint64_t otherwise) {
  return argc > at ? std::strtoull(argv[at], nullptr, 10) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: client_ingest_bench ADDRESS [spans] [spans a second] [connections] [copies]\n");
    return 2;
  }
  const auto endpoint = parse_endpoint(argv[1], 4318);
  if (!endpoint.ok()) return fmt::print(stderr, "{}\n", endpoint.error().to_string()), 2;
  const uint64_t batches = (number(argc, argv, 2, 1'000'000) + kBatch - 1) / kBatch;
  const uint64_t rate = number(argc, argv, 3, 0);
  const uint64_t connections = std::max<uint64_t>(number(argc, argv, 4, 4), 1);
  const uint64_t copies = std::max<uint64_t>(number(argc, argv, 5, 1), 1);

  SeededRandom random(static_cast<uint64_t>(real_clock().wall_ns()));
  std::vector<std::string> bodies;
  uint64_t bytes = 0;
  const auto now_ns = static_cast<uint64_t>(real_clock().wall_ns());
  for (uint64_t i = 0; i < batches; ++i) {
    bodies.push_back(make_body(random, now_ns - (batches - i) * 1'000'000));
    bytes += bodies.back().size();
  }

  const uint64_t requests = batches * copies;
  std::atomic<uint64_t> next{0}, refused{0};
  std::vector<std::vector<double>> times(connections);
  const int64_t begin_ns = real_clock().monotonic_ns();
  std::vector<std::thread> threads;
  for (uint64_t c = 0; c < connections; ++c) {
    threads.emplace_back([&, c] {
      client::HttpClient http(real_network(), *endpoint);
      for (uint64_t i = next++; i < requests; i = next++) {
        int64_t due_ns = real_clock().monotonic_ns();
        if (rate > 0) {
          const int64_t planned_ns = begin_ns + static_cast<int64_t>(static_cast<double>(i * kBatch) * 1e9 / static_cast<double>(rate));
          if (planned_ns > due_ns) real_clock().sleep_ns(planned_ns - due_ns);
          due_ns = planned_ns;
        }
        for (;;) {
          const auto answer = http.request("POST", "/v1/traces", {{"Content-Type", "application/x-protobuf"}}, bodies[i % batches]);
          if (!answer.ok() || (answer->status != 200 && answer->status != 429 && answer->status != 503)) {
            fmt::print(stderr, "{}\n", answer.ok() ? fmt::format("status {}: {}", answer->status, answer->body) : answer.error().to_string());
            std::exit(1);
          }
          if (answer->status == 200) break;
          ++refused;
          real_clock().sleep_ns(50'000'000);
        }
        times[c].push_back(static_cast<double>(real_clock().monotonic_ns() - due_ns) / 1e6);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = static_cast<double>(real_clock().monotonic_ns() - begin_ns) / 1e9;
  std::vector<double> all;
  for (const auto& some : times) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end());
  const auto at = [&](double share) { return all[std::min(all.size() - 1, static_cast<size_t>(static_cast<double>(all.size()) * share))]; };
  fmt::print(R"({{"spans":{},"bytes_per_span":{:.0f},"seconds":{:.2f},"spans_per_s":{:.0f},"p50_ms":{:.2f},"p99_ms":{:.2f},"max_ms":{:.2f},"refused":{}}})"
             "\n",
             requests * kBatch, static_cast<double>(bytes) / static_cast<double>(batches * kBatch), seconds,
             static_cast<double>(requests * kBatch) / seconds, at(0.5), at(0.99), all.back(), refused.load());
}
