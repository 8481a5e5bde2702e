// Received metrics through the whole store on the real file system: remote-write requests of 500 samples as a Prometheus
// that scrapes a node every 15 s sends them (counters, gauges, a histogram); then one range query over all of it.
// Counters: bytes a sample in segments, and the ratio to the requests' protobuf before compression.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/process.h"
#include "base/random.h"
#include "otlp/remote_write.h"
#include "store/metric_source.h"
#include "store/store.h"

namespace contextcore::store {
namespace {

constexpr size_t kSeries = 500;
constexpr size_t kScrapes = 400;

// The counters grow, the gauges walk, buckets grow slowly.
std::vector<otlp::RemoteWriteRequest> make_requests() {
  SeededRandom random(1);
  std::vector<double> values(kSeries);
  std::vector<otlp::RemoteWriteRequest> requests(kScrapes);
  for (size_t scrape = 0; scrape < kScrapes; ++scrape) {
    for (size_t i = 0; i < kSeries; ++i) {
      const auto step = static_cast<double>(random.below(100));
      if (i % 4 == 0) values[i] += step / 1000;
      if (i % 4 == 1) values[i] += step - 50;
      if (i % 4 == 2) values[i] += random.below(10) == 0 ? 1 : 0;
      if (i % 4 == 3) values[i] = 17;
      requests[scrape].series.push_back(
          {{{"__name__", "node_metric_" + std::to_string(i / 10)},
            {"instance", "node-17.example.org:9100"},
            {"job", "node"},
            {"mode", std::to_string(i % 10)}},
           {{values[i], 1'700'000'000'000 + static_cast<int64_t>(scrape) * 15'000}},
           0,
           0});
    }
  }
  return requests;
}

std::unique_ptr<Store> open_store(const std::string& path) {
  StoreOptions options;
  options.path = path;
  options.mode = StoreMode::server;
  options.durability = Durability::interval;
  auto store = Store::open(options);
  return store.ok() ? std::move(store).value() : nullptr;
}

void ingest_and_cut(benchmark::State& state) {
  const std::vector<otlp::RemoteWriteRequest> requests = make_requests();
  std::vector<std::string> bodies;
  size_t raw = 0;
  for (const auto& request : requests) {
    bodies.push_back(otlp::encode_remote_write(request));
    raw += bodies.back().size();
  }
  const std::string root = "/tmp/contextcore-bench-" + std::to_string(process_id());
  int round = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto store = open_store(root + "-" + std::to_string(round++));
    if (store == nullptr) return state.SkipWithError("the store could not be opened");
    state.ResumeTiming();
    for (const std::string& body : bodies) {
      const auto request = otlp::decode_remote_write(body);
      if (!request.ok() || !store->ingest(*request, body, "").ok()) {
        return state.SkipWithError("a request was refused");
      }
    }
    if (!store->cut().ok()) return state.SkipWithError("the cut failed");
    state.PauseTiming();
    const StoreStats stats = store->stats();
    const auto samples = static_cast<double>(stats.metric_samples);
    state.counters["bytes_per_sample"] = static_cast<double>(stats.segment_bytes) / samples;
    state.counters["protobuf_ratio"] = static_cast<double>(raw) / static_cast<double>(stats.segment_bytes);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSeries * kScrapes));
}
BENCHMARK(ingest_and_cut)->Unit(benchmark::kMillisecond);

void select_all(benchmark::State& state) {
  const auto store = open_store("/tmp/contextcore-bench-" + std::to_string(process_id()) + "-read");
  if (store == nullptr) return state.SkipWithError("the store could not be opened");
  for (const auto& request : make_requests()) std::ignore = store->ingest(request, "", "");
  std::ignore = store->cut();
  const auto read = store->read();
  for (auto _ : state) benchmark::DoNotOptimize(read->metrics->tenant("")->select({}));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSeries * kScrapes));
}
BENCHMARK(select_all)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace contextcore::store

BENCHMARK_MAIN();
