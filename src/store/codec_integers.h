#pragma once
// Integer codecs of segment pages: plain, frame of reference with bit packing, delta, run length,
// dictionary. encode_integers looks at the values and takes the smallest; every block begins with
// the number of its codec. docs/store-format.md, "Integer blocks".

#include <cstdint>
#include <string>
#include <vector>

#include "store/column_value.h"

namespace contextcore::store {

enum class IntegerCodec : uint8_t { plain = 0, frame = 1, delta = 2, runs = 3, dictionary = 4 };
constexpr size_t kIntegerCodecs = 5;

void encode_integers(const uint64_t* values, size_t count, std::string& out);
// Reads a block of exactly count values. False when the bytes are not such a block.
// The bytes behind the reader must be followed by at least 8 readable ones (see PageBytes).
bool decode_integers(ByteReader& reader, size_t count, std::vector<uint64_t>& out);

// One codec each, codec byte not included; used by the two above and by tests.
struct IntegerCodecFunctions {
  // Bytes that encode would append; SIZE_MAX when it cannot or should not be used.
  size_t (*cost)(const uint64_t* values, size_t count);
  void (*encode)(const uint64_t* values, size_t count, std::string& out);
  bool (*decode)(ByteReader& reader, size_t count, std::vector<uint64_t>& out);
};
extern const IntegerCodecFunctions kPlainIntegers, kFrameIntegers, kDeltaIntegers, kRunIntegers,
    kDictionaryIntegers;
const IntegerCodecFunctions& integer_codec(IntegerCodec codec);

}  // namespace contextcore::store
