#pragma once
// Digests and checksums.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace contextcore {

// SHA-256 (FIPS 180-4); our own, so that the command-line binary links nothing for it.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view data);
  std::array<uint8_t, 32> finish();

 private:
  void block(const uint8_t* data);
  std::array<uint32_t, 8> state_;
  std::array<uint8_t, 64> buffer_;
  uint64_t length_ = 0;
};
std::array<uint8_t, 32> sha256(std::string_view data);

// XXH3 (xxHash 0.8).
uint64_t xxh3_64(std::string_view data, uint64_t seed = 0);
struct Hash128 {
  uint64_t high = 0, low = 0;
  bool operator==(const Hash128&) const = default;
};
Hash128 xxh3_128(std::string_view data, uint64_t seed = 0);

std::string to_hex(std::string_view bytes);
// False unless an even number of hexadecimal digits.
bool from_hex(std::string_view text, std::string& out);
std::string to_base64(std::string_view bytes);
// Standard or URL-safe alphabet, padding optional. False on anything else.
bool from_base64(std::string_view text, std::string& out);

}  // namespace contextcore
