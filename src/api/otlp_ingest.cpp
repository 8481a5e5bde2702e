#include "api/otlp_ingest.h"

#include <optional>
#include <protozero/pbf_writer.hpp>

#include "api/responses.h"
#include "otlp/json.h"
#include "otlp/protobuf.h"

namespace contextcore::api {

namespace {

constexpr std::string_view kOtlpProtobuf = "application/x-protobuf";

enum class Encoding : uint8_t { protobuf, json };

std::optional<Encoding> request_encoding(const Request& request) {
  std::string type = media_type(request.header("content-type"));
  if (type == kOtlpProtobuf || type == kApplicationProtobuf) return Encoding::protobuf;
  if (type == kApplicationJson) return Encoding::json;
  return std::nullopt;
}

Response unsupported_media_type(const Request& request) {
  return text_response(415, "415 unsupported media type \"" +
                                std::string(request.header("content-type")) +
                                "\", supported: [application/json, application/x-protobuf]");
}

Response success(Encoding encoding, std::string_view field, const store::IngestResult& result) {
  Response response;
  if (encoding == Encoding::json) {
    response.body = otlp::encode_export_response_json(field, result.rejected, result.message);
  } else {
    response.content_type = kOtlpProtobuf;
    response.body = otlp::encode_export_response_protobuf(result.rejected, result.message);
  }
  return response;
}

}  // namespace

int32_t rpc_code(Code code) {
  switch (code) {
    case Code::cancelled:
      return 1;
    case Code::invalid_argument:
      return 3;
    case Code::deadline_exceeded:
      return 4;
    case Code::not_found:
      return 5;
    case Code::already_exists:
      return 6;
    case Code::permission_denied:
      return 7;
    case Code::resource_exhausted:
      return 8;
    case Code::failed_precondition:
      return 9;
    case Code::conflict:
      return 10;
    case Code::unsupported:
      return 12;
    case Code::io_error:
    case Code::internal:
      return 13;
    case Code::unavailable:
      return 14;
    case Code::corruption:
      return 15;
  }
  return 13;
}

Response otlp_error(const Request& request, const Error& error) {
  Response response;
  response.status = http_status(error.code);
  add_retry_after(response);
  std::string message = error.to_string();
  if (request_encoding(request) == Encoding::protobuf) {
    response.content_type = kOtlpProtobuf;
    protozero::pbf_writer writer(response.body);
    writer.add_int32(1, rpc_code(error.code));
    writer.add_string(2, message);
  } else {
    response.body = to_string(
        JsonObject{{"code", int64_t{rpc_code(error.code)}}, {"message", std::move(message)}});
  }
  return response;
}

void OtlpIngest::mount(Router& router) {
  const auto add = [&](const char* path, Signal signal, const char* rejected) {
    router.add("POST", path, [this, signal, rejected](const Call& call) {
      return ingest(call.request, signal, rejected);
    });
  };
  add("/v1/traces", Signal::traces, "rejectedSpans");
  add("/v1/logs", Signal::logs, "rejectedLogRecords");
  add("/v1/metrics", Signal::metrics, "rejectedDataPoints");
  add("/api/v1/otlp/v1/metrics", Signal::metrics, "rejectedDataPoints");
}

Response OtlpIngest::ingest(const Request& request, Signal signal,
                            std::string_view rejected_field) const {
  std::optional<Encoding> encoding = request_encoding(request);
  if (!encoding) return unsupported_media_type(request);
  const std::string_view tenant = request.header(kTenantHeader);
  const auto result = *encoding == Encoding::json ? take_json(request.body, signal, tenant)
                                                  : take(signal, request.body, tenant);
  if (!result.ok()) return otlp_error(request, result.error());
  return success(*encoding, rejected_field, *result);
}

// The store keeps protobuf bytes as they came; it encodes what came as JSON.
Result<store::IngestResult> OtlpIngest::take(Signal signal, std::string_view protobuf,
                                             std::string_view tenant) const {
  switch (signal) {
    case Signal::traces: {
      return store_.ingest_traces(protobuf, tenant);
    }
    case Signal::logs: {
      CC_ASSIGN(const otlp::LogsData data, otlp::decode_logs_protobuf(protobuf));
      return store_.ingest(data, protobuf, tenant);
    }
    case Signal::metrics: {
      CC_ASSIGN(const otlp::MetricsData data, otlp::decode_metrics_protobuf(protobuf));
      return store_.ingest(data, protobuf, tenant);
    }
  }
  return Error{Code::internal, "no such signal", {}, {}, {}};
}

Result<store::IngestResult> OtlpIngest::take_json(std::string_view json, Signal signal,
                                                  std::string_view tenant) const {
  switch (signal) {
    case Signal::traces: {
      CC_ASSIGN(const otlp::TracesData data, otlp::decode_traces_json(json));
      return store_.ingest(data, {}, tenant);
    }
    case Signal::logs: {
      CC_ASSIGN(const otlp::LogsData data, otlp::decode_logs_json(json));
      return store_.ingest(data, {}, tenant);
    }
    case Signal::metrics: {
      CC_ASSIGN(const otlp::MetricsData data, otlp::decode_metrics_json(json));
      return store_.ingest(data, {}, tenant);
    }
  }
  return Error{Code::internal, "no such signal", {}, {}, {}};
}

}  // namespace contextcore::api
