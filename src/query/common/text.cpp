#include "query/common/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "base/time.h"
#include "base/utf8.h"

namespace contextcore::query {

std::string quote(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  size_t at = 0;
  while (at < text.size()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x80) {
      const size_t bad = first_invalid_utf8(text.substr(at));
      const size_t good = bad == std::string_view::npos ? text.size() - at : bad;
      if (good > 0) {
        size_t n = 0;  // whole characters up to the next ASCII byte
        while (n < good && static_cast<unsigned char>(text[at + n]) >= 0x80) ++n;
        out.append(text.substr(at, n));
        at += n;
        continue;
      }
    }
    constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\\"";
    constexpr std::string_view kNames = "abfnrtv\\\"";
    if (const size_t i = kValues.find(text[at]); i != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kNames[i]);
    } else if (c < 0x20 || c >= 0x7f) {
      out.append("\\x");
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
    } else {
      out.push_back(text[at]);
    }
    ++at;
  }
  out.push_back('"');
  return out;
}

std::string format_range(int64_t ns) {
  struct Step {
    std::string_view unit;
    int64_t ms;
    bool exact;  // only if nothing is left over
  };
  constexpr std::array<Step, 7> kSteps = {{{"y", 365LL * 86'400'000, true},
                                           {"w", 7LL * 86'400'000, true},
                                           {"d", 86'400'000, false},
                                           {"h", 3'600'000, false},
                                           {"m", 60'000, false},
                                           {"s", 1'000, false},
                                           {"ms", 1, false}}};
  int64_t ms = ns / kMillisecondNs;
  if (ms == 0) return "0s";
  std::string out;
  for (const Step& step : kSteps) {
    if (ms < step.ms || (step.exact && ms % step.ms != 0)) continue;
    out += std::to_string(ms / step.ms);
    out += step.unit;
    ms %= step.ms;
  }
  return out;
}

std::string format_sample(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 512> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string("NaN");
}

bool is_label_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace contextcore::query
