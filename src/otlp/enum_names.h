#pragma once
// Names of the enum numbers of opentelemetry-proto, as JSON spells them.

#include <cstdint>
#include <optional>
#include <string_view>

namespace contextcore::otlp {

// Empty when the number has no name.
std::string_view span_kind_name(int32_t number);
std::string_view status_code_name(int32_t number);
std::string_view severity_name(int32_t number);
std::string_view temporality_name(int32_t number);

std::optional<int32_t> span_kind_number(std::string_view name);
std::optional<int32_t> status_code_number(std::string_view name);
std::optional<int32_t> severity_number(std::string_view name);
std::optional<int32_t> temporality_number(std::string_view name);

}  // namespace contextcore::otlp
