// Traces by id, as the Tempo API reads them: one of 84 received spans among 50,000 others, and one of 1,000 tasks (a
// task and its first phase, so 2,000 spans) that came in 20 pieces, each in files of its own until those are merged. Cold is the first time after the store was opened (files are in
// the page cache of the system, none of their pages is decoded), warm the median of 200.
//   work_trace_bench [directory, default /tmp]

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process.h"
#include "base/random.h"
#include "otlp/model.h"
#include "store/store.h"
#include "work/hooks.h"
#include "work/ids.h"
#include "work_change.h"

namespace {

using namespace contextcore;

constexpr size_t kPieces = 20, kTasks = 1000, kTraceSpans = 84, kOthers = 50'000, kOtherSpans = 12;

[[noreturn]] void fail(const Error& error) {
  fmt::print(stderr, "work_trace_bench: {}\n", error.to_string());
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) fail(result.error());
  return std::move(result).value();
}

void must(const Status& status) {
  if (!status.ok()) fail(status.error());
}

class Traces {
 public:
  explicit Traces(std::string path) {
    std::filesystem::remove_all(path);
    options_.path = std::move(path);
    options_.mode = store::StoreMode::server;
    options_.durability = store::Durability::interval;
    options_.hooks = work::hooks();
    store_ = must(store::Store::open(options_));
    settings_.store_id = store_->store_id();
  }

  ~Traces() {
    store_ = nullptr;
    std::filesystem::remove_all(options_.path);
  }

  otlp::TraceId receive() {
    const otlp::TraceId id = send_trace(kTraceSpans);
    for (size_t sent = 0; sent < kOthers; sent += kOtherSpans) send_trace(kOtherSpans);
    flush();
    must(store_->cut());
    return id;
  }

  otlp::TraceId work() {
    change("task.create", {{"id", "ROOT-1"}, {"title", "All of it"}});
    for (size_t task = 1; task < kTasks; ++task) {
      change("task.create", {{"id", fmt::format("PART-{}", task)}, {"title", fmt::format("Part {} of it", task)}, {"parent_id", "ROOT-1"}});
      if (task % (kTasks / kPieces) == 0) must(store_->cut());
    }
    must(store_->cut());
    return work::trace_id("task", "bench", "ROOT-1");
  }

  void report(const char* what, const otlp::TraceId& id, const char* target) {
    must(store_->close());
    store_ = must(store::Store::open(options_));
    size_t spans = 0;
    const double cold = trace_ms(id, spans);
    std::vector<double> warm;
    for (int i = 0; i < 200; ++i) warm.push_back(trace_ms(id, spans));
    std::nth_element(warm.begin(), warm.begin() + 100, warm.end());
    fmt::print("{:46}{:>9.2f} / {:<9.3f}  {:20}{} spans; {} files\n", what, cold, warm[100], target, spans, store_->stats().segments);
  }

 private:
  double trace_ms(const otlp::TraceId& id, size_t& spans) {
    const int64_t begin_ns = real_clock().monotonic_ns();
    const auto found = must(must(store_->read()).source->trace(id));
    const double ms = static_cast<double>(real_clock().monotonic_ns() - begin_ns) / 1e6;
    spans = 0;
    if (!found) return ms;
    for (const auto& resource : found->resource_spans) {
      for (const auto& scope : resource.scope_spans) spans += scope.spans.size();
    }
    return ms;
  }

  otlp::TraceId send_trace(size_t count) {
    otlp::TraceId id;
    random_.fill(id.bytes.data(), id.bytes.size());
    for (size_t i = 0; i < count; ++i) {
      otlp::Span span;
      span.trace_id = id;
      random_.fill(span.span_id.bytes.data(), 8);
      if (i > 0) random_.fill(span.parent_span_id.bytes.data(), 8);
      span.name = fmt::format("operation {}", random_.below(40));
      span.start_ns = static_cast<uint64_t>(real_clock().wall_ns());
      span.end_ns = span.start_ns + random_.below(50'000'000);
      span.attributes = {{"http.method", random_.below(3) == 0 ? "POST" : "GET"},
                         {"http.status_code", static_cast<int64_t>(random_.below(20) == 0 ? 500 : 200)},
                         {"http.url", fmt::format("https://example.com/items/{}", random_.below(2000))},
                         {"thread.id", static_cast<int64_t>(random_.below(64))}};
      spans_.push_back(std::move(span));
    }
    if (spans_.size() >= 500) flush();
    return id;
  }

  void flush() {
    otlp::TracesData data;
    auto& resource = data.resource_spans.emplace_back();
    resource.resource.attributes = {{"service.name", "shop"}};
    resource.scope_spans.emplace_back().spans = std::move(spans_);
    spans_.clear();
    must(store_->ingest(data, {}));
  }

  void change(const char* op, JsonObject args) {
    change_work(*store_, settings_, random_, op, std::move(args));
  }

  store::StoreOptions options_;
  std::unique_ptr<store::Store> store_;
  work::Settings settings_;
  SeededRandom random_{42};
  std::vector<otlp::Span> spans_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = fmt::format("{}/trace-bench-{}", argc > 1 ? argv[1] : "/tmp", process_id());
  fmt::print("{:46}{:>9} / {:<9}  {:20}\n", "trace by id", "cold ms", "warm ms", "target");
  Traces received(directory + "-received");
  received.report("84 received spans among 50,000", received.receive(), "5 / 1");
  Traces work(directory + "-work");
  work.report("2,000 spans of 1,000 tasks in 20 pieces", work.work(), "15");
}
