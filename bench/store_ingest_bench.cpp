// What received spans cost the store on the real file system, phase by phase: requests of 500 spans of about 390 bytes
// are ingested (and decoded once more, to tell what that costs), a cut follows whenever the head is full, then what is due is compacted; at last a head that
// is one row short of full is replayed by a second reader, as after a kill -9. CPU seconds (user and system) of a million
// spans, peak memory and bytes a span, with the target beside each.
//   store_ingest_bench [spans, default 1000000] [directory, default /tmp]

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "base/process.h"
#include "base/random.h"
#include "otlp/protobuf.h"
#include "store/store.h"

namespace {

using namespace contextcore;
using namespace contextcore::store;

constexpr size_t kRequestSpans = 500;
constexpr size_t kTraceSpans = 12;
constexpr size_t kHeadRows = 256 * 1024;
constexpr uint64_t kStartNs = 1'700'000'000'000'000'000;

double cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

template <typename T>
T must(Result<T> result, const char* what) {
  if (result.ok()) return std::move(result).value();
  std::fprintf(stderr, "%s: %s\n", what, result.error().message.c_str());
  std::exit(1);
}
void must(const Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, status.error().message.c_str());
  std::exit(1);
}

// Spans of a shop's services: traces of a dozen, which requests cut through as they do in life.
class Sender {
 public:
  std::string next_request(size_t spans) {
    static constexpr const char* kServices[] = {"frontend", "checkout", "cart",   "payment",
                                                "shipping", "catalog",  "search", "email"};
    otlp::TracesData data;
    for (const char* service : kServices) {
      auto& resource = data.resource_spans.emplace_back();
      resource.resource.attributes = {{"service.name", service},
                                      {"service.namespace", "shop"},
                                      {"host.name", "node-" + std::to_string(made_ / 1000 % 7)}};
      resource.scope_spans.emplace_back().scope.name = "io.otel.shop";
    }
    for (size_t i = 0; i < spans; ++i) {
      data.resource_spans[random_.below(8)].scope_spans[0].spans.push_back(next_span());
    }
    std::erase_if(data.resource_spans, [](const auto& one) { return one.scope_spans[0].spans.empty(); });
    return otlp::encode_protobuf(data);
  }

 private:
  otlp::Span next_span() {
    static constexpr const char* kRoutes[] = {"/api/cart",   "/api/checkout",    "/api/products/{id}",
                                              "/api/search", "/api/orders/{id}", "/healthz"};
    const bool root = made_ % kTraceSpans == 0;
    if (root) random_.fill(trace_.bytes.data(), 16);
    otlp::Span span;
    span.trace_id = trace_;
    random_.fill(span.span_id.bytes.data(), 8);
    if (!root) span.parent_span_id = parent_;
    parent_ = span.span_id;
    span.start_ns = kStartNs + made_++ * 20'000;
    span.end_ns = span.start_ns + random_.below(50'000'000);
    if (random_.below(3) == 0) {
      span.name = "SELECT shop.orders";
      span.kind = otlp::SpanKind::client;
      span.attributes = {{"db.system", "postgresql"},
                         {"db.statement", "SELECT * FROM orders WHERE user_id = $1 ORDER BY created_at DESC LIMIT 20"},
                         {"db.rows", static_cast<int64_t>(random_.below(20))},
                         {"server.address", "orders-db-" + std::to_string(random_.below(4)) + ".shop.svc.cluster.local"},
                         {"thread.id", static_cast<int64_t>(random_.below(64))}};
      return span;
    }
    const std::string route = kRoutes[random_.below(std::size(kRoutes))];
    const bool failed = random_.below(50) == 0;
    span.name = "GET " + route;
    span.kind = otlp::SpanKind::server;
    span.attributes = {{"http.method", "GET"},
                       {"http.route", route},
                       {"http.url", "http://frontend.shop.svc:8080" + route + "?u=" + std::to_string(random_.below(100'000))},
                       {"http.status_code", failed ? 503 : 200},
                       {"http.response_content_length", static_cast<int64_t>(random_.below(20'000))},
                       {"http.user_agent", "Mozilla/5.0 (X11; Linux x86_64)"},
                       {"net.peer.ip", "10.1.2." + std::to_string(random_.below(250))},
                       {"user.id", "u" + std::to_string(random_.below(20'000))},
                       {"k8s.pod.name", "frontend-7d9c6f-" + std::to_string(random_.below(12))},
                       {"enduser.role", "customer"}};
    if (failed) {
      span.status_code = otlp::StatusCode::error;
      span.status_message = "upstream timeout";
      span.events.push_back({span.end_ns, "exception", {{"exception.type", "TimeoutError"}, {"exception.message", "deadline exceeded"}}, 0});
    }
    return span;
  }

  SeededRandom random_{1};
  uint64_t made_ = 0;
  otlp::TraceId trace_;
  otlp::SpanId parent_;
};

struct Phases {
  double decode = 0, ingest = 0, cut = 0, compact = 0;
};

template <typename Fn>
void timed(double& sum, const Fn& fn) {
  const double begin = cpu_s();
  fn();
  sum += cpu_s() - begin;
}

void send(Store& store, Sender& sender, size_t spans, Phases& phases, uint64_t& bytes) {
  const std::string body = sender.next_request(spans);
  bytes += body.size();
  timed(phases.decode, [&] { must(otlp::TracesView::decode(body), "decode"); });
  timed(phases.ingest, [&] { must(store.ingest_traces(body), "ingest"); });
}

void report(const char* what, double value, const char* unit, const char* target) {
  std::printf("%-40s %9.2f %-18s %s\n", what, value, unit, target);
}

}  // namespace

int main(int argc, char** argv) {
  keep_heap_small();  // as the server does
  const size_t spans = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
  StoreOptions options;
  options.path = std::string(argc > 2 ? argv[2] : "/tmp") + "/ingest-bench-" + std::to_string(process_id());
  options.mode = StoreMode::server;
  options.background = true;
  options.durability = Durability::interval;
  options.head_rows_max = UINT64_MAX;  // cut here instead, so that each phase is by itself
  options.head_bytes_max = UINT64_MAX;
  auto store = must(Store::open(options), "open");
  Sender sender;
  Phases phases;
  uint64_t bytes = 0;
  for (size_t done = 0, in_head = 0; done < spans;) {
    const size_t now = std::min(kRequestSpans, spans - done);
    send(*store, sender, now, phases, bytes);
    done += now;
    in_head += now;
    if (in_head < kHeadRows && done < spans) continue;
    in_head = 0;
    timed(phases.cut, [&] { must(store->cut(), "cut"); });
    timed(phases.compact, [&] { must(store->compact(), "compact"); });
  }
  const StoreStats stats = store->stats();
  const double millions = static_cast<double>(spans) / 1e6, peak = peak_mb();
  report("request bytes a span", static_cast<double>(bytes) / static_cast<double>(spans), "B", "");
  report("ingest (decode, log, identities, head)", phases.ingest / millions, "CPU-s per million", "");
  report("  of which decoding", phases.decode / millions, "CPU-s per million", "");
  report("cut", phases.cut / millions, "CPU-s per million", "");
  report("compaction", phases.compact / millions, "CPU-s per million", "");
  report("all", (phases.ingest + phases.cut + phases.compact) / millions, "CPU-s per million",
         "target 5");
  report("peak memory", peak, "MB", "target 300 at 1M, 500 at 20M");
  report("segments", static_cast<double>(stats.segment_bytes) / static_cast<double>(stats.span_rows), "B a span",
         "target 75");
  std::printf("%-40s %9llu (%llu cuts, %llu compactions)\n", "segment files",
              static_cast<unsigned long long>(stats.segments), static_cast<unsigned long long>(stats.cuts),
              static_cast<unsigned long long>(stats.compactions));

  Phases ignored;
  for (size_t done = 0; done + kRequestSpans < kHeadRows; done += kRequestSpans) {
    send(*store, sender, kRequestSpans, ignored, bytes);
  }
  StoreOptions reading = options;
  reading.mode = StoreMode::read_only;
  reading.background = false;
  double replay = 0;
  const int64_t begin_ns = real_clock().monotonic_ns();
  timed(replay, [&] {
    const auto reader = must(Store::open(reading), "open again");
    must(reader->read().status(), "read");
  });
  report("replay of a full head", replay, "CPU-s", "target 1");
  report("the same by the clock", static_cast<double>(real_clock().monotonic_ns() - begin_ns) / 1e9, "s", "target 1");
  must(store->close(), "close");
  return 0;
}
