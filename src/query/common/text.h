#pragma once
// How LogQL and PromQL write strings, durations and numbers.

#include <cstdint>
#include <string>
#include <string_view>

namespace contextcore::query {

// Go's quoted form: "..." with \n, \", \x00; invalid UTF-8 as \xff.
std::string quote(std::string_view text);

// "1h30m"; whole milliseconds only. REQUIRES: ns >= 0
std::string format_range(int64_t ns);

// The shortest digits that read back the same, never an exponent: Prometheus' text of a sample.
std::string format_sample(double value);

// A label name that needs no quotes: [a-zA-Z_][a-zA-Z0-9_]*.
bool is_label_name(std::string_view name);

}  // namespace contextcore::query
