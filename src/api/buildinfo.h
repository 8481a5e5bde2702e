#pragma once
// Answers to version probes. Grafana turns features of its data sources on by the version of the
// server it thinks it talks to, so each API names the version of the original that it follows.

#include <string>
#include <string_view>

#include "api/http.h"
#include "base/json.h"

namespace contextcore::api {

constexpr std::string_view kTempoVersion = "3.0.0";
constexpr std::string_view kLokiVersion = "3.5.0";
constexpr std::string_view kPrometheusVersion = "3.14.0";

// {"version","revision","branch","buildUser","buildDate","goVersion"}; revision says who we are.
Json build_info_json(std::string_view api_version, const std::string& own_version);
Response build_info(std::string_view api_version, const std::string& own_version);

}  // namespace contextcore::api
