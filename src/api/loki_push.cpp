#include "api/loki_push.h"

#include "api/responses.h"
#include "otlp/loki_push.h"

namespace contextcore::api {

namespace {

Response no_content() {
  Response response;
  response.status = 204;
  response.content_type.clear();
  return response;
}

}  // namespace

void LokiPush::mount(Router& router) {
  router.add("POST", "/loki/api/v1/push", [this](const Call& call) { return push(call.request); });
}

Response LokiPush::push(const Request& request) const {
  // As in Loki, everything that is not called JSON is protobuf in a snappy block.
  const bool json = media_type(request.header("content-type")) == kApplicationJson;
  Result<otlp::LogsData> logs =
      json ? otlp::decode_loki_push_json(request.body) : otlp::decode_loki_push(request.body);
  if (!logs.ok()) {
    const bool too_large = logs.error().code == Code::resource_exhausted;
    return text_response(too_large ? 413 : 400, logs.error().message + "\n");
  }
  if (logs->resource_logs.empty()) {
    return text_response(422, "error at least one valid stream is required for ingestion\n");
  }
  Result<store::IngestResult> result = store_.ingest(*logs, {}, request.header(kTenantHeader));
  if (!result.ok()) return text_error(result.error());
  // What was taken stays taken: so it is in Loki.
  if (result->rejected > 0) return text_response(400, result->message + "\n");
  return no_content();
}

}  // namespace contextcore::api
