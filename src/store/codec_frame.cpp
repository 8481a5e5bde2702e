// Frame of reference: the least value, then the differences to it packed into as many bits as the
// greatest needs. Constants take no bits at all.

#include <algorithm>
#include <bit>
#include <cstring>

#include "store/codec_integers.h"

namespace contextcore::store {
namespace {

// Signed order, so that small negative numbers lie near small positive ones.
int64_t least(const uint64_t* values, size_t count) {
  int64_t min = INT64_MAX;
  for (size_t i = 0; i < count; ++i) min = std::min(min, static_cast<int64_t>(values[i]));
  return count == 0 ? 0 : min;
}

unsigned width_above(const uint64_t* values, size_t count, int64_t min) {
  uint64_t bits = 0;
  for (size_t i = 0; i < count; ++i) bits |= values[i] - static_cast<uint64_t>(min);
  return static_cast<unsigned>(std::bit_width(bits));
}

size_t packed_bytes(size_t count, unsigned width) { return (count * width + 7) / 8; }

size_t cost(const uint64_t* values, size_t count) {
  const int64_t min = least(values, count);
  const auto min_bits = static_cast<unsigned>(std::bit_width(zigzag(min)));
  return (min_bits + 6) / 7 + 1 + packed_bytes(count, width_above(values, count, min));
}

void encode(const uint64_t* values, size_t count, std::string& out) {
  const int64_t min = least(values, count);
  const unsigned width = width_above(values, count, min);
  append_varint(zigzag(min), out);
  out += static_cast<char>(width);
  const size_t begin = out.size();
  out.resize(begin + packed_bytes(count, width));
  char* to = out.data() + begin;
  uint64_t pending = 0;
  unsigned held = 0;  // bits in pending
  for (size_t i = 0; i < count && width > 0; ++i) {
    const uint64_t value = values[i] - static_cast<uint64_t>(min);
    pending |= value << held;
    if (held + width >= 64) {
      std::memcpy(to, &pending, 8);
      to += 8;
      pending = held == 0 ? 0 : value >> (64 - held);
      held = held + width - 64;
    } else {
      held += width;
    }
  }
  std::memcpy(to, &pending, (held + 7) / 8);
}

bool decode(ByteReader& reader, size_t count, std::vector<uint64_t>& out) {
  const auto min = static_cast<uint64_t>(reader.signed_varint());
  const unsigned width = reader.u8();
  if (!reader.ok() || width > 64) return false;
  const std::string_view bytes = reader.take(packed_bytes(count, width));
  if (!reader.ok()) return false;
  out.assign(count, min);
  if (width == 0) return true;
  const uint64_t mask = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
  for (size_t i = 0; i < count; ++i) {
    const size_t bit = i * width;
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + bit / 8,
                8);  // may run past the block, never past the page's slack
    uint64_t value = word >> (bit % 8);
    if (bit % 8 + width > 64) {
      value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[bit / 8 + 8])) << (64 - bit % 8);
    }
    out[i] += value & mask;
  }
  return true;
}

}  // namespace

const IntegerCodecFunctions kFrameIntegers = {cost, encode, decode};

}  // namespace contextcore::store
