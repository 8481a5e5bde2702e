// gRPC calls against a whole service: the same store, the same refusals as over HTTP.

#include "api/grpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/gzip.h"
#include "otlp/export_response.h"
#include "otlp/json.h"
#include "otlp/protobuf.h"
#include "service_kit.h"

namespace contextcore::api {
namespace {

using ::testing::HasSubstr;

const std::string kTraces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const std::string kLogs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const std::string kMetrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const std::string kHealth = "/grpc.health.v1.Health/Check";

std::string span(std::string_view trace, std::string_view id, std::string_view service = "shop") {
  const std::string json =
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":")" +
      std::string(service) + R"("}}]},"scopeSpans":[{"spans":[{"traceId":")" + std::string(trace) +
      R"(","spanId":")" + std::string(id) +
      R"(","name":"pay","kind":2,"startTimeUnixNano":"1699999999000000000",
      "endTimeUnixNano":"1699999999500000000"}]}]}]})";
  auto data = otlp::decode_traces_json(json);
  EXPECT_TRUE(data.ok());
  return otlp::encode_protobuf(*data);
}
std::string one_span() { return span("0000000000000000000000000000a1b2", "00000000000000c3"); }

std::string gauge(std::string_view name) {
  auto data = otlp::decode_metrics_json(
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":")" + std::string(name) +
      R"(","gauge":{"dataPoints":[{"timeUnixNano":"1699999999000000000","asInt":"7"}]}}]}]}]})");
  EXPECT_TRUE(data.ok());
  return otlp::encode_protobuf(*data);
}

class GrpcTest : public ServiceTest {
 protected:
  GrpcAnswer call(const std::string& path, std::string message, Pairs metadata = {},
                  bool compressed = false) {
    GrpcCall call;
    call.method = "POST";
    call.path = path;
    call.message = std::move(message);
    call.metadata = std::move(metadata);
    call.metadata.emplace_back("content-type", "application/grpc");
    call.compressed = compressed;
    EXPECT_FALSE(refuse_grpc_header(call).has_value());
    return service_->call(std::move(call));
  }
  size_t spans_found() {
    const std::string body = get("/api/search?q=%7B%7D").body;
    size_t count = 0;
    for (size_t at = 0; (at = body.find("\"traceID\"", at)) != std::string::npos; ++at) ++count;
    return count;
  }
  std::string metrics() { return get("/metrics").body; }
};

TEST_F(GrpcTest, spans_are_found_by_traceql) {
  const GrpcAnswer answer = call(kTraces, one_span());
  EXPECT_EQ(answer.status, 0) << answer.words;
  EXPECT_EQ(answer.message, "");
  EXPECT_EQ(spans_found(), 1U);
  EXPECT_THAT(metrics(), HasSubstr("contextcore_grpc_requests_total{method=\"" + kTraces +
                                   "\",code=\"OK\"} 1\n"));
}

TEST_F(GrpcTest, what_came_over_http_is_a_repeat_over_grpc) {
  EXPECT_EQ(send("POST", "/v1/traces", one_span(), {{"content-type", "application/x-protobuf"}}).status, 200);
  EXPECT_EQ(call(kTraces, one_span()).status, 0);
  EXPECT_EQ(spans_found(), 1U);
  EXPECT_THAT(metrics(), HasSubstr("contextcore_store_duplicates_total 1\n"));
}

TEST_F(GrpcTest, compressed_messages_are_the_same) {
  EXPECT_EQ(call(kTraces, gzip(one_span()), {{"grpc-encoding", "gzip"}}, true).status, 0);
  EXPECT_EQ(call(kTraces, one_span(), {{"grpc-encoding", "gzip"}}, false).status, 0);
  EXPECT_EQ(spans_found(), 1U);
}

TEST_F(GrpcTest, a_compressed_message_without_an_encoding_is_an_error) {
  for (const Pairs& metadata : {Pairs{}, Pairs{{"grpc-encoding", "identity"}}}) {
    EXPECT_EQ(call(kTraces, gzip(one_span()), metadata, true).status, 13);
  }
  EXPECT_EQ(spans_found(), 0U);
}

TEST_F(GrpcTest, what_is_wrong_with_the_data_is_said_and_not_to_be_sent_again) {
  for (const GrpcAnswer& answer :
       {call(kTraces, "\xff\xff"), call(kLogs, "\x0a\x05x"), call(kMetrics, "\xff"),
        call(kTraces, "no gzip", {{"grpc-encoding", "gzip"}}, true)}) {
    EXPECT_EQ(answer.status, 3) << answer.words;
    EXPECT_EQ(answer.details, "");
    EXPECT_NE(answer.words, "");
  }
}

TEST_F(GrpcTest, a_message_that_unpacks_to_too_much_is_refused_for_good) {
  const GrpcAnswer answer =
      call(kTraces, gzip(std::string((16 << 20) + 1, 'x')), {{"grpc-encoding", "gzip"}}, true);
  EXPECT_EQ(answer.status, 8);
  EXPECT_THAT(answer.words, HasSubstr("larger than max"));
  EXPECT_EQ(answer.details, "");
}

TEST_F(GrpcTest, forged_work_is_refused_and_the_sender_is_told) {
  const std::string task = to_string(post("/tracker/v1/commands", R"({"op":"task.create","project":"p",
      "args":{"id":"A","title":"a"},"actor":{"actor":"me"}})"));
  const auto field = [&](const std::string& name) {
    const size_t at = task.find("\"" + name + "\":\"") + name.size() + 4;
    return task.substr(at, task.find('"', at) - at);
  };
  const GrpcAnswer answer = call(kTraces, span(field("trace_id"), field("span_id"), "contextcore"));
  EXPECT_EQ(answer.status, 0);
  const auto response = otlp::decode_export_response_protobuf(answer.message);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->rejected, 1);
  EXPECT_THAT(response->message, HasSubstr("work API"));
}

TEST_F(GrpcTest, metrics_belong_to_the_tenant_of_the_metadata) {
  EXPECT_EQ(call(kMetrics, gauge("pressure"), {{"x-scope-orgid", "team"}}).status, 0);
  const std::string query = "/api/v1/query?query=pressure&time=1699999999";
  EXPECT_THAT(get(query, {{"x-scope-orgid", "team"}}).body, HasSubstr("\"7\""));
  EXPECT_EQ(get(query).body.find("\"7\""), std::string::npos);
  // A view of work is forged by nobody.
  const auto refused = otlp::decode_export_response_protobuf(call(kMetrics, gauge("task_wip")).message);
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->rejected, 1);
}

TEST_F(GrpcTest, traces_and_logs_belong_to_the_tenant_of_the_metadata) {
  const auto logs = otlp::decode_logs_json(R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[
      {"timeUnixNano":"1699999999000000000","body":{"stringValue":"hello"}}]}]}]})");
  ASSERT_TRUE(logs.ok());
  const Pairs team = {{"x-scope-orgid", "team"}};
  EXPECT_EQ(call(kTraces, one_span(), team).status, 0);
  EXPECT_EQ(call(kLogs, otlp::encode_protobuf(*logs), team).status, 0);
  const std::string lines = "/loki/api/v1/query_range?query=%7Bservice_name%3D~%22.%2B%22%7D";
  EXPECT_EQ(spans_found(), 0U);
  EXPECT_THAT(get(lines).body, HasSubstr("\"result\":[]"));
  EXPECT_THAT(get("/api/search?q=%7B%7D", team).body, HasSubstr("\"traceID\""));
  EXPECT_THAT(get(lines, team).body, HasSubstr("hello"));
  // No repeat: that was another's.
  EXPECT_EQ(call(kTraces, one_span()).status, 0);
  EXPECT_EQ(spans_found(), 1U);
}

TEST_F(GrpcTest, what_is_no_name_of_a_tenant_is_refused) {
  for (const std::string tenant : {"a b", "a|b", ".."}) {
    for (const auto& [method, message] : Pairs{{kTraces, one_span()}, {kTraces, ""}, {kMetrics, gauge("pressure")}}) {
      const GrpcAnswer answer = call(method, message, {{"x-scope-orgid", tenant}});
      EXPECT_EQ(answer.status, 3) << tenant << ": " << answer.words;
      EXPECT_THAT(answer.words, HasSubstr("tenant ID"));
      EXPECT_EQ(answer.details, "") << "no other try";
    }
  }
}

TEST_F(GrpcTest, an_empty_request_is_one) {
  EXPECT_EQ(call(kLogs, "").status, 0);
}

TEST_F(GrpcTest, telemetry_that_this_store_exported_does_not_come_back) {
  const GrpcAnswer answer = call(kTraces, one_span(), {{"x-contextcore-store", store_->store_id()}});
  EXPECT_EQ(answer.status, 7);
  EXPECT_EQ(answer.details, "");
  EXPECT_EQ(spans_found(), 0U);
  EXPECT_EQ(call(kTraces, one_span(), {{"x-contextcore-store", "another"}}).status, 0);
}

TEST_F(GrpcTest, a_store_that_cannot_be_written_asks_for_patience) {
  ASSERT_TRUE(store_->close().ok());
  const GrpcAnswer answer = call(kTraces, one_span());
  EXPECT_EQ(answer.status, 14) << answer.words;
  EXPECT_EQ(otlp::decode_rpc_status(answer.details).retry_delay_ns, 1'000'000'000);
  EXPECT_THAT(metrics(), HasSubstr("code=\"UNAVAILABLE\"} 1\n"));
}

TEST_F(GrpcTest, a_disk_that_fails_asks_for_patience_and_nothing_is_acknowledged) {
  for (const SimOp op : {SimOp::write, SimOp::sync}) {
    SetUp();
    disk_.fail_next(op, 0, SimFault::io_error);
    for (int i = 0; i < 2; ++i) {  // what meets the fault, and what comes after it
      const GrpcAnswer answer = call(kTraces, one_span());
      EXPECT_EQ(answer.status, 14) << answer.words;
      EXPECT_EQ(otlp::decode_rpc_status(answer.details).retry_delay_ns, 1'000'000'000);
    }
    service_.reset();
    store_.reset();
    disk_.clear_faults();
  }
}

TEST_F(GrpcTest, health_is_that_of_ready) {
  EXPECT_EQ(call(kHealth, "").message, "\x08\x02");
  service_->set_ready(true);
  EXPECT_EQ(call(kHealth, "").message, "\x08\x01");
  const std::string service = kLogs.substr(1, kLogs.size() - 8);
  EXPECT_EQ(call(kHealth, "\x0a" + std::string(1, static_cast<char>(service.size())) + service).message,
            "\x08\x01");
  EXPECT_EQ(call(kHealth, "\x0a\x01x").status, 5);
  EXPECT_EQ(call(kHealth, "\x0a\x09x").status, 3);
}

}  // namespace
}  // namespace contextcore::api
