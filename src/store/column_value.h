#pragma once
// otlp values, attribute lists, resources and scopes as bytes: a tag, then the payload; lengths and
// counts as LEB128, integers zigzag, doubles as 8 bytes little endian. What goes in comes out,
// order and duplicates included. docs/store-format.md, "Values".

#include <cstdint>
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
// false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  uint8_t u8();
  uint32_t u32();  // little endian
  uint64_t u64();
  uint64_t varint();
  int64_t signed_varint() { return unzigzag(varint()); }
  std::string_view take(uint64_t n);
  std::string_view string() { return take(varint()); }
  // A count of things of which each takes at least bytes_each bytes: fails when they cannot all be
  // there.
  uint64_t count(uint64_t bytes_each = 1);
  void fail() { ok_ = false, bytes_ = {}; }
  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
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
