#include "api/buildinfo.h"

#include "api/responses.h"

namespace contextcore::api {

Json build_info_json(std::string_view api_version, const std::string& own_version) {
  return Json(JsonObject{{"version", api_version},
                         {"revision", "contextcore-" + own_version},
                         {"branch", ""},
                         {"buildUser", ""},
                         {"buildDate", ""},
                         {"goVersion", ""}});
}

Response build_info(std::string_view api_version, const std::string& own_version) {
  return json_response(200, build_info_json(api_version, own_version));
}

}  // namespace contextcore::api
