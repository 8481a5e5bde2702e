#pragma once
// Which functions are built, and those that look at one value at a time. Private to this folder.

#include <string_view>

namespace contextcore::promql {

bool is_built(std::string_view name);

// nullptr when it is none of these.
using Mapping = double (*)(double);
Mapping find_mapping(std::string_view name);
// Of a time in seconds: hour, day_of_week ... nullptr when it is none of these.
Mapping find_date_function(std::string_view name);

}  // namespace contextcore::promql
