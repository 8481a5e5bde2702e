// Plain: 8 bytes a value, little endian. For random numbers such as span ids.

#include <cstring>

#include "store/codec_integers.h"

namespace contextcore::store {
namespace {

size_t cost(const uint64_t*, size_t count) { return count * 8; }

void encode(const uint64_t* values, size_t count, std::string& out) {
  out.append(reinterpret_cast<const char*>(values), count * 8);
}

bool decode(ByteReader& reader, size_t count, std::vector<uint64_t>& out) {
  const std::string_view bytes = reader.take(count * 8);
  if (!reader.ok()) return false;
  out.resize(count);
  if (count > 0) std::memcpy(out.data(), bytes.data(), count * 8);
  return true;
}

}  // namespace

const IntegerCodecFunctions kPlainIntegers = {cost, encode, decode};

}  // namespace contextcore::store
