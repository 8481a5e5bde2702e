// Files as the Collector's file exporter and people write them, and errors that say where.

#include "otlp/otlp_file.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include "base/gzip.h"
#include "otlp/json.h"
#include "otlp/protobuf.h"

namespace contextcore::otlp {
namespace {

std::string zstd(std::string_view raw) {
  std::string out(ZSTD_compressBound(raw.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), 1));
  return out;
}

std::string with_length(const std::string& message) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(message.size() >> shift & 0xFF);
  return out + message;
}

TracesData some_traces() {
  TracesData data;
  Span span;
  parse_hex("0102", span.trace_id);
  parse_hex("03", span.span_id);
  span.start_ns = 1;
  span.name = "pay";
  data.resource_spans.emplace_back().scope_spans.emplace_back().spans = {span, span};
  return data;
}

LogsData some_logs() {
  LogsData data;
  LogRecord record;
  record.time_ns = 5;
  record.body = "line";
  data.resource_logs.emplace_back().scope_logs.emplace_back().records = {record};
  return data;
}

MetricsData some_metrics() {
  auto data = decode_metrics_json(
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"queue_size","gauge":{"dataPoints":)"
      R"([{"timeUnixNano":"5","asInt":"3"},{"timeUnixNano":"6","asDouble":4.5}]}}]}]}]})");
  return data.ok() ? *data : MetricsData{};
}

// "2 0", "0 1", "0 0 2": spans, records and points of each request; or "error: ...".
std::string requests_of(std::string bytes) {
  Result<std::string> raw = unpack_otlp_file(std::move(bytes));
  if (!raw.ok()) return "error: " + raw.error().message;
  OtlpFileReader reader(*raw);
  std::string out;
  while (true) {
    auto request = reader.next();
    if (!request.ok()) return out + "error: " + request.error().message;
    if (!*request) return out;
    out += std::to_string((*request)->traces.span_count()) + " " +
           std::to_string((*request)->logs.record_count());
    const size_t points = (*request)->metrics.point_count();
    out += points > 0 ? " " + std::to_string(points) + ";" : ";";
  }
}

TEST(OtlpFile, every_form_is_read) {
  const std::string traces_json = encode_json(some_traces());
  const std::string logs_json = encode_json(some_logs());
  const std::string traces = encode_protobuf(some_traces());
  const std::string logs = encode_protobuf(some_logs());
  EXPECT_EQ(requests_of(traces_json), "2 0;");
  EXPECT_EQ(requests_of(traces_json + "\n" + logs_json + "\r\n\n" + traces_json + "\n"),
            "2 0;0 1;2 0;");
  EXPECT_EQ(requests_of(" {\n \"resourceLogs\" : [\n ]\n}\n"), "0 0;");
  EXPECT_EQ(requests_of("{}"), "0 0;");
  EXPECT_EQ(
      requests_of("{" + traces_json.substr(1, traces_json.size() - 2) + "," + logs_json.substr(1)),
      "2 1;");
  EXPECT_EQ(requests_of(traces), "2 0;");
  EXPECT_EQ(requests_of(logs), "0 1;");
  EXPECT_EQ(requests_of(with_length(traces) + with_length(logs) + with_length("")), "2 0;0 1;0 0;");
  EXPECT_EQ(requests_of(encode_json(some_metrics())), "0 0 2;");
  EXPECT_EQ(requests_of(encode_protobuf(some_metrics())), "0 0 2;");
  EXPECT_EQ(requests_of(""), "");
  EXPECT_EQ(requests_of("\n \n"), "");
}

TEST(OtlpFile, compressed_files_and_messages_are_read) {
  const std::string lines = encode_json(some_traces()) + "\n" + encode_json(some_logs()) + "\n";
  EXPECT_EQ(requests_of(gzip(lines)), "2 0;0 1;");
  EXPECT_EQ(requests_of(gzip(lines) + gzip(lines)), "2 0;0 1;2 0;0 1;");
  EXPECT_EQ(requests_of(zstd(lines)), "2 0;0 1;");
  EXPECT_EQ(requests_of(zstd(encode_protobuf(some_logs()))), "0 1;");
  // With compression, the file exporter compresses each message for itself.
  EXPECT_EQ(requests_of(with_length(zstd(encode_json(some_logs()))) +
                        with_length(zstd(encode_protobuf(some_traces())))),
            "0 1;2 0;");
}

TEST(OtlpFile, errors_say_where) {
  const std::string good = encode_json(some_logs());
  EXPECT_EQ(requests_of(good + "\n{\"resourceSpans\": 5}\n").substr(0, 18), "0 1;error: line 2:");
  EXPECT_EQ(requests_of(good + "\n\n{\"resourceLogs\": ["),
            "0 1;error: line 3: the JSON object does not end");
  EXPECT_EQ(
      requests_of("{\"a\":1}"),
      "error: line 1: the object has neither resourceSpans, resourceLogs nor resourceMetrics");
  EXPECT_EQ(requests_of("no telemetry"), "error: byte 0: is neither OTLP JSON nor OTLP protobuf");
  EXPECT_EQ(requests_of("ab"), "error: byte 0: is neither OTLP JSON nor OTLP protobuf");
  const std::string first = with_length(encode_protobuf(some_logs()));
  EXPECT_EQ(requests_of(first + with_length("\xff\xff")).substr(0, 12 + 2), "0 1;error: byt");
  EXPECT_EQ(
      requests_of(first + with_length("\x0a")).find("byte " + std::to_string(first.size() + 4)),
      std::string("0 1;error: ").size());
  EXPECT_EQ(requests_of(zstd(good).substr(0, 20)), "error: the zstd data is damaged or cut off");
  EXPECT_EQ(requests_of(gzip(good).substr(0, 20)),
            "error: the compressed body is damaged or cut off");
  EXPECT_EQ(requests_of(with_length(gzip(gzip(good)))), "error: byte 4: is compressed twice");
}

TEST(OtlpFile, what_a_file_becomes_is_bounded) {
  OtlpFileLimits limits;
  limits.raw_bytes_max = 100;
  EXPECT_EQ(unpack_otlp_file(zstd(std::string(101, ' ')), limits).error().code,
            Code::resource_exhausted);
  EXPECT_EQ(unpack_otlp_file(gzip(std::string(101, ' ')), limits).error().code,
            Code::resource_exhausted);
  EXPECT_TRUE(unpack_otlp_file(zstd(std::string(100, ' ')), limits).ok());
}

}  // namespace
}  // namespace contextcore::otlp
