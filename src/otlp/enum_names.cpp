#include "otlp/enum_names.h"

#include <array>

namespace contextcore::otlp {
namespace {

// The index is the number.
constexpr std::array<std::string_view, 6> kSpanKinds = {
    "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER",
};
constexpr std::array<std::string_view, 3> kStatusCodes = {
    "STATUS_CODE_UNSET",
    "STATUS_CODE_OK",
    "STATUS_CODE_ERROR",
};
constexpr std::array<std::string_view, 3> kTemporalities = {
    "AGGREGATION_TEMPORALITY_UNSPECIFIED",
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
};
constexpr std::array<std::string_view, 25> kSeverities = {
    "SEVERITY_NUMBER_UNSPECIFIED", "SEVERITY_NUMBER_TRACE",  "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",      "SEVERITY_NUMBER_TRACE4", "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",      "SEVERITY_NUMBER_DEBUG3", "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",        "SEVERITY_NUMBER_INFO2",  "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",       "SEVERITY_NUMBER_WARN",   "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",       "SEVERITY_NUMBER_WARN4",  "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",      "SEVERITY_NUMBER_ERROR3", "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",       "SEVERITY_NUMBER_FATAL2", "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
};

template <size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, int32_t number) {
  const auto index = static_cast<size_t>(number);
  return number >= 0 && index < N ? names[index] : std::string_view();
}

template <size_t N>
std::optional<int32_t> number_of(const std::array<std::string_view, N>& names,
                                 std::string_view name) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<int32_t>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view span_kind_name(int32_t number) { return name_of(kSpanKinds, number); }
std::string_view status_code_name(int32_t number) { return name_of(kStatusCodes, number); }
std::string_view temporality_name(int32_t number) { return name_of(kTemporalities, number); }
std::optional<int32_t> temporality_number(std::string_view name) {
  return number_of(kTemporalities, name);
}
std::string_view severity_name(int32_t number) { return name_of(kSeverities, number); }

std::optional<int32_t> span_kind_number(std::string_view name) {
  return number_of(kSpanKinds, name);
}
std::optional<int32_t> status_code_number(std::string_view name) {
  return number_of(kStatusCodes, name);
}
std::optional<int32_t> severity_number(std::string_view name) {
  return number_of(kSeverities, name);
}

}  // namespace contextcore::otlp
