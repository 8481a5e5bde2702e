#include "api/server_traces.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "api/target.h"
#include "api/trace_context.h"
#include "base/log.h"
#include "export/grpc_answer.h"
#include "work/names.h"

namespace contextcore::api {
namespace {

namespace attr = work::names::attr;

constexpr size_t kWaitingMax = 8192;  // spans
constexpr size_t kBatchSpans = 1024;  // are kept at once
constexpr int64_t kBatchNs = 1'000'000'000;  // and what is younger waits so long for company
constexpr size_t kTextMax = 2048;  // bytes of a query
constexpr uint32_t kSampled = 0x1, kRemoteKnown = 0x100, kRemote = 0x200;  // Span.flags of OTLP

template <typename Id>
Id made_id(Random& random) {
  Id id;
  while (id.empty()) random.fill(id.bytes.data(), id.bytes.size());
  return id;
}

// Whole characters of UTF-8.
std::string_view cut(std::string_view text) {
  if (text.size() <= kTextMax) return text;
  size_t end = kTextMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

bool is_known(std::string_view method) {
  static constexpr std::array<std::string_view, 10> kKnown = {
      "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"};
  return std::find(kKnown.begin(), kKnown.end(), method) != kKnown.end();
}

bool is_probe(std::string_view path) {
  return path == "/ready" || path == "/healthz" || path == "/metrics" || path.starts_with("/grpc.health.");
}

// Errors of the server's making, by the conventions for RPC.
bool is_fault(int grpc_status) {
  static constexpr std::array<int, 6> kFaults = {2, 4, 12, 13, 14, 15};
  return std::find(kFaults.begin(), kFaults.end(), grpc_status) != kFaults.end();
}

void add(otlp::Span& span, std::string_view key, otlp::Value value) {
  span.attributes.push_back({std::string(key), std::move(value)});
}
void add_text(otlp::Span& span, std::string_view key, std::string_view text) {
  if (!text.empty()) add(span, key, otlp::Value(cut(text)));
}
void add_size(otlp::Span& span, std::string_view key, size_t bytes) {
  if (bytes > 0) add(span, key, otlp::Value(static_cast<int64_t>(bytes)));
}

void add_peer(otlp::Span& span, std::string_view agent, std::string_view peer) {
  add_text(span, attr::kUserAgentOriginal, agent);
  std::string_view host = peer.substr(0, peer.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  add_text(span, attr::kClientAddress, host);
}

void fail(otlp::Span& span, std::string_view type) {
  span.status_code = otlp::StatusCode::error;
  add_text(span, attr::kErrorType, type);
}

std::string query_of(const Request& request) {
  std::string out;
  for (const auto& [name, value] : request.query) {
    if (out.size() > kTextMax) break;
    if (!out.empty()) out += '&';
    out += percent_encode(name) + '=' + percent_encode(value);
  }
  return out;
}

otlp::Span child_of(const TracedRequest& traced, const StepRecord& step, Random& random) {
  const auto wall_ns = [&](int64_t at_ns) {
    return traced.span.start_ns + static_cast<uint64_t>(std::max<int64_t>(0, at_ns - traced.start_ns));
  };
  otlp::Span span;
  span.trace_id = traced.span.trace_id;
  span.span_id = made_id<otlp::SpanId>(random);
  span.parent_span_id = traced.span.span_id;
  span.flags = kSampled | kRemoteKnown;
  span.name = step.name;
  span.kind = otlp::SpanKind::internal;
  span.start_ns = wall_ns(step.start_ns);
  span.end_ns = wall_ns(step.end_ns);
  for (const auto& [key, fact] : step.facts) {
    if (const auto* number = std::get_if<int64_t>(&fact)) {
      add(span, key, otlp::Value(*number));
    } else {
      add_text(span, key, std::get<std::string>(fact));
    }
  }
  if (!step.done) span.status_code = otlp::StatusCode::error;
  return span;
}

}  // namespace

std::optional<TraceRequests> parse_trace_requests(std::string_view text) {
  if (text == "off") return TraceRequests::off;
  if (text == "sampled") return TraceRequests::sampled;
  if (text == "on") return TraceRequests::on;
  return std::nullopt;
}

ServerTraces::ServerTraces(Options options)
    : options_(std::move(options)), executor_(make_thread_executor("server-traces", 1)) {}

// ---- a request
// --------------------------------------------------------------------------------------

std::unique_ptr<TracedRequest> ServerTraces::begin(std::string_view parent_text,
                                                   std::string_view state, bool probe) {
  const std::optional<TraceParent> parent = parse_traceparent(parent_text);
  const bool by_itself = options_.which == TraceRequests::on && !probe;
  if (parent ? !parent->sampled : !by_itself) return nullptr;
  auto traced = std::make_unique<TracedRequest>(*options_.clock);
  otlp::Span& span = traced->span;
  span.flags = kSampled | kRemoteKnown | (parent ? kRemote : 0);
  if (parent) {
    span.trace_id = parent->trace_id;
    span.parent_span_id = parent->span_id;
    if (state.size() <= kTextMax) span.trace_state = state;
  } else {
    span.trace_id = made_id<otlp::TraceId>(*options_.random);
  }
  span.span_id = made_id<otlp::SpanId>(*options_.random);
  span.kind = otlp::SpanKind::server;
  span.start_ns = static_cast<uint64_t>(options_.clock->wall_ns());
  traced->start_ns = options_.clock->monotonic_ns();
  return traced;
}

std::unique_ptr<TracedRequest> ServerTraces::begin(const Request& request) {
  auto traced = begin(request.header("traceparent"), request.header("tracestate"), is_probe(request.raw_path));
  if (traced == nullptr) return traced;
  otlp::Span& span = traced->span;
  const bool known = is_known(request.method);
  add_text(span, attr::kHttpRequestMethod, known ? request.method : "_OTHER");
  if (!known) add_text(span, attr::kHttpRequestMethodOriginal, request.method);
  add_text(span, attr::kUrlScheme, "http");
  add_text(span, attr::kUrlPath, request.raw_path);
  add_text(span, attr::kUrlQuery, query_of(request));
  add_peer(span, request.header("user-agent"), request.peer);
  return traced;
}

std::unique_ptr<TracedRequest> ServerTraces::begin(const GrpcCall& call) {
  auto traced = begin(call.header("traceparent"), call.header("tracestate"), is_probe(call.path));
  if (traced == nullptr) return traced;
  otlp::Span& span = traced->span;
  std::string_view path = call.path;
  if (path.starts_with('/')) path.remove_prefix(1);
  span.name = path;
  add_text(span, attr::kRpcSystem, "grpc");
  add_text(span, attr::kRpcService, path.substr(0, path.find('/')));
  if (const size_t slash = path.find('/'); slash != std::string_view::npos)
    add_text(span, attr::kRpcMethod, path.substr(slash + 1));
  add_peer(span, call.header("user-agent"), call.peer);
  return traced;
}

void ServerTraces::end(TracedRequest& traced, const Request& request, std::string_view route,
                       const Response& response) {
  otlp::Span& span = traced.span;
  span.name = is_known(request.method) ? request.method : "HTTP";
  if (!route.empty()) {
    span.name += " " + std::string(route);
    add_text(span, attr::kHttpRoute, route);
  }
  add(span, attr::kHttpResponseStatusCode, otlp::Value(static_cast<int64_t>(response.status)));
  add_size(span, attr::kHttpRequestBodySize, request.body.size());
  add_size(span, attr::kHttpResponseBodySize, response.body.size());
  if (response.status >= 500) fail(span, std::to_string(response.status));
  finish(traced);
}

void ServerTraces::end(TracedRequest& traced, const GrpcAnswer& answer) {
  otlp::Span& span = traced.span;
  add(span, attr::kRpcGrpcStatusCode, otlp::Value(static_cast<int64_t>(answer.status)));
  if (is_fault(answer.status)) {
    fail(span, exporter::grpc_code_name(answer.status));
    span.status_message = answer.words;
  }
  finish(traced);
}

// ---- keeping
// ----------------------------------------------------------------------------------------

void ServerTraces::finish(TracedRequest& traced) {
  const int64_t took_ns = options_.clock->monotonic_ns() - traced.start_ns;
  traced.span.end_ns = traced.span.start_ns + static_cast<uint64_t>(std::max<int64_t>(0, took_ns));
  std::vector<otlp::Span> spans;
  for (const StepRecord& step : traced.recorder.take())
    spans.push_back(child_of(traced, step, *options_.random));
  spans.push_back(std::move(traced.span));
  const std::lock_guard lock(mutex_);
  if (stopped_ || waiting_.size() + spans.size() > kWaitingMax) {
    dropped_ += spans.size();
    return;
  }
  std::move(spans.begin(), spans.end(), std::back_inserter(waiting_));
  if (waiting_.size() >= kBatchSpans && !std::exchange(full_, true))
    executor_->post([this] { keep(false); });
  if (!std::exchange(timer_, true)) executor_->post_after(kBatchNs, [this] { keep(true); });
}

void ServerTraces::keep(bool by_timer) {
  otlp::TracesData data;
  otlp::ResourceSpans& resource = data.resource_spans.emplace_back();
  otlp::set(resource.resource.attributes, attr::kServiceName, "contextcore-server");
  otlp::set(resource.resource.attributes, attr::kServiceVersion, options_.version);
  otlp::ScopeSpans& scope = resource.scope_spans.emplace_back();
  scope.scope.name = "contextcore.server";
  scope.scope.version = options_.version;
  {
    const std::lock_guard lock(mutex_);
    (by_timer ? timer_ : full_) = false;
    scope.spans.swap(waiting_);
  }
  if (scope.spans.empty()) return;
  const auto result = options_.store->ingest(data, {});
  const std::lock_guard lock(mutex_);
  const auto accepted = result.ok() ? static_cast<uint64_t>(result->accepted) : 0;
  kept_ += accepted;
  dropped_ += scope.spans.size() - accepted;
  if (!result.ok() && !failing_)
    log_warn("traces of the server's own are dropped", {{"error", result.error().to_string()}});
  failing_ = !result.ok();
}

void ServerTraces::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
  }
  executor_->stop();
  keep(true);
}

void ServerTraces::append_metrics(std::string& out) const {
  const std::lock_guard lock(mutex_);
  out += fmt::format(
      "# HELP contextcore_server_spans_total Spans of the server's own requests that were kept.\n"
      "# TYPE contextcore_server_spans_total counter\n"
      "contextcore_server_spans_total {}\n"
      "# HELP contextcore_server_spans_dropped_total Those that were not: too many at once, or refused by the store.\n"
      "# TYPE contextcore_server_spans_dropped_total counter\n"
      "contextcore_server_spans_dropped_total {}\n",
      kept_, dropped_);
}

}  // namespace contextcore::api
