#pragma once
// otlp values, attribute lists, resources and scopes as bytes: a tag, then the payload; lengths and
// counts as LEB128, integers zigzag, doubles as 8 bytes little endian. What goes in comes out,
// order and duplicates included. docs/store-format.md, "Values".

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/result.h"
#include "otlp/model.h"

namespace contextcore::store {

// Deeper values are refused when decoded. What is received is far shallower (otlp::DecodeLimits).
constexpr int kValueDepthMax = 256;

void append_varint(uint64_t value, std::string& out);
inline uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

// Reads bytes that may be anything. After the first failure every read gives 0 or "" and ok()
// false. In the open: a store that is opened reads entries of pages by the ten thousand.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}
  uint8_t u8() {
    if (at_ == end_) return fail(), uint8_t{0};
    return static_cast<uint8_t>(*at_++);
  }
  uint32_t u32() { return little_endian<uint32_t>(); }
  uint64_t u64() { return little_endian<uint64_t>(); }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      if (shift == 63 && byte > 1) break;
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return fail(), uint64_t{0};
  }
  int64_t signed_varint() { return unzigzag(varint()); }
  std::string_view take(uint64_t n) {
    if (n > static_cast<uint64_t>(end_ - at_)) return fail(), std::string_view();
    const std::string_view taken(at_, n);
    at_ += n;
    return taken;
  }
  std::string_view string() { return take(varint()); }
  // A count of things of which each takes at least bytes_each bytes: fails when they cannot all be
  // there.
  uint64_t count(uint64_t bytes_each = 1) {
    const uint64_t value = varint();
    if (value > static_cast<uint64_t>(end_ - at_) / bytes_each) return fail(), uint64_t{0};
    return value;
  }
  void fail() { ok_ = false, at_ = end_; }
  bool ok() const { return ok_; }
  bool at_end() const { return at_ == end_; }
  std::string_view rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }

 private:
  template <typename Number>
  Number little_endian() {
    Number value = 0;
    if (end_ - at_ < static_cast<std::ptrdiff_t>(sizeof(value))) return fail(), value;
    std::memcpy(&value, at_, sizeof(value));
    at_ += sizeof(value);
    return value;
  }
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

void append_u32(uint32_t value, std::string& out);
void append_u64(uint64_t value, std::string& out);
void append_string(std::string_view text, std::string& out);

void encode_value(const otlp::Value& value, std::string& out);
void encode_attributes(const otlp::Attributes& attributes, std::string& out);
void encode_resource(const otlp::Resource& resource, std::string& out);
void encode_scope(const otlp::Scope& scope, std::string& out);
// False when the bytes are not what the encoder writes.
bool decode_value(ByteReader& reader, otlp::Value& out);
bool decode_attributes(ByteReader& reader, otlp::Attributes& out);
bool decode_resource(std::string_view bytes, otlp::Resource& out);
bool decode_scope(std::string_view bytes, otlp::Scope& out);

}  // namespace contextcore::store
