#include "api/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/gzip.h"
#include "api/openapi.h"
#include "base/hash.h"
#include "otlp/protobuf.h"
#include "service_kit.h"
#include "work/ids.h"

namespace contextcore::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string header(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

constexpr const char* kOneSpan =
    R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",
  "value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{"traceId":"0000000000000000000000000000a1b2",
  "spanId":"00000000000000c3","name":"pay","kind":2,"startTimeUnixNano":"1699999999000000000",
  "endTimeUnixNano":"1699999999500000000","attributes":[{"key":"http.status_code","value":{"intValue":"200"}}],
  "status":{"code":1}}]}]}]})";

// "METHOD /path" of every operation of the file, by its layout: paths two blanks in, methods four.
std::set<std::string> documented_routes() {
  std::set<std::string> out;
  std::string_view rest = openapi_yaml();
  std::string path;
  bool in_paths = false;
  while (!rest.empty()) {
    size_t end = std::min(rest.find('\n'), rest.size() - 1);
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line == "paths:") in_paths = true;
    if (line == "components:") in_paths = false;
    if (!in_paths) continue;
    if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
    for (std::string_view method : {"get", "post", "put", "patch", "delete"}) {
      if (line != "    " + std::string(method) + ":") continue;
      std::string upper(method);
      std::transform(upper.begin(), upper.end(), upper.begin(),
                     [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      out.insert(upper + " " + path);
    }
  }
  return out;
}

TEST_F(ServiceTest, documents_its_routes) {
  std::set<std::string> served;
  for (const Route& route : service_->routes()) served.insert(route.method + " " + route.path);
  EXPECT_EQ(served, documented_routes());
  EXPECT_EQ(get("/openapi.yaml").body, openapi_yaml());
}

TEST_F(ServiceTest, answers_every_documented_get) {
  for (const Route& route : service_->routes()) {
    if (route.method != "GET") continue;
    std::string path = route.path;
    for (size_t open; (open = path.find('{')) != std::string::npos;) {
      path.replace(open, path.find('}') - open + 1, "abc");
    }
    int status = get(path).status;
    EXPECT_TRUE(status == 200 || status == 400 || status == 404 || status == 503)
        << path << " " << status;
  }
}

TEST_F(ServiceTest, says_whether_it_is_ready) {
  EXPECT_EQ(get("/ready").status, 503);
  service_->set_ready(true);
  EXPECT_EQ(get("/ready").status, 200);
  service_->set_ready(false);
  EXPECT_EQ(get("/ready").status, 503);
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(ServiceTest, knows_queries_from_what_must_not_wait_behind_them) {
  const auto is = [](std::string path) {
    Request request;
    request.raw_path = std::move(path);
    return is_query(request);
  };
  for (const char* path : {"/api/search", "/api/traces/1", "/loki/api/v1/query_range", "/api/v1/query",
                           "/prometheus/api/v1/query_range", "/", "/api/metrics/query"}) {
    EXPECT_TRUE(is(path)) << path;
  }
  for (const char* path : {"/v1/traces", "/tracker/v1/commands", "/api/v1/write", "/loki/api/v1/push",
                           "/prometheus/api/v1/write", "/api/v1/otlp/v1/metrics", "/ready", "/metrics"}) {
    EXPECT_FALSE(is(path)) << path;
  }
}

TEST_F(ServiceTest, tells_how_the_store_is_doing) {
  service_->set_load({5, 2});
  const std::string metrics = get("/metrics").body;
  for (const char* line :
       {"contextcore_requests_running{kind=\"query\"} 2\n", "contextcore_requests_running{kind=\"other\"} 3\n",
        "contextcore_store_writable 1\n", "contextcore_store_wal_sync_seconds_bucket{le=\"+Inf\"} ",
        "contextcore_store_commit_wait_seconds_count ", "contextcore_store_throttled_total 0\n",
        "contextcore_store_compaction_pending_rows 0\n"}) {
    EXPECT_THAT(metrics, HasSubstr(line));
  }
}

TEST_F(ServiceTest, refuses_unknown_paths_and_methods) {
  EXPECT_EQ(get("/nothing").status, 404);
  Response wrong = send("DELETE", "/tracker/v1/tasks");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(header(wrong, "Allow"), "GET, POST");
  EXPECT_TRUE(parse_json(wrong.body).ok());
}

TEST_F(ServiceTest, counts_requests_by_route_and_not_by_what_clients_invent) {
  get("/tracker/v1/tasks/none");
  send("BREW", "/coffee\"}");
  std::string metrics = get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("contextcore_http_requests_total{route=\"/tracker/v1/tasks/{id}\","
                                 "method=\"GET\",code=\"404\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("{route=\"unknown\",method=\"other\",code=\"404\"} 1\n"));
  EXPECT_THAT(metrics, Not(HasSubstr("BREW")));
  EXPECT_THAT(metrics, HasSubstr("contextcore_store_sequence "));
}

TEST_F(ServiceTest, decodes_compressed_bodies_within_a_bound) {
  Response plain = send("POST", "/v1/traces", gzip(kOneSpan),
                        {{"content-type", "application/json"}, {"content-encoding", "gzip"}});
  EXPECT_EQ(plain.status, 200) << plain.body;
  Response bomb = send("POST", "/v1/traces", gzip(std::string(20 << 20, ' ')),
                       {{"content-type", "application/json"}, {"content-encoding", "gzip"}});
  EXPECT_EQ(bomb.status, 413);
  Response torn = send("POST", "/v1/traces", gzip(kOneSpan).substr(0, 40),
                       {{"content-type", "application/json"}, {"content-encoding", "gzip"}});
  EXPECT_EQ(torn.status, 400);
  Response unknown = send("POST", "/v1/traces", kOneSpan,
                          {{"content-type", "application/json"}, {"content-encoding", "br"}});
  EXPECT_EQ(unknown.status, 415);
}

TEST_F(ServiceTest, compresses_large_answers_for_those_who_take_it) {
  Response plain = get("/openapi.yaml");
  Response small = get("/openapi.yaml", {{"accept-encoding", "gzip, br"}});
  EXPECT_EQ(header(small, "Content-Encoding"), "gzip");
  EXPECT_EQ(gunzip(small.body, 1 << 20).value(), plain.body);
  EXPECT_EQ(header(get("/healthz", {{"accept-encoding", "gzip"}}), "Content-Encoding"), "");
}

TEST_F(ServiceTest, answers_otlp_in_the_encoding_of_the_request) {
  Response json = send("POST", "/v1/traces", "{}", {{"content-type", "application/json"}});
  EXPECT_EQ(json.status, 200);
  EXPECT_EQ(json.body, "{}");  // full success leaves partialSuccess unset
  Response protobuf = send("POST", "/v1/traces", "", {{"content-type", "application/x-protobuf"}});
  EXPECT_EQ(protobuf.status, 200);
  EXPECT_EQ(protobuf.content_type, "application/x-protobuf");
  EXPECT_EQ(protobuf.body, "");
  // google.rpc.Status: field 1 = 3 (INVALID_ARGUMENT), field 2 = message.
  Response bad = send("POST", "/v1/logs", "\x0a\xff", {{"content-type", "application/x-protobuf"}});
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body.substr(0, 3), "\x08\x03\x12");
  EXPECT_EQ(send("POST", "/v1/logs", "hello", {{"content-type", "text/plain"}}).status, 415);
  EXPECT_EQ(send("POST", "/v1/logs", "hello").status, 415);
}

TEST_F(ServiceTest, refuses_forged_work_and_says_so) {
  post("/tracker/v1/tasks?project=p", R"({"id":"T-1","title":"Real"})");
  otlp::TracesData forged;
  otlp::Span span;
  span.trace_id = work::trace_id("task", "p", "T-1");
  span.span_id = work::span_id("task", "p", "T-1");
  span.name = "contextcore.task.task";
  span.start_ns = 1;
  span.end_ns = 2;
  span.attributes = {{"task.id", "T-1"}, {"project.id", "p"}, {"task.status", "done"}};
  forged.resource_spans.push_back({{}, {{{}, {span}}}});
  Response response = send("POST", "/v1/traces", otlp::encode_protobuf(forged),
                           {{"content-type", "application/x-protobuf"}});
  EXPECT_EQ(response.status, 200);
  // ExportTracePartialSuccess: rejected_spans = 1, then why.
  EXPECT_THAT(response.body, HasSubstr(std::string("\x08\x01\x12", 3)));
  EXPECT_THAT(response.body, HasSubstr("task state changes through the work API"));
  EXPECT_THAT(get("/tracker/v1/tasks/T-1").body, HasSubstr("\"status\":\"todo\""));
}

TEST_F(ServiceTest, gives_its_token_over_the_unix_socket_only) {
  EXPECT_THAT(get("/tracker/v1/server").body, Not(HasSubstr("the-token")));
  Request request;
  request.method = "GET";
  request.path = request.raw_path = "/tracker/v1/server";
  request.trusted = true;
  EXPECT_THAT(service_->handle(request).body, HasSubstr("the-token"));
}

TEST_F(ServiceTest, carries_a_command_out_once) {
  Pairs key = {{"content-type", "application/json"}, {"idempotency-key", "once"}};
  Response first = send("POST", "/tracker/v1/tasks?project=p", R"({"title":"A"})", key);
  Response again = send("POST", "/tracker/v1/tasks?project=p", R"({"title":"A"})", key);
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.body, again.body);
  EXPECT_EQ(parse_json(get("/tracker/v1/tasks?project=p").body)->find("items")->as_array()->size(),
            1U);
  Response two_ids =
      send("POST", "/tracker/v1/commands",
           R"({"op":"task.create","project":"p","args":{"title":"B"},"command_id":"00"})", key);
  EXPECT_EQ(two_ids.status, 400);
}

TEST_F(ServiceTest, rebuilds_the_same_spans) {
  post("/tracker/v1/tasks?project=p", R"({"id":"T-1","title":"Real"})");
  clock_.advance_ns(60'000'000'000);
  post("/tracker/v1/tasks/T-1/status", R"({"status":"in_progress"})");
  std::string before = get("/tracker/v1/tasks/T-1").body;
  Json answer = post("/tracker/v1/rebuild", "{}");
  EXPECT_NE(answer.find("spans"), nullptr);
  EXPECT_EQ(get("/tracker/v1/tasks/T-1").body, before);
}

TEST_F(ServiceTest, answers_traces_as_protobuf) {
  ASSERT_EQ(send("POST", "/v1/traces", kOneSpan, {{"content-type", "application/json"}}).status,
            200);
  Response trace = get("/api/traces/a1b2", {{"accept", "application/protobuf"}});
  EXPECT_EQ(trace.status, 200);
  Result<otlp::TracesData> data = otlp::decode_traces_protobuf(trace.body);
  ASSERT_TRUE(data.ok());
  ASSERT_EQ(data->span_count(), 1U);
  EXPECT_EQ(data->resource_spans[0].scope_spans[0].spans[0].name, "pay");
}

class HastyTest : public ServiceTest {
 protected:
  void SetUp() override {
    query_timeout_ns_ = 0;
    ServiceTest::SetUp();
  }
};

TEST_F(HastyTest, ends_queries_that_take_too_long) {
  post("/tracker/v1/tasks?project=p", R"({"id":"T-1","title":"Real"})");
  EXPECT_EQ(get("/api/search?q=%7B%7D").status, 504);
  otlp::LogsData many;
  otlp::LogRecord record;
  record.time_ns = static_cast<uint64_t>(clock_.wall_ns()) - 1000;
  std::vector<otlp::LogRecord> records(10'000, record);
  for (size_t i = 0; i < records.size(); ++i) records[i].body = std::to_string(i);
  many.resource_logs.push_back({{}, {{{}, std::move(records)}}});
  Pairs protobuf = {{"content-type", "application/x-protobuf"}};
  ASSERT_EQ(send("POST", "/v1/logs", otlp::encode_protobuf(many), protobuf).status, 200);
  // The limit would end the query early, so none of the lines may match.
  Response logs =
      get("/loki/api/v1/"
          "query_range?query=%7Bservice_name%3D%22unknown_service%22%7D%20%7C%20json%20%7C%20a%3D%"
          "22x%22");
  EXPECT_EQ(logs.status, 504) << logs.body;
}

class PageTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    post("/tracker/v1/tasks?project=shop", R"({"id":"S-1","title":"<script>alert(1)</script>"})");
    post("/tracker/v1/tasks?project=shop", R"({"id":"a/b#1","title":"Slashes & hashes"})");
    clock_.advance_ns(3600'000'000'000);
    post("/tracker/v1/tasks/S-1/start?project=shop", "{}");
    clock_.advance_ns(3600'000'000'000);
    post("/tracker/v1/tasks/S-1/block?project=shop", R"({"reason":"waits for \"legal\""})");
    post("/tracker/v1/insights?project=shop",
         R"({"type":"decision","summary":"Use <b>events</b>","confidence":0.92,"task_id":"S-1"})");
    clock_.advance_ns(3600'000'000'000);
  }
};

TEST_F(PageTest, shows_the_portfolio) {
  Response page = get("/");
  ASSERT_EQ(page.status, 200) << page.body;
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("<dt>blocked</dt><dd class=\"blocked\">1</dd>"));
  EXPECT_THAT(page.body, HasSubstr("waits for &quot;legal&quot;"));
  EXPECT_THAT(page.body, HasSubstr("Use &lt;b&gt;events&lt;/b&gt;"));
  EXPECT_THAT(page.body, HasSubstr("{ span.task.status != nil }"));
  EXPECT_THAT(page.body, HasSubstr("href=\"/task/shop/a%2Fb%231\""));
  EXPECT_THAT(page.body, Not(HasSubstr("<script")));
}

TEST_F(PageTest, shows_a_task) {
  Response page = get("/task/shop/S-1");
  ASSERT_EQ(page.status, 200) << page.body;
  EXPECT_THAT(page.body, Not(HasSubstr("<script")));
  EXPECT_THAT(page.body, HasSubstr("waits for &quot;legal&quot;"));
  EXPECT_THAT(page.body, HasSubstr("task.status_changed"));
  EXPECT_THAT(page.body, HasSubstr("Insights <span class=\"soft number\">1</span>"));
  EXPECT_THAT(page.body, HasSubstr("rect class=\"in_progress\""));  // a phase
  EXPECT_THAT(page.body, Not(HasSubstr("class=\"warning\"")));
  EXPECT_EQ(get("/task/shop/a%2Fb%231").status, 200);
  Response none = get("/task/shop/none");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.content_type, "text/html; charset=utf-8");
}

TEST_F(PageTest, shows_telemetry_that_links_to_a_task_and_leaves_forged_work_out) {
  otlp::TracesData sent;
  otlp::Span run;
  run.trace_id.bytes[0] = 0x77;
  run.span_id.bytes[0] = 0x88;
  run.name = "contextcore.run";
  run.start_ns = static_cast<uint64_t>(clock_.wall_ns()) - 60'000'000'000;
  run.end_ns = run.start_ns + 1'000'000'000;
  otlp::SpanLink link;
  link.trace_id = work::trace_id("task", "shop", "S-1");
  link.span_id = work::span_id("task", "shop", "S-1");
  run.links.push_back(link);
  otlp::Span child = run;
  child.span_id.bytes[0] = 0x99;
  child.parent_span_id = run.span_id;
  child.name = "pytest <unit>";
  child.links.clear();
  otlp::Span foreign = child;
  foreign.trace_id.bytes[0] = 0x55;
  foreign.parent_span_id = {};
  foreign.attributes = {{"task.id", "F-1"},
                        {"project.id", "shop"},
                        {"task.status", "blocked"},
                        {"task.title", "Forged"}};
  sent.resource_spans.push_back({{}, {{{}, {run, child, foreign}}}});
  ASSERT_EQ(send("POST", "/v1/traces", otlp::encode_protobuf(sent),
                 {{"content-type", "application/x-protobuf"}})
                .status,
            200);
  std::string task = get("/task/shop/S-1").body;
  EXPECT_THAT(task, HasSubstr("contextcore.run"));
  EXPECT_THAT(task, HasSubstr("pytest &lt;unit&gt;"));
  std::string portfolio = get("/").body;
  EXPECT_THAT(portfolio, Not(HasSubstr(">Forged<")));
  EXPECT_THAT(portfolio, HasSubstr("<dt>blocked</dt><dd class=\"blocked\">1</dd>"));
}

}  // namespace
}  // namespace contextcore::api
