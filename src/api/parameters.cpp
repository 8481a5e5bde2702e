#include "api/parameters.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "base/time.h"

namespace contextcore::api {

namespace {

constexpr int64_t kDefaultSinceNs = kHourNs;
constexpr size_t kSecondsDigitsMax = 10;

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Seconds as nanoseconds, unless they do not fit.
std::optional<int64_t> seconds_to_ns(double seconds) {
  double ns = seconds * 1e9;
  if (!(std::abs(ns) < 9.2e18)) return std::nullopt;
  // The fraction apart, so that whole seconds stay exact.
  double whole = std::floor(seconds);
  return static_cast<int64_t>(whole) * kSecondNs +
         static_cast<int64_t>(std::llround((seconds - whole) * 1e9));
}

Error invalid(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

Error unparsable(std::string_view name, const Error& reason) {
  return invalid("could not parse '" + std::string(name) + "' parameter: " + reason.message);
}

}  // namespace

Result<int64_t> parse_loki_time(std::string_view text) {
  if (text.find('.') != std::string_view::npos) {
    if (auto seconds = number<double>(text)) {
      if (auto ns = seconds_to_ns(*seconds)) return *ns;
      return invalid("\"" + std::string(text) + "\" is out of range");
    }
  }
  if (auto integer = number<int64_t>(text)) {
    if (text.size() > kSecondsDigitsMax) return *integer;
    return *integer * kSecondNs;
  }
  return parse_rfc3339(text);
}

Result<int64_t> loki_time(const Request& request, std::string_view name, int64_t fallback_ns) {
  std::string_view text = request.param(name);
  if (text.empty()) return fallback_ns;
  Result<int64_t> time = parse_loki_time(text);
  if (!time.ok()) return unparsable(name, time.error());
  return *time;
}

Result<int64_t> loki_duration(const Request& request, std::string_view name, int64_t fallback_ns) {
  std::string_view text = request.param(name);
  if (text.empty()) return fallback_ns;
  if (auto seconds = number<double>(text)) {
    if (auto ns = seconds_to_ns(*seconds)) return *ns;
    return invalid("could not parse '" + std::string(name) + "' parameter: out of range");
  }
  Result<int64_t> duration = parse_prometheus_duration(text);
  if (duration.ok()) return *duration;
  const std::string quoted = "\"" + std::string(text) + "\"";
  if (name == "since")
    return invalid("could not parse 'since' parameter: not a valid duration string: " + quoted);
  return invalid("cannot parse " + quoted + " to a valid duration");
}

Result<Bounds> loki_bounds(const Request& request, int64_t now_ns) {
  Bounds bounds;
  CC_ASSIGN(int64_t since_ns, loki_duration(request, "since", kDefaultSinceNs));
  CC_ASSIGN(bounds.end_ns, loki_time(request, "end", now_ns));
  int64_t default_start_ns = 0;
  if (__builtin_sub_overflow(bounds.end_ns, since_ns, &default_start_ns))
    default_start_ns = INT64_MIN;
  CC_ASSIGN(bounds.start_ns, loki_time(request, "start", default_start_ns));
  return bounds;
}

Result<int64_t> integer_parameter(const Request& request, std::string_view name, int64_t fallback,
                                  int64_t min, int64_t max) {
  std::string_view text = request.param(name);
  if (text.empty()) return fallback;
  auto value = number<int64_t>(text);
  if (!value) {
    return invalid("invalid " + std::string(name) + ": \"" + std::string(text) +
                   "\" is not a whole number");
  }
  if (*value < min || *value > max) {
    return invalid("invalid " + std::string(name) + ": " + std::to_string(*value) +
                   " is not between " + std::to_string(min) + " and " + std::to_string(max));
  }
  return *value;
}

Result<int64_t> go_duration(const Request& request, std::string_view name, int64_t fallback_ns) {
  std::string_view text = request.param(name);
  if (text.empty()) return fallback_ns;
  Result<int64_t> duration = parse_go_duration(text);
  if (!duration.ok()) {
    return invalid("invalid " + std::string(name) + ": " + duration.error().message);
  }
  return *duration;
}

}  // namespace contextcore::api
