// The server's own traces, asked for and looked at as callers do: by headers, and by Tempo's API.

#include "api/server_traces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "api/trace_context.h"
#include "otlp/json.h"
#include "otlp/protobuf.h"
#include "service_kit.h"
#include "work/names.h"

namespace contextcore::api {
namespace {

namespace attr = work::names::attr;
using ::testing::HasSubstr;

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c", kParent = "b7ad6b7169203331";
const std::string kSampled = "00-" + kTrace + "-" + kParent + "-01";
const std::string kUnsampled = "00-" + kTrace + "-" + kParent + "-00";
const std::string kExport = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

constexpr const char* kOneSpan =
    R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0000000000000000000000000000a1b2",
  "spanId":"00000000000000c3","name":"pay","kind":2,"startTimeUnixNano":"1699999999000000000",
  "endTimeUnixNano":"1699999999500000000"}]}]}]})";

TEST(TraceParentTest, is_read_as_w3c_has_it) {
  const auto parent = parse_traceparent(kSampled);
  ASSERT_TRUE(parent);
  EXPECT_EQ(otlp::to_hex(parent->trace_id), kTrace);
  EXPECT_EQ(otlp::to_hex(parent->span_id), kParent);
  EXPECT_TRUE(parent->sampled);
  EXPECT_FALSE(parse_traceparent(kUnsampled)->sampled);
  EXPECT_FALSE(parse_traceparent("00-" + kTrace + "-" + kParent + "-0e")->sampled);
  EXPECT_TRUE(parse_traceparent("00-" + kTrace + "-" + kParent + "-ff")->sampled);
  EXPECT_TRUE(parse_traceparent("cc" + kSampled.substr(2) + "-what-comes-later"));
  for (const std::string& bad :
       {std::string(), std::string("00"), "ff" + kSampled.substr(2), kSampled + "-more", "cc" + kSampled.substr(2) + "x",
        "00-" + std::string(32, '0') + "-" + kParent + "-01", "00-" + kTrace + "-" + std::string(16, '0') + "-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" + kParent + "-01", "00_" + kSampled.substr(3),
        kSampled.substr(0, 53) + "g1", kSampled.substr(0, 54)}) {
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
  }
}

class ServerTracesTest : public ServiceTest {
 protected:
  explicit ServerTracesTest(TraceRequests which) { traces_ = which; }

  // Spans of the server's own, in the order of their names. No request is traced after it.
  std::vector<otlp::Span> spans() {
    service_->stop();
    std::vector<otlp::Span> out;
    auto read = store_->read();
    EXPECT_TRUE(read.ok());
    auto traces = read->source->fetch({});
    EXPECT_TRUE(traces.ok());
    while (true) {
      const auto trace = (*traces)->next();
      if (!trace.ok() || *trace == nullptr) break;
      const auto whole = read->source->trace((*trace)->trace_id());
      EXPECT_TRUE(whole.ok() && *whole);
      for (const otlp::ResourceSpans& resource : (*whole)->resource_spans) {
        if (otlp::find_string(resource.resource.attributes, attr::kServiceName) != "contextcore-server") continue;
        for (const otlp::ScopeSpans& scope : resource.scope_spans)
          out.insert(out.end(), scope.spans.begin(), scope.spans.end());
      }
    }
    std::sort(out.begin(), out.end(), [](const otlp::Span& a, const otlp::Span& b) { return a.name < b.name; });
    return out;
  }
  static int64_t number(const otlp::Span& span, std::string_view key) {
    const otlp::Value* value = otlp::find(span.attributes, key);
    return value != nullptr && value->as_int() != nullptr ? *value->as_int() : -1;
  }
  static std::string text(const otlp::Span& span, std::string_view key) {
    return std::string(otlp::find_string(span.attributes, key));
  }
  GrpcAnswer call(const std::string& path, std::string message, Pairs metadata = {}) {
    GrpcCall call;
    call.method = "POST";
    call.path = path;
    call.metadata = std::move(metadata);
    call.message = std::move(message);
    call.peer = "127.0.0.1:1";
    return service_->call(std::move(call));
  }
};

class Off : public ServerTracesTest {
 protected:
  Off() : ServerTracesTest(TraceRequests::off) {}
};
class Sampled : public ServerTracesTest {
 protected:
  Sampled() : ServerTracesTest(TraceRequests::sampled) {}
};
class On : public ServerTracesTest {
 protected:
  On() : ServerTracesTest(TraceRequests::on) {}
};

TEST_F(Off, nothing_is_kept_whatever_the_caller_asks) {
  EXPECT_EQ(get("/api/search", {{"traceparent", kSampled}}).status, 200);
  EXPECT_TRUE(spans().empty());
  EXPECT_EQ(store_->stats().span_rows, 0u);
}

TEST_F(Sampled, a_request_belongs_to_the_trace_of_its_caller) {
  ASSERT_EQ(send("POST", "/v1/traces", kOneSpan, {{"content-type", "application/json"}}).status, 200);
  ASSERT_EQ(get("/api/search?q=%7B%7D&limit=7",
                {{"traceparent", kSampled}, {"tracestate", "vendor=1"}, {"user-agent", "Grafana/11"}})
                .status,
            200);
  EXPECT_EQ(get("/api/echo").status, 200);                               // nobody asks
  EXPECT_EQ(get("/api/echo", {{"traceparent", kUnsampled}}).status, 200);
  EXPECT_EQ(get("/api/echo", {{"traceparent", "rubbish"}}).status, 200);
  service_->stop();
  // As Tempo's API gives the caller's trace.
  const Response answer = get("/api/v2/traces/" + kTrace);
  EXPECT_THAT(answer.body, HasSubstr("contextcore-server"));
  const std::vector<otlp::Span> found = spans();
  ASSERT_EQ(found.size(), 2u);
  const otlp::Span& request = found[0];
  EXPECT_EQ(request.name, "GET /api/search");
  EXPECT_EQ(otlp::to_hex(request.trace_id), kTrace);
  EXPECT_EQ(otlp::to_hex(request.parent_span_id), kParent);
  EXPECT_EQ(request.trace_state, "vendor=1");
  EXPECT_EQ(request.flags, 0x301u);
  EXPECT_EQ(request.kind, otlp::SpanKind::server);
  EXPECT_EQ(request.status_code, otlp::StatusCode::unset);
  EXPECT_EQ(text(request, attr::kHttpRequestMethod), "GET");
  EXPECT_EQ(text(request, attr::kHttpRoute), "/api/search");
  EXPECT_EQ(text(request, attr::kUrlPath), "/api/search");
  EXPECT_EQ(text(request, attr::kUrlQuery), "q=%7B%7D&limit=7");
  EXPECT_EQ(text(request, attr::kUserAgentOriginal), "Grafana/11");
  EXPECT_EQ(text(request, attr::kClientAddress), "127.0.0.1");
  EXPECT_EQ(number(request, attr::kHttpResponseStatusCode), 200);
  EXPECT_GT(number(request, attr::kHttpResponseBodySize), 0);
  const otlp::Span& query = found[1];
  EXPECT_EQ(query.name, "traceql");
  EXPECT_EQ(query.parent_span_id, request.span_id);
  EXPECT_EQ(query.trace_id, request.trace_id);
  EXPECT_EQ(text(query, attr::kDbQueryText), "{}");
  EXPECT_EQ(number(query, attr::kContextcoreInspectedSpans), 1);
}

TEST_F(On, writes_show_what_they_waited_for_and_queries_what_they_read) {
  ASSERT_EQ(send("POST", "/v1/traces", kOneSpan, {{"content-type", "application/json"}}).status, 200);
  ASSERT_EQ(get("/loki/api/v1/query_range?query=%7Bservice%3D%22x%22%7D&start=1&end=2").status, 200);
  ASSERT_EQ(get("/api/v1/query?query=1").status, 200);
  EXPECT_EQ(get("/loki/api/v1/query_range?query=nonsense&start=1&end=2").status, 400);
  const std::vector<otlp::Span> found = spans();
  std::vector<std::string> names;
  for (const otlp::Span& span : found) names.push_back(span.name);
  EXPECT_THAT(names, ::testing::ElementsAre("GET /api/v1/query", "GET /loki/api/v1/query_range",
                                            "GET /loki/api/v1/query_range", "POST /v1/traces", "logql", "logql",
                                            "promql", "wal.append", "wal.sync"));
  EXPECT_EQ(found[3].parent_span_id, otlp::SpanId());
  EXPECT_EQ(found[3].flags, 0x101u);
  EXPECT_EQ(found[7].parent_span_id, found[3].span_id);
  EXPECT_EQ(found[8].parent_span_id, found[3].span_id);
  EXPECT_EQ(number(found[3], attr::kHttpRequestBodySize), static_cast<int64_t>(std::string_view(kOneSpan).size()));
  // The refused query is the one that failed; for the request it is the caller's fault.
  EXPECT_NE(found[4].status_code == otlp::StatusCode::error, found[5].status_code == otlp::StatusCode::error);
  EXPECT_EQ(found[1].status_code, otlp::StatusCode::unset);
  EXPECT_EQ(found[2].status_code, otlp::StatusCode::unset);
}

TEST_F(On, keeping_them_makes_none) {
  ASSERT_EQ(send("POST", "/v1/traces", kOneSpan, {{"content-type", "application/json"}}).status, 200);
  const size_t count = spans().size();
  EXPECT_EQ(count, 3u);
  service_->stop();  // once more
  EXPECT_EQ(spans().size(), count);
  EXPECT_EQ(store_->stats().span_rows, count + 1);
  const std::string metrics = get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("\ncontextcore_server_spans_total 3\n"));
  EXPECT_THAT(metrics, HasSubstr("\ncontextcore_server_spans_dropped_total 0\n"));
}

TEST_F(On, probes_are_left_out_unless_somebody_samples_them) {
  for (const char* path : {"/ready", "/healthz", "/metrics"}) get(path);
  call("/grpc.health.v1.Health/Check", "");
  get("/api/echo", {{"traceparent", kUnsampled}});
  get("/healthz", {{"traceparent", kSampled}});
  const std::vector<otlp::Span> found = spans();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "GET /healthz");
}

TEST_F(On, errors_are_told_as_the_conventions_have_it) {
  EXPECT_EQ(get("/no/such/path").status, 404);
  EXPECT_EQ(send("BREW", "/api/echo").status, 405);
  ASSERT_TRUE(store_->close().ok());
  EXPECT_EQ(get("/api/search").status, 503);
  // The store takes nothing any more: what is handed over then is dropped, and nobody waits.
  service_->stop();
  EXPECT_THAT(get("/metrics").body, HasSubstr("\ncontextcore_server_spans_dropped_total 3\n"));
}

TEST_F(On, spans_of_paths_and_methods_that_are_not_there) {
  EXPECT_EQ(get("/no/such/path").status, 404);
  EXPECT_EQ(send("BREW", "/api/echo").status, 405);
  const std::vector<otlp::Span> found = spans();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "GET");
  EXPECT_EQ(text(found[0], attr::kHttpRoute), "");
  EXPECT_EQ(number(found[0], attr::kHttpResponseStatusCode), 404);
  EXPECT_EQ(found[1].name, "HTTP");
  EXPECT_EQ(text(found[1], attr::kHttpRequestMethod), "_OTHER");
  EXPECT_EQ(text(found[1], attr::kHttpRequestMethodOriginal), "BREW");
}

TEST_F(On, calls_of_grpc_by_the_conventions_for_rpc) {
  const auto data = otlp::decode_traces_json(kOneSpan);
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(call(kExport, otlp::encode_protobuf(*data), {{"traceparent", kSampled}}).status, 0);
  EXPECT_EQ(call(kExport, "\xff\xff").status, 3);
  const std::vector<otlp::Span> found = spans();
  ASSERT_EQ(found.size(), 4u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found[i].name, kExport.substr(1));
    EXPECT_EQ(text(found[i], attr::kRpcSystem), "grpc");
    EXPECT_EQ(text(found[i], attr::kRpcService), "opentelemetry.proto.collector.trace.v1.TraceService");
    EXPECT_EQ(text(found[i], attr::kRpcMethod), "Export");
    EXPECT_EQ(found[i].status_code, otlp::StatusCode::unset) << "the caller's fault is none of the server";
  }
  const otlp::Span& good = number(found[0], attr::kRpcGrpcStatusCode) == 0 ? found[0] : found[1];
  EXPECT_EQ(otlp::to_hex(good.trace_id), kTrace);
  EXPECT_EQ(otlp::to_hex(good.parent_span_id), kParent);
  EXPECT_EQ(number(&good == &found[0] ? found[1] : found[0], attr::kRpcGrpcStatusCode), 3);
}

// Takes nothing until it is told to.
class SlowStore : public store::Store {
 public:
  Result<store::IngestResult> ingest(const otlp::TracesData& data, std::string_view, std::string_view) override {
    go_on.wait();
    store::IngestResult result;
    result.accepted = static_cast<int64_t>(data.span_count());
    return result;
  }
  Result<store::IngestResult> ingest_traces(std::string_view, std::string_view) override { return none(); }
  Result<store::IngestResult> ingest(const otlp::LogsData&, std::string_view, std::string_view) override {
    return none();
  }
  Result<store::IngestResult> ingest(const otlp::MetricsData&, std::string_view, std::string_view) override {
    return none();
  }
  Result<store::IngestResult> ingest(const otlp::RemoteWriteRequest&, std::string_view, std::string_view) override {
    return none();
  }
  Result<store::CommitResult> commit(const std::string&, const store::WorkPlan&) override { return none(); }
  Result<Read> read(std::string_view) override { return none(); }
  Status cut() override { return none(); }
  Status compact() override { return none(); }
  Status replace_spans(std::vector<store::JournalSpan>,
                       std::vector<std::pair<otlp::TraceId, otlp::TraceId>>) override {
    return none();
  }
  Status announce_server(const store::ServerInfo&) override { return none(); }
  store::StoreStats stats() const override { return {}; }
  const std::string& store_id() const override { return name_; }
  const std::string& path() const override { return name_; }
  Status close() override { return {}; }

  std::shared_future<void> go_on;

 private:
  static Error none() { return Error{Code::unsupported, "not here", {}, {}, {}}; }
  std::string name_;
};

// A store that does not keep up costs spans: no request waits, and memory does not grow.
TEST(ServerTracesLimit, what_the_store_does_not_keep_up_with_is_dropped) {
  ManualClock clock;
  SeededRandom random(7);
  SlowStore store;
  std::promise<void> go_on;
  store.go_on = go_on.get_future().share();
  ServerTraces traces({TraceRequests::on, &store, &clock, &random, "0.0.0-test"});
  Request request;
  request.method = "GET";
  request.raw_path = request.path = "/api/echo";
  for (int i = 0; i < 20'000; ++i) {
    const auto traced = traces.begin(request);
    ASSERT_NE(traced, nullptr);
    traces.end(*traced, request, "/api/echo", Response());
  }
  go_on.set_value();
  traces.stop();
  std::string metrics;
  traces.append_metrics(metrics);
  const auto value = [&](const std::string& name) {
    return std::stoull(metrics.substr(metrics.find("\n" + name + " ") + name.size() + 2));
  };
  const uint64_t kept = value("contextcore_server_spans_total");
  EXPECT_EQ(kept + value("contextcore_server_spans_dropped_total"), 20'000u);
  EXPECT_GE(kept, 8'192u);
  EXPECT_LE(kept, 2 * 8'192u);  // on their way, and waiting
}

}  // namespace
}  // namespace contextcore::api
