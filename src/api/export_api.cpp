#include "api/export_api.h"

#include "api/otlp_ingest.h"
#include "api/responses.h"
#include "export/exporter.h"

namespace contextcore::api {
namespace {

constexpr int kLoopDetected = 508;

Response no_destinations(bool with_letters) {
  JsonObject answer{{"schema", int64_t{1}}};
  if (with_letters) answer.emplace_back("letters", int64_t{0});
  if (!with_letters) answer.emplace_back("running", true);
  answer.emplace_back("destinations", JsonArray{});
  return json_response(200, Json(std::move(answer)));
}

bool wants_letters(const Request& request) {
  const std::string_view letters = request.param("letters");
  return request.has_param("letters") && letters != "false" && letters != "0";
}

}  // namespace

void mount_export(Router& router, const ServiceOptions& options) {
  router.add("GET", "/tracker/v1/export", [&options](const Call& call) {
    if (options.exporter == nullptr) return no_destinations(false);
    Result<Json> status = options.exporter->status(wants_letters(call.request));
    return status.ok() ? json_response(200, *status) : json_error(status.error());
  });
  router.add("POST", "/tracker/v1/export/retry", [&options](const Call& call) {
    const std::string_view destination = call.request.param("destination");
    if (options.exporter == nullptr && destination.empty()) return no_destinations(true);
    if (options.exporter == nullptr) {
      return json_error(Error{Code::not_found,
                              "no destination " + std::string(destination),
                              "nothing is exported",
                              {},
                              {}});
    }
    Result<Json> answer = options.exporter->retry(destination);
    return answer.ok() ? json_response(200, *answer) : json_error(answer.error());
  });
}

bool is_own_export(std::string_view sender, const ServiceOptions& options) {
  return !sender.empty() && sender == options.store->store_id();
}

Error own_export_error() {
  return Error{Code::failed_precondition,
               "this telemetry was exported by this server itself",
               "its export settings lead back to it; point them to another back end",
               {},
               {}};
}

std::optional<Response> refuse_own_export(const Request& request, const ServiceOptions& options) {
  if (!is_own_export(request.header(kStoreHeader), options)) return std::nullopt;
  Response response = otlp_error(request, own_export_error());
  response.status = kLoopDetected;
  return response;
}

}  // namespace contextcore::api
