#pragma once
// Paths of `| json a="x.y[0]"`.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace contextcore::logql {

// Member names and array positions, outermost first.
using JsonPath = std::vector<std::variant<std::string, int64_t>>;

// name, name.name, name[0], ["any name"]
Result<JsonPath> parse_json_path(std::string_view text);

}  // namespace contextcore::logql
