#pragma once
// Reading query parameters as Loki and Tempo do. Absent or empty parameters give the fallback;
// messages name the parameter.

#include <cstdint>
#include <string>
#include <string_view>

#include "api/http.h"
#include "base/result.h"

namespace contextcore::api {

// Loki's times: up to 10 digits are seconds, more are nanoseconds, a number with a point is
// seconds, else RFC 3339.
Result<int64_t> parse_loki_time(std::string_view text);
Result<int64_t> loki_time(const Request& request, std::string_view name, int64_t fallback_ns);
// A number of seconds or a Prometheus duration, in ns.
Result<int64_t> loki_duration(const Request& request, std::string_view name, int64_t fallback_ns);

// start, end and since of a Loki request.
struct Bounds {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};
Result<Bounds> loki_bounds(const Request& request, int64_t now_ns);

// Whole numbers within [min, max].
Result<int64_t> integer_parameter(const Request& request, std::string_view name, int64_t fallback,
                                  int64_t min, int64_t max);
// A Go duration ("1.5s"), in ns.
Result<int64_t> go_duration(const Request& request, std::string_view name, int64_t fallback_ns);

}  // namespace contextcore::api
