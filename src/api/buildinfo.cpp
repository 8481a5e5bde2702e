#include "api/buildinfo.h"

#include "api/responses.h"

namespace contextcore::api {

Response build_info(std::string_view api_version, const std::string& own_version) {
  return json_response(200, JsonObject{{"version", api_version},
                                       {"revision", "contextcore-" + own_version},
                                       {"branch", ""},
                                       {"buildUser", ""},
                                       {"buildDate", ""},
                                       {"goVersion", ""}});
}

}  // namespace contextcore::api
