#pragma once
// Request targets and form bodies: percent-decoding and splitting. Pure; any input is answered.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http.h"
#include "base/result.h"

namespace contextcore::api {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Percent-decodes; '+' becomes a blank where plus_is_space. A '%' that two hexadecimal digits do
// not follow is an error.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space);
// Everything but unreserved characters is encoded, '/' too.
std::string percent_encode(std::string_view text);

// "a=1&b=x%20y": appended to out in order. At most kPairsMax pairs.
constexpr size_t kPairsMax = 1000;
Status parse_form(std::string_view text, Pairs& out);

// Sets path, raw_path and query from a request target in origin form ("/a/b?x=1") or absolute form
// ("http://host/a").
Status parse_target(std::string_view target, Request& request);

// A pattern of literal segments and {name} ones, against a raw path; captures are decoded. A {name}
// segment matches one non-empty segment.
bool match_path(std::string_view pattern, std::string_view raw_path, Pairs& captures);

}  // namespace contextcore::api
