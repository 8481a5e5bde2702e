#pragma once
// The server's own traces: requests as OpenTelemetry server spans, and what the store did for them
// as children (base/step.h; names: semconv/server.yaml), kept in the served store like received
// ones. Who answers a request hands its spans over and goes on: they are kept in batches by a thread
// of their own, and dropped where the store is slower or refuses them. Keeping them makes no spans.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/grpc.h"
#include "api/http.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/random.h"
#include "base/step.h"
#include "store/store.h"

namespace contextcore::api {

// Which requests are traced; a caller says by traceparent whether its own trace is sampled.
enum class TraceRequests : uint8_t {
  off,
  sampled,  // those of callers that sample
  on,       // all but those of callers that do not, and probes that nobody samples
};
// "off", "sampled", "on"
std::optional<TraceRequests> parse_trace_requests(std::string_view text);

// A request that is being answered by this thread.
struct TracedRequest {
  explicit TracedRequest(Clock& clock) : recorder(clock) {}
  otlp::Span span;
  int64_t start_ns = 0;  // monotonic
  StepRecorder recorder;
};

// Thread-safe.
class ServerTraces {
 public:
  struct Options {
    TraceRequests which = TraceRequests::off;
    store::Store* store = nullptr;
    Clock* clock = nullptr;
    Random* random = nullptr;
    std::string version;
  };
  // REQUIRES: which is not off
  explicit ServerTraces(Options options);
  ~ServerTraces() { stop(); }
  ServerTraces(const ServerTraces&) = delete;
  ServerTraces& operator=(const ServerTraces&) = delete;

  // nullptr: this one is not traced.
  std::unique_ptr<TracedRequest> begin(const Request& request);
  std::unique_ptr<TracedRequest> begin(const GrpcCall& call);
  // route: as the router knows it, "" none.
  void end(TracedRequest& traced, const Request& request, std::string_view route, const Response& response);
  void end(TracedRequest& traced, const GrpcAnswer& answer);
  // Keeps what is waiting, and nothing from then on.
  void stop();
  // In the Prometheus text format.
  void append_metrics(std::string& out) const;

 private:
  std::unique_ptr<TracedRequest> begin(std::string_view parent, std::string_view state, bool probe);
  void finish(TracedRequest& traced);
  void keep(bool by_timer);

  const Options options_;
  mutable std::mutex mutex_;
  std::vector<otlp::Span> waiting_;
  bool timer_ = false, full_ = false, stopped_ = false;
  bool failing_ = false;  // told once
  uint64_t kept_ = 0, dropped_ = 0;
  std::unique_ptr<Executor> executor_;
};

}  // namespace contextcore::api
