// Prometheus' remote-write receiver, version 1.0: POST /api/v1/write. 204 when all was taken; 400 with the reasons when
// something was refused (the rest is stored: the sender must not try again); 503: try again later.

#include "api/prometheus.h"
#include "api/responses.h"
#include "otlp/remote_write.h"
#include "otlp/snappy.h"

namespace contextcore::api {

namespace {

// prometheus.WriteRequest unless the type says otherwise: proto=io.prometheus.write.v2.Request is version 2.
bool is_version_1(const Request& request) {
  const std::string_view type = request.header("content-type");
  return type.empty() || (media_type(type) == "application/x-protobuf" &&
                          type.find("io.prometheus.write.v2") == std::string_view::npos);
}

Response failed(const Error& error) {
  Response response = text_error(error);
  // Prometheus drops what gets 429 unless retry_on_http_429 is set.
  if (response.status == 429) response.status = 503;
  add_retry_after(response);
  return response;
}

}  // namespace

Response Prometheus::remote_write(const Request& request) const {
  if (!is_version_1(request)) {
    return text_response(415, "remote write of type \"" + std::string(request.header("content-type")) +
                                  "\" is not taken; send prometheus.WriteRequest (version 1.0)\n");
  }
  const std::string_view encoding = request.header("content-encoding");
  if (!encoding.empty() && encoding != "snappy") {
    return text_response(415, "Content-Encoding \"" + std::string(encoding) + "\" is not taken, only snappy\n");
  }
  const auto raw = otlp::snappy_uncompress(request.body, options_.body_bytes_max);
  if (!raw.ok()) {
    const bool large = raw.error().code == Code::resource_exhausted;
    return text_response(large ? 413 : 400, raw.error().to_string() + "\n");
  }
  auto decoded = otlp::decode_remote_write(*raw);
  if (!decoded.ok()) {
    const bool large = decoded.error().code == Code::resource_exhausted;
    return text_response(large ? 413 : 400, decoded.error().to_string() + "\n");
  }
  const auto result = options_.store->ingest(*decoded, *raw, request.header(kTenantHeader));
  if (!result.ok()) return failed(result.error());
  if (result->rejected > 0) {
    return text_response(400, result->message + " (" + std::to_string(result->rejected) + " samples refused, " +
                                  std::to_string(result->accepted) + " stored)\n");
  }
  Response response;
  response.status = 204;
  return response;
}

}  // namespace contextcore::api
