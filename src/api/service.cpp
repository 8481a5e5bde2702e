#include "api/service.h"

#include <atomic>
#include <exception>

#include "api/events.h"
#include "api/export_api.h"
#include "api/grpc_service.h"
#include "api/loki.h"
#include "api/loki_explore.h"
#include "api/loki_push.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/otlp_ingest.h"
#include "api/page.h"
#include "api/prometheus.h"
#include "api/query_slots.h"
#include "api/responses.h"
#include "api/router.h"
#include "api/server_traces.h"
#include "api/tempo.h"
#include "api/work_api.h"
#include "base/gzip.h"
#include "export/exporter.h"
#include "store/tenant.h"

namespace contextcore::api {

namespace {

constexpr size_t kCompressBytesMin = 4096;

class ServiceImpl : public Service {
 public:
  explicit ServiceImpl(ServiceOptions options)
      : options_(std::move(options)),
        ingest_(*options_.store),
        grpc_(
            ingest_, options_.body_bytes_max, [this] { return ready_.load(); },
            [this](std::string_view sender) { return is_own_export(sender, options_); }),
        work_(options_),
        tempo_(options_),
        loki_(options_),
        loki_explore_(options_),
        loki_push_(*options_.store),
        prometheus_(options_),
        page_(options_),
        query_slots_(options_.tenant_query_slots, options_.query_slots_of) {
    if (options_.traces != TraceRequests::off) {
      traces_ = std::make_unique<ServerTraces>(ServerTraces::Options{
          options_.traces, options_.store, options_.clock, options_.random, options_.version});
    }
    ingest_.mount(router_);
    work_.mount(router_);
    mount_events(router_, options_);
    mount_export(router_, options_);
    tempo_.mount(router_);
    loki_.mount(router_);
    loki_explore_.mount(router_);
    loki_push_.mount(router_);
    prometheus_.mount(router_);
    page_.mount(router_);
    mount_own();
  }

  Response handle(Request request) override {
    int64_t start_ns = options_.clock->monotonic_ns();
    std::string method = "other", route = "unknown";
    const auto traced = traces_ != nullptr ? traces_->begin(request) : nullptr;
    Response response;
    try {
      response = answer(request, method, route);
    } catch (const std::exception& error) {  // of third-party code, or out of memory
      response = text_response(500, std::string("internal error: ") + error.what() + "\n");
    }
    metrics_.record(method, route, response.status, options_.clock->monotonic_ns() - start_ns,
                    request.body.size(), response.body.size());
    if (traced != nullptr) traces_->end(*traced, request, route == "unknown" ? "" : route, response);
    compress(request, response);
    return response;
  }

  GrpcAnswer call(GrpcCall call) override {
    const int64_t start_ns = options_.clock->monotonic_ns();
    const auto traced = traces_ != nullptr ? traces_->begin(call) : nullptr;
    GrpcAnswer answer;
    try {
      answer = grpc_.answer(call);
    } catch (const std::exception& error) {  // of third-party code, or out of memory
      answer = grpc_error(GrpcStatus::internal, std::string("internal error: ") + error.what());
    }
    metrics_.record_grpc(call.path, answer.status, options_.clock->monotonic_ns() - start_ns,
                         call.message.size(), answer.message.size());
    if (traced != nullptr) traces_->end(*traced, answer);
    return answer;
  }

  void set_ready(bool ready) override { ready_ = ready; }
  void set_load(Load load) override {
    requests_.store(load.requests, std::memory_order_relaxed);
    queries_.store(load.queries, std::memory_order_relaxed);
  }

  std::vector<Route> routes() const override { return router_.routes(); }

  void stop() override {
    if (traces_ != nullptr) traces_->stop();
  }

 private:
  void mount_own() {
    router_.add("GET", "/ready", [this](const Call&) {
      return ready_ ? text_response(200, "ready\n") : text_response(503, "not ready\n");
    });
    router_.add("GET", "/healthz", [](const Call&) { return text_response(200, "ok\n"); });
    router_.add("GET", "/metrics", [this](const Call&) {
      std::string text = metrics_.render(options_.store->stats(), {requests_, queries_},
                                         options_.version, ready_);
      if (options_.exporter != nullptr) options_.exporter->append_metrics(text);
      if (traces_ != nullptr) traces_->append_metrics(text);
      Response response = text_response(200, text);
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      return response;
    });
    router_.add("GET", "/openapi.yaml", [](const Call&) {
      Response response = text_response(200, openapi_yaml());
      response.content_type = "application/yaml";
      return response;
    });
  }

  Response answer(Request& request, std::string& method, std::string& route) {
    Router::Match match = router_.find(request.method, request.raw_path);
    if (match.route == Router::kNone) return no_route(request, match.allow);
    const Route& found = router_.routes()[match.route];
    method = found.method;
    route = found.path;
    if (auto refused = refuse_own_export(request, options_)) return std::move(*refused);
    Status status = decode_body(request);
    if (!status.ok()) return surface_error(request, status.error());
    const Call call{request, std::move(match.captures)};
    if (!is_query(request)) return router_.handler(match.route)(call);
    const QuerySlots::Slot slot = query_slots_.take(tenants_of(request));
    if (!slot.held()) return text_response(429, "too many outstanding requests\n");
    return router_.handler(match.route)(call);
  }

  // However the header writes them. What is no name is told so by whoever answers.
  static std::string tenants_of(const Request& request) {
    const std::string_view header = request.header(kTenantHeader);
    const auto names = store::parse_tenants(header);
    if (!names.ok()) return std::string(header);
    std::string text;
    for (const std::string& name : *names) text += (text.empty() ? "" : "|") + name;
    return text;
  }

  // Undoes Content-Encoding; form fields become parameters before those of the address, as in Go.
  Status decode_body(Request& request) const {
    std::string_view encoding = request.header("content-encoding");
    // Remote-write undoes it itself, as its own protocol says.
    const bool own_encoding = encoding == "snappy" && request.raw_path.ends_with("/api/v1/write");
    if (own_encoding) return {};
    if (encoding == "gzip" || encoding == "x-gzip" || encoding == "deflate") {
      CC_ASSIGN(request.body, gunzip(request.body, options_.body_bytes_max));
    } else if (!encoding.empty() && encoding != "identity") {
      return Error{Code::unsupported,
                   "Content-Encoding \"" + std::string(encoding) + "\" is not taken",
                   "use gzip, deflate or none",
                   {},
                   {}};
    }
    if (request.body.size() > options_.body_bytes_max) {
      return Error{Code::resource_exhausted,
                   "the body is larger than " + std::to_string(options_.body_bytes_max) + " bytes",
                   "send smaller batches",
                   {},
                   {}};
    }
    if (media_type(request.header("content-type")) == "application/x-www-form-urlencoded") {
      Pairs fields;
      CC_TRY(parse_form(request.body, fields));
      request.query.insert(request.query.begin(), std::make_move_iterator(fields.begin()),
                           std::make_move_iterator(fields.end()));
    }
    return {};
  }

  // An error that no surface has seen yet, in the form that clients of the path expect. Here a size
  // or an encoding is at fault, so these two codes have another status than later on.
  static Response surface_error(const Request& request, const Error& error) {
    Response response;
    if (request.raw_path.starts_with("/v1/")) {
      response = otlp_error(request, error);
    } else if (request.raw_path.starts_with("/tracker/")) {
      response = json_error(error);
    } else {
      response = text_error(error);
    }
    if (error.code == Code::resource_exhausted) response.status = 413;
    if (error.code == Code::unsupported) response.status = 415;
    std::erase_if(response.headers,
                  [](const auto& header) { return header.first == "Retry-After"; });
    return response;
  }

  static Response no_route(const Request& request, const std::string& allow) {
    Error error{Code::not_found,
                "no such path: " + request.path,
                "GET /openapi.yaml lists what there is",
                {},
                {}};
    if (!allow.empty()) {
      error.message = request.method + " is not a method of " + request.path;
      error.hint = "it takes " + allow;
    }
    Response response = request.raw_path.starts_with("/tracker/")
                            ? json_error(error)
                            : text_response(404, error.to_string() + "\n");
    if (!allow.empty()) {
      response.status = 405;
      response.headers.emplace_back("Allow", allow);
    }
    return response;
  }

  static void compress(const Request& request, Response& response) {
    if (response.stream) return;
    if (response.body.size() < kCompressBytesMin) return;
    if (!accepts(request.header("accept-encoding"), "gzip")) return;
    std::string compressed = gzip(response.body);
    if (compressed.empty() || compressed.size() >= response.body.size()) return;
    response.body = std::move(compressed);
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.headers.emplace_back("Vary", "Accept-Encoding");
  }

  ServiceOptions options_;
  Router router_;
  Metrics metrics_;
  std::atomic<size_t> requests_{0}, queries_{0};
  std::atomic<bool> ready_{false};
  OtlpIngest ingest_;
  Grpc grpc_;
  WorkApi work_;
  Tempo tempo_;
  Loki loki_;
  LokiExplore loki_explore_;
  LokiPush loki_push_;
  Prometheus prometheus_;
  Page page_;
  QuerySlots query_slots_;
  std::unique_ptr<ServerTraces> traces_;  // null: requests are not traced
};

}  // namespace

bool is_query(const Request& request) {
  const std::string_view path = request.raw_path;
  for (const char* other : {"/v1/", "/tracker/", "/api/v1/otlp/", "/loki/api/v1/push"}) {
    if (path.starts_with(other)) return false;
  }
  return !path.ends_with("/api/v1/write") && path != "/ready" && path != "/healthz" &&
         path != "/metrics";
}

std::unique_ptr<Service> Service::make(ServiceOptions options) {
  return std::make_unique<ServiceImpl>(std::move(options));
}

}  // namespace contextcore::api
