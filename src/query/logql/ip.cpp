#include "query/logql/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

namespace contextcore::logql {
namespace {

constexpr size_t kAddressTextMax = 45;

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::optional<IpRange> parse_cidr(std::string_view text, size_t slash) {
  auto base = parse_ip(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (!base || digits.empty() || result.ec != std::errc() ||
      result.ptr != digits.data() + digits.size()) {
    return std::nullopt;
  }
  const unsigned width = base->v6 ? 128 : 32;
  if (bits > width) return std::nullopt;
  IpRange range{*base, *base};
  for (unsigned bit = bits; bit < width; ++bit) {
    const auto mask = static_cast<uint8_t>(0x80u >> (bit % 8));
    uint8_t& low = range.low.bytes[bit / 8];
    uint8_t& high = range.high.bytes[bit / 8];
    low = static_cast<uint8_t>(low & ~mask);
    high = static_cast<uint8_t>(high | mask);
  }
  return range;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.empty() || text.size() > kAddressTextMax) return std::nullopt;
  const std::string copy(text);
  IpAddress address;
  address.v6 = text.find(':') != std::string_view::npos;
  if (inet_pton(address.v6 ? AF_INET6 : AF_INET, copy.c_str(), address.bytes.data()) != 1)
    return std::nullopt;
  return address;
}

std::optional<IpRange> parse_ip_range(std::string_view text) {
  if (const size_t slash = text.find('/'); slash != std::string_view::npos)
    return parse_cidr(text, slash);
  if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
    auto low = parse_ip(text.substr(0, dash));
    auto high = parse_ip(text.substr(dash + 1));
    if (!low || !high || low->v6 != high->v6 || *high < *low) return std::nullopt;
    return IpRange{*low, *high};
  }
  auto address = parse_ip(text);
  if (!address) return std::nullopt;
  return IpRange{*address, *address};
}

bool contains_ip(std::string_view line, const IpRange& range) {
  auto part = [&](char c) {
    return range.low.v6 ? is_hex(c) || c == ':' || c == '.' : (c >= '0' && c <= '9') || c == '.';
  };
  const char separator = range.low.v6 ? ':' : '.';
  size_t at = 0;
  while (at < line.size()) {
    if (!part(line[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    size_t separators = 0;
    while (end < line.size() && part(line[end])) separators += line[end++] == separator ? 1 : 0;
    std::string_view word = line.substr(at, end - at);
    at = end;
    if (separators < (range.low.v6 ? 2u : 3u)) continue;
    // "10.0.0.1." at the end of a sentence, "fe80::1:" before a word.
    while (!word.empty()) {
      if (auto address = parse_ip(word); address && range.contains(*address)) return true;
      if (word.back() != '.' && word.back() != ':') break;
      word.remove_suffix(1);
    }
  }
  return false;
}

}  // namespace contextcore::logql
