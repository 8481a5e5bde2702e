#pragma once
// How LogQL writes strings, numbers, sizes and durations.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace contextcore::logql {

// Go's quoted form: "..." with \n, \", \x00; invalid UTF-8 as \xff.
std::string quote(std::string_view text);

// Go's %v of a float: shortest digits that read back the same, 1e+21 from there on.
std::string format_number(double value);
// The whole text as a decimal number (sign, fraction, exponent; Inf and NaN by name).
bool parse_number(std::string_view text, double& out);

// "5KB" = 5000, "5KiB" = 5120, "1.5 MB"; the unit may be missing and its case does not matter.
bool parse_bytes(std::string_view text, uint64_t& out);
// Exact, with the largest unit that divides: "5KB", "3MiB", "77B".
std::string format_bytes(uint64_t bytes);

// Prometheus' form, else Go's.
Result<int64_t> parse_duration(std::string_view text);
// "1h30m"; whole milliseconds only.
std::string format_range(int64_t ns);

// A metric or label name: [a-zA-Z_][a-zA-Z0-9_]*.
bool is_label_name(std::string_view name);

}  // namespace contextcore::logql
