#include "query/logql/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/time.h"
#include "base/utf8.h"

namespace contextcore::logql {
namespace {

struct Unit {
  std::string_view name;
  uint64_t bytes;
};
// Smallest first; the first spelling of a size is the one that is printed.
constexpr std::array<Unit, 23> kUnits = {{
    {"B", 1},
    {"", 1},
    {"KB", 1'000},
    {"K", 1'000},
    {"KiB", 1ULL << 10},
    {"Ki", 1ULL << 10},
    {"MB", 1'000'000},
    {"M", 1'000'000},
    {"MiB", 1ULL << 20},
    {"Mi", 1ULL << 20},
    {"GB", 1'000'000'000},
    {"G", 1'000'000'000},
    {"GiB", 1ULL << 30},
    {"Gi", 1ULL << 30},
    {"TB", 1'000'000'000'000},
    {"T", 1'000'000'000'000},
    {"TiB", 1ULL << 40},
    {"Ti", 1ULL << 40},
    {"PB", 1'000'000'000'000'000},
    {"P", 1'000'000'000'000'000},
    {"PiB", 1ULL << 50},
    {"Pi", 1ULL << 50},
    {"EB", 1'000'000'000'000'000'000},
}};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string format_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> buffer{};
  const double magnitude = std::fabs(value);
  const bool plain = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e21);
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  return {buffer.data(), end.ptr};
}

bool parse_number(std::string_view text, double& out) {
  std::string_view digits = text;
  if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) digits.remove_prefix(1);
  const bool negative = !text.empty() && text[0] == '-';
  for (std::string_view name : {"inf", "infinity", "nan"}) {
    if (!equal_ignoring_case(digits, name)) continue;
    out = name == "nan" ? std::numeric_limits<double>::quiet_NaN()
                        : std::numeric_limits<double>::infinity();
    if (negative) out = -out;
    return true;
  }
  if (digits.empty() || !((digits[0] >= '0' && digits[0] <= '9') || digits[0] == '.')) return false;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (result.ec != std::errc() || result.ptr != digits.data() + digits.size()) return false;
  if (negative) out = -out;
  return true;
}

std::string no_number(std::string_view text) {
  return "strconv.ParseFloat: parsing " + quote(text) + ": invalid syntax";
}
std::string no_duration(std::string_view text) { return "time: invalid duration " + quote(text); }

bool parse_bytes(std::string_view text, uint64_t& out) {
  size_t end = 0;
  while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == '.')) ++end;
  double number = 0;
  if (end == 0 || !parse_number(text.substr(0, end), number)) return false;
  std::string_view unit = text.substr(end);
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  for (const Unit& known : kUnits) {
    if (!equal_ignoring_case(unit, known.name)) continue;
    uint64_t whole = 0;
    const auto result = std::from_chars(text.data(), text.data() + end, whole);
    if (result.ec == std::errc() && result.ptr == text.data() + end) {
      return !__builtin_mul_overflow(whole, known.bytes, &out);
    }
    const double bytes = number * static_cast<double>(known.bytes);
    if (!(bytes < 18446744073709551615.0)) return false;
    out = static_cast<uint64_t>(bytes);
    return true;
  }
  return false;
}

std::string format_bytes(uint64_t bytes) {
  Unit best = kUnits[0];
  for (const Unit& unit : kUnits) {
    // EB is no unit of the grammar.
    if (bytes != 0 && unit.name != "EB" && unit.bytes > best.bytes && bytes % unit.bytes == 0)
      best = unit;
  }
  return std::to_string(bytes / best.bytes) + std::string(best.name);
}

Result<int64_t> parse_duration(std::string_view text) {
  auto duration = parse_prometheus_duration(text);
  return duration.ok() ? std::move(duration) : parse_go_duration(text);
}

}  // namespace contextcore::logql
