#pragma once
// ip("...") of line and label filters: one address, a range a-b, or a CIDR; IPv4 and IPv6.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace contextcore::logql {

struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // IPv4: the first four
  auto operator<=>(const IpAddress&) const = default;
};

struct IpRange {
  IpAddress low, high;
  bool contains(const IpAddress& address) const {
    return address.v6 == low.v6 && low <= address && address <= high;
  }
};

std::optional<IpAddress> parse_ip(std::string_view text);
std::optional<IpRange> parse_ip_range(std::string_view text);
// True if the line holds, anywhere, an address of the range.
bool contains_ip(std::string_view line, const IpRange& range);

}  // namespace contextcore::logql
