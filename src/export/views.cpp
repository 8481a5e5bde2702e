// The stream of metrics: views over the event log as samples, from a project's first event on, by
// remote write. A place is a time: samples up to it (ms) have been sent.

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/time.h"
#include "export/streams.h"
#include "work/metrics/metric_views.h"

namespace contextcore::exporter {
namespace {

constexpr int64_t kStepMs = 60'000;
// A sample leaves so long after its time, so that what is written just then is in it.
constexpr int64_t kDelayMs = 60'000;
constexpr int64_t kWindowMs = int64_t{6} * 3'600'000;
constexpr size_t kSamplesPerItem = 20;  // of a batch, on the average
constexpr size_t kBytesPerSample = 12;

std::string text_of(const store::LabelPairs& labels) {
  std::string out;
  for (const auto& [name, value] : labels) out += name + "=" + value + ",";
  return out;
}

// Samples of [start, end].
otlp::RemoteWriteSeries samples_of(const store::MetricSeries& series, int64_t start_ms,
                                   int64_t end_ms) {
  otlp::RemoteWriteSeries out;
  for (const auto& [name, value] : series.labels) out.labels.push_back({name, value});
  for (const store::SampleRun& run : series.runs) {
    int64_t first = 0;
    if (run.start_ms < start_ms && run.step_ms > 0)
      first = (start_ms - run.start_ms + run.step_ms - 1) / run.step_ms;
    for (int64_t i = first; i < run.count; ++i) {
      const int64_t time_ms = run.start_ms + i * run.step_ms;
      if (time_ms > end_ms) break;
      if (time_ms >= start_ms) out.samples.push_back({run.value, time_ms});
    }
  }
  return out;
}

class Views : public Stream {
 public:
  std::string_view name() const override { return "views"; }
  store::ArrivalPlace present(const ReadContext& context) const override {
    return {static_cast<uint64_t>(context.now_ns / kMillisecondNs), store::ArrivalPlace::kAll};
  }

  Result<Batch> next(const ReadContext& context, const store::ArrivalPlace& after) const override {
    Batch batch;
    batch.next = after;
    CC_ASSIGN(const auto source,
              views_.at(*context.read.source, *context.read.work, context.read.sequence));
    const int64_t last_ms = context.now_ns / kMillisecondNs - kDelayMs;
    auto from_ms = static_cast<int64_t>(after.sequence);
    if (from_ms == 0) {
      CC_ASSIGN(const int64_t first_ms, first_sample(*source, last_ms));
      from_ms = first_ms - 1;
      if (first_ms > last_ms) {  // nothing yet: the past may still be to come
        batch.wake_ns = context.now_ns + kStepMs * kMillisecondNs;
        return batch;
      }
    }
    for (int64_t window_ms = kWindowMs; from_ms < last_ms && batch.items.empty();) {
      const int64_t to_ms = window_ms > last_ms - from_ms ? last_ms : from_ms + window_ms;
      CC_ASSIGN(std::vector<Item> items, items_of(*source, from_ms + 1, to_ms));
      size_t samples = 0;
      for (const Item& item : items)
        samples += std::get<otlp::RemoteWriteSeries>(item.what).samples.size();
      const size_t samples_max = kSamplesPerItem * context.items_max;
      if (samples > samples_max && to_ms - from_ms > kStepMs) {
        window_ms = std::max<int64_t>(kStepMs, (to_ms - from_ms) / 2);
        continue;
      }
      batch.items = std::move(items);
      from_ms = to_ms;
      window_ms = std::min<int64_t>(window_ms * 4, INT64_MAX / 8);
    }
    if (from_ms > 0) batch.next = {static_cast<uint64_t>(from_ms), store::ArrivalPlace::kAll};
    batch.more = from_ms < last_ms;
    batch.wake_ns = (from_ms / kStepMs + 1) * kStepMs * kMillisecondNs + kDelayMs * kMillisecondNs;
    return batch;
  }

  Result<std::vector<Item>> find(const ReadContext& context,
                                 const Reference& reference) const override {
    // id: the window's start, a blank, the labels.
    int64_t start_ms = 0;
    const char* end = reference.id.data() + reference.id.size();
    const auto [at, error] = std::from_chars(reference.id.data(), end, start_ms);
    if (error != std::errc() || at == end) return std::vector<Item>();
    CC_ASSIGN(const auto source,
              views_.at(*context.read.source, *context.read.work, context.read.sequence));
    CC_ASSIGN(std::vector<Item> items,
              items_of(*source, start_ms, static_cast<int64_t>(reference.place.sequence)));
    std::erase_if(items, [&](const Item& item) { return item.reference.id != reference.id; });
    return items;
  }

 private:
  static Result<int64_t> first_sample(const store::MetricSource& source, int64_t last_ms) {
    store::MetricRequest request;
    request.end_ms = last_ms;
    CC_ASSIGN(const auto series, source.select(request));
    int64_t first_ms = last_ms + 1;
    for (const store::MetricSeries& one : series) {
      if (!one.runs.empty()) first_ms = std::min(first_ms, one.runs.front().start_ms);
    }
    return first_ms;
  }

  Result<std::vector<Item>> items_of(const store::MetricSource& source, int64_t start_ms,
                                     int64_t end_ms) const {
    store::MetricRequest request;
    request.start_ms = start_ms;
    request.end_ms = end_ms;
    CC_ASSIGN(const auto series, source.select(request));
    std::vector<Item> items;
    for (const store::MetricSeries& one : series) {
      Item item;
      otlp::RemoteWriteSeries samples = samples_of(one, start_ms, end_ms);
      if (samples.samples.empty()) continue;
      const std::string labels = text_of(one.labels);
      item.reference = {std::string(name()),
                        {static_cast<uint64_t>(end_ms), store::ArrivalPlace::kAll},
                        std::to_string(start_ms) + " " + labels};
      item.bytes = labels.size() + samples.samples.size() * kBytesPerSample;
      item.arrived_ns = samples.samples.front().timestamp_ms * kMillisecondNs;
      item.what = std::move(samples);
      items.push_back(std::move(item));
    }
    return items;
  }

  mutable work::MetricViews views_;
};

}  // namespace

std::vector<std::unique_ptr<Stream>> metric_streams() {
  std::vector<std::unique_ptr<Stream>> streams;
  streams.push_back(std::make_unique<Views>());
  return streams;
}

}  // namespace contextcore::exporter
