#pragma once
// docs/openapi.yaml, compiled in.

#include <string_view>

namespace contextcore::api {

std::string_view openapi_yaml();

}  // namespace contextcore::api
