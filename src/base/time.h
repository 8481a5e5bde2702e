#pragma once
// Times and durations as people and the query languages write them. Pure functions: now is given.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace contextcore {

constexpr int64_t kMicrosecondNs = 1'000;
constexpr int64_t kMillisecondNs = 1'000'000;
constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kMinuteNs = 60 * kSecondNs;
constexpr int64_t kHourNs = 60 * kMinuteNs;
constexpr int64_t kDayNs = 24 * kHourNs;

// RFC 3339 in UTC: "2026-11-22T15:24:29.123456789Z"; trailing zeros of the fraction are left out.
std::string format_rfc3339(int64_t wall_ns);
// Local time for terminals: "2026-11-22 15:24".
std::string format_local_minute(int64_t wall_ns);
// RFC 3339 (offset needed), a date alone (UTC midnight). Out of int64 nanoseconds: error.
Result<int64_t> parse_rfc3339(std::string_view text);
// What people write: RFC 3339, "2026-11-22 15:24[:05]" (local), a date, "now", "today",
// "yesterday", "yesterday 14:00", "2d ago", "3h30m ago", "in 2h", Unix seconds (10 digits), ms
// (13), ns (19).
Result<int64_t> parse_time(std::string_view text, int64_t now_ns);

// Prometheus form: integers with y w d h m s ms in falling order ("1h30m"). y = 365d.
Result<int64_t> parse_prometheus_duration(std::string_view text);
// Go's time.ParseDuration: "1.5h", "300ms", "-2h45m", "100us", "100µs", "10ns", "0".
Result<int64_t> parse_go_duration(std::string_view text);
// Go's Duration.String: "1h30m0s", "1.5s", "100ms", "0s".
std::string format_go_duration(int64_t ns);
// For people: "3d 4h", "12m", "4.2s", "85ms".
std::string format_duration_short(int64_t ns);

}  // namespace contextcore
