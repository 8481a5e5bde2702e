#include "api/otlp_ingest.h"

#include <optional>
#include <protozero/pbf_writer.hpp>

#include "api/prometheus.h"
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

// google.rpc.Code
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

template <typename Data, typename DecodeProtobuf, typename DecodeJson, typename Store>
Response ingest(const Request& request, std::string_view rejected_field,
                DecodeProtobuf decode_protobuf, DecodeJson decode_json, Store store) {
  std::optional<Encoding> encoding = request_encoding(request);
  if (!encoding) return unsupported_media_type(request);
  bool json = *encoding == Encoding::json;
  Result<Data> data = json ? decode_json(request.body) : decode_protobuf(request.body);
  if (!data.ok()) return otlp_error(request, data.error());
  // The store keeps protobuf bytes as they came; it encodes what came as JSON.
  Result<store::IngestResult> result =
      store(*data, json ? std::string_view{} : std::string_view(request.body));
  if (!result.ok()) return otlp_error(request, result.error());
  return success(*encoding, rejected_field, *result);
}

}  // namespace

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
  router.add("POST", "/v1/traces", [this](const Call& call) { return traces(call.request); });
  router.add("POST", "/v1/logs", [this](const Call& call) { return logs(call.request); });
  for (const char* path : {"/v1/metrics", "/api/v1/otlp/v1/metrics"}) {
    router.add("POST", path, [this](const Call& call) { return metrics(call.request); });
  }
}

Response OtlpIngest::traces(const Request& request) const {
  return ingest<otlp::TracesData>(
      request, "rejectedSpans",
      [](std::string_view body) { return otlp::decode_traces_protobuf(body); },
      [](std::string_view body) { return otlp::decode_traces_json(body); },
      [this](const otlp::TracesData& data, std::string_view body) { return store_.ingest(data, body); });
}

Response OtlpIngest::logs(const Request& request) const {
  return ingest<otlp::LogsData>(
      request, "rejectedLogRecords",
      [](std::string_view body) { return otlp::decode_logs_protobuf(body); },
      [](std::string_view body) { return otlp::decode_logs_json(body); },
      [this](const otlp::LogsData& data, std::string_view body) { return store_.ingest(data, body); });
}

Response OtlpIngest::metrics(const Request& request) const {
  return ingest<otlp::MetricsData>(
      request, "rejectedDataPoints",
      [](std::string_view body) { return otlp::decode_metrics_protobuf(body); },
      [](std::string_view body) { return otlp::decode_metrics_json(body); },
      [&](const otlp::MetricsData& data, std::string_view body) {
        return store_.ingest(data, body, request.header(kTenantHeader));
      });
}

}  // namespace contextcore::api
