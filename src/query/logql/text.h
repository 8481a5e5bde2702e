#pragma once
// How LogQL writes strings, numbers, sizes and durations.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "query/common/text.h"

namespace contextcore::logql {

using query::format_range;
using query::is_label_name;
using query::quote;

// Go's %v of a float: shortest digits that read back the same, 1e+21 from there on.
std::string format_number(double value);
// The whole text as a decimal number (sign, fraction, exponent; Inf and NaN by name).
bool parse_number(std::string_view text, double& out);

// What Go says of a text that is no number or no duration.
std::string no_number(std::string_view text);
std::string no_duration(std::string_view text);

// "5KB" = 5000, "5KiB" = 5120, "1.5 MB"; the unit may be missing and its case does not matter.
bool parse_bytes(std::string_view text, uint64_t& out);
// Exact, with the largest unit that divides: "5KB", "3MiB", "77B".
std::string format_bytes(uint64_t bytes);

// Prometheus' form, else Go's.
Result<int64_t> parse_duration(std::string_view text);
}  // namespace contextcore::logql
