#pragma once
// Everything the server answers, as one function (and one for gRPC). Routes: OTLP (/v1/traces,
// /v1/logs), Tempo (/api/…), Loki (/loki/api/v1/…), Prometheus (/api/v1/… and /prometheus/api/v1/…), work (/tracker/v1/…), page (/), /ready, /metrics, /openapi. Thread-safe.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/grpc.h"
#include "api/http.h"
#include "api/server_traces.h"
#include "base/clock.h"
#include "base/random.h"
#include "store/store.h"
#include "work/execute.h"

namespace contextcore::exporter {
class Exporter;
}

namespace contextcore::api {

struct ServiceOptions {
  store::Store* store = nullptr;  // borrowed
  work::Settings work;
  Clock* clock = nullptr;
  Random* random = nullptr;
  std::string version;
  size_t body_bytes_max = 16 << 20;            // after decompression
  int64_t query_timeout_ns = 120'000'000'000;  // of one TraceQL or LogQL query
  uint64_t tenant_query_slots = 0;             // queries of one tenant at the same time; 0: any
  std::map<std::string, uint64_t, std::less<>> query_slots_of;  // of tenants that differ, by name
  bool demo = false;                           // the page says DEMO
  std::string server_token;  // what /tracker/v1/server answers (ServerInfo::token)
  TraceRequests traces = TraceRequests::off;  // of the server's own requests, into the store
  exporter::Exporter* exporter = nullptr;  // borrowed; null: nothing is exported
};

struct Route {
  std::string method;
  std::string path;  // pattern with {name} segments
};

// Requests that wait for or are on a worker.
struct Load {
  size_t requests = 0;
  size_t queries = 0;  // of them
};

// True for what reads telemetry, which may take long, and the page; false for what brings data,
// changes or asks of work, and what operators probe.
bool is_query(const Request& request);

class Service {
 public:
  static std::unique_ptr<Service> make(ServiceOptions options);
  virtual ~Service() = default;
  // Never throws. Content-Encoding gzip of the body is decoded here, bounded by body_bytes_max.
  virtual Response handle(Request request) = 0;
  // The same for a call of gRPC that refuse_grpc_header() let pass.
  virtual GrpcAnswer call(GrpcCall call) = 0;
  virtual void set_ready(bool ready) = 0;
  // For /metrics.
  virtual void set_load(Load load) = 0;
  virtual std::vector<Route> routes() const = 0;
  // When no more requests come, and while the store is open: keeps the traces that are waiting.
  virtual void stop() = 0;
};

}  // namespace contextcore::api
