// A week of mixed load in minutes: received spans, log lines and metrics, changes of work and reads, on a store whose clock
// is advanced from hour to hour, with cuts, compaction and retention in the background as in a server. One line for
// each day: what must stay flat is memory, files and bytes; what is written for each byte of a cut is at most 4.
//   work_soak_bench DIR [days, default 7] [spans an hour, default 50000] [retention in hours, default 48]

#include <dirent.h>
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "otlp/model.h"
#include "otlp/remote_write.h"
#include "store/store.h"
#include "work/hooks.h"
#include "work_change.h"

namespace {

using namespace contextcore;

constexpr int64_t kHourNs = 3600ll * 1'000'000'000;
constexpr size_t kBatch = 500;

// The real clock, some hours ahead.
class SoakClock : public Clock {
 public:
  int64_t wall_ns() override { return real_clock().wall_ns() + ahead_ns_.load(); }
  int64_t monotonic_ns() override { return real_clock().monotonic_ns() + ahead_ns_.load(); }
  void sleep_ns(int64_t ns) override { real_clock().sleep_ns(ns); }
  std::string boot_id() override { return real_clock().boot_id(); }
  void advance_ns(int64_t ns) { ahead_ns_ += ns; }

 private:
  std::atomic<int64_t> ahead_ns_{0};
};

[[noreturn]] void fail(const Error& error) {
  fmt::print(stderr, "work_soak_bench: {}\n", error.to_string());
  std::exit(1);
}

void check(const Status& status) {
  if (!status.ok()) fail(status.error());
}

class Soak {
 public:
  Soak(const std::string& directory, int64_t retention_hours) : directory_(directory) {
    store::StoreOptions options;
    options.path = directory;
    options.mode = store::StoreMode::server;
    options.background = true;
    options.clock = &clock_;
    options.hooks = work::hooks();
    const int64_t kept_ns = retention_hours * kHourNs;
    options.retention = {kept_ns, kept_ns, kept_ns};
    auto opened = store::Store::open(std::move(options));
    if (!opened.ok()) fail(opened.error());
    store_ = std::move(*opened);
    settings_.store_id = store_->store_id();
  }

  void hour(size_t spans) {
    for (size_t sent = 0; sent < spans; sent += kBatch) {
      send(some_spans());
      if (sent % (10 * kBatch) == 0) {
        send(some_lines());
        metrics();
        work();
        read();
      }
    }
    clock_.advance_ns(kHourNs);
  }

  // What a server's timer does every ten minutes.
  void settle() { check(store_->compact()); }

  void report(int day) {
    const store::StoreStats stats = store_->stats();
    size_t files = 0;
    if (DIR* data = ::opendir((directory_ + "/data").c_str())) {
      while (::readdir(data) != nullptr) ++files;
      ::closedir(data);
    }
    const double cut = static_cast<double>(stats.cut_bytes);
    fmt::print("{:>4}{:>12}{:>12}{:>10}{:>8}{:>10.1f}{:>9.1f}{:>7.2f}{:>11}{:>10}\n", day, sent_, stats.span_rows,
               stats.expired_rows, files, static_cast<double>(stats.segment_bytes) / 1e6, rss_mb(),
               cut > 0 ? (cut + static_cast<double>(stats.compacted_bytes)) / cut : 0, stats.throttled, stats.work_rows);
    std::fflush(stdout);
  }
  static void header() {
    fmt::print("{:>4}{:>12}{:>12}{:>10}{:>8}{:>10}{:>9}{:>7}{:>11}{:>10}\n", "day", "spans sent", "span rows", "expired",
               "files", "disk MB", "RSS MB", "ampl.", "throttled", "tasks");
  }

 private:
  static double rss_mb() {
    std::ifstream statm("/proc/self/statm");
    uint64_t size = 0, resident = 0;
    statm >> size >> resident;
    return static_cast<double>(resident) * 4096 / 1e6;
  }

  otlp::TracesData some_spans() {
    otlp::TracesData data;
    for (int service = 0; service < 5; ++service) {
      otlp::ResourceSpans& resource = data.resource_spans.emplace_back();
      resource.resource.attributes = {{"service.name", fmt::format("service-{}", random_.below(12))}, {"host.name", "host"}};
      auto& out = resource.scope_spans.emplace_back().spans;
      otlp::TraceId trace;
      for (size_t i = 0; i < kBatch / 5; ++i) {
        if (i % 20 == 0) random_.fill(trace.bytes.data(), 16);
        otlp::Span& span = out.emplace_back();
        span.trace_id = trace;
        random_.fill(span.span_id.bytes.data(), 8);
        if (i % 20 != 0) span.parent_span_id = out[i - 1].span_id;
        span.name = fmt::format("operation {}", random_.below(40));
        span.kind = static_cast<otlp::SpanKind>(1 + random_.below(3));
        span.start_ns = static_cast<uint64_t>(clock_.wall_ns()) + random_.below(kHourNs);
        span.end_ns = span.start_ns + random_.below(50'000'000);
        span.attributes = {{"http.method", random_.below(3) == 0 ? "POST" : "GET"},
                           {"http.status_code", static_cast<int64_t>(random_.below(20) == 0 ? 500 : 200)},
                           {"http.url", fmt::format("https://example.com/items/{}", random_.below(2000))},
                           {"thread.id", static_cast<int64_t>(random_.below(64))}};
      }
    }
    sent_ += kBatch;
    return data;
  }

  otlp::LogsData some_lines() {
    otlp::LogsData data;
    otlp::ResourceLogs& resource = data.resource_logs.emplace_back();
    resource.resource.attributes = {{"service.name", fmt::format("service-{}", random_.below(12))}};
    auto& out = resource.scope_logs.emplace_back().records;
    for (size_t i = 0; i < kBatch; ++i) {
      otlp::LogRecord& record = out.emplace_back();
      record.time_ns = static_cast<uint64_t>(clock_.wall_ns()) + random_.below(kHourNs);
      record.body = fmt::format(R"({{"level":"info","msg":"handled","status":{},"took_ms":{},"path":"/items/{}"}})",
                                random_.below(2) == 0 ? 200 : 404, random_.below(900), random_.below(5000));
    }
    return data;
  }

  template <typename Data>
  void send(const Data& data) {
    for (;;) {
      const auto result = store_->ingest(data, {});
      if (result.ok()) return;
      if (result.error().code != Code::resource_exhausted) fail(result.error());
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  void metrics() {
    otlp::RemoteWriteRequest request;
    for (int i = 0; i < 200; ++i) {
      auto& series = request.series.emplace_back();
      series.labels = {{"__name__", "load"}, {"instance", fmt::format("host-{}", i)}};
      series.samples.push_back({static_cast<double>(random_.below(1000)), clock_.wall_ns() / 1'000'000});
    }
    for (;;) {
      const auto result = store_->ingest(request, {}, {});
      if (result.ok()) return;
      if (result.error().code != Code::resource_exhausted) fail(result.error());
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  void work() {
    const std::string id = fmt::format("SOAK-{}", ++tasks_);
    change("task.create", {{"id", id}, {"title", "Task number " + std::to_string(tasks_)}});
    change("task.start", {{"id", id}});
    for (int i = 0; i < 5; ++i) change("task.comment", {{"id", id}, {"text", fmt::format("note {}", i)}});
    change("task.complete", {{"id", id}});
  }

  void change(const char* op, JsonObject args) {
    change_work(*store_, settings_, random_, op, std::move(args));
  }

  void read() {
    const auto read = store_->read();
    if (!read.ok()) fail(read.error());
  }

  const std::string directory_;
  SoakClock clock_;
  SeededRandom random_{42};
  std::unique_ptr<store::Store> store_;
  work::Settings settings_;
  uint64_t sent_ = 0, tasks_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: work_soak_bench DIR [days] [spans an hour] [retention in hours]\n");
    return 2;
  }
  const int days = argc > 2 ? std::atoi(argv[2]) : 7;
  const size_t spans = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 50'000;
  Soak soak(argv[1], argc > 4 ? std::atoll(argv[4]) : 48);
  Soak::header();
  for (int day = 1; day <= days; ++day) {
    for (int hour = 0; hour < 24; ++hour) {
      soak.hour(spans);
      if (hour % 3 == 2) soak.settle();
    }
    soak.report(day);
  }
}
