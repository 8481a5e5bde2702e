#include "store/codec_integers.h"

#include <array>

namespace contextcore::store {

const IntegerCodecFunctions& integer_codec(IntegerCodec codec) {
  static const std::array<const IntegerCodecFunctions*, kIntegerCodecs> kCodecs = {
      &kPlainIntegers, &kFrameIntegers, &kDeltaIntegers, &kRunIntegers, &kDictionaryIntegers};
  return *kCodecs[static_cast<size_t>(codec)];
}

void encode_integers(const uint64_t* values, size_t count, std::string& out) {
  auto best = IntegerCodec::plain;
  size_t best_cost = kPlainIntegers.cost(values, count);
  for (const IntegerCodec codec :
       {IntegerCodec::frame, IntegerCodec::delta, IntegerCodec::runs, IntegerCodec::dictionary}) {
    const size_t cost = integer_codec(codec).cost(values, count);
    if (cost < best_cost) {
      best = codec;
      best_cost = cost;
    }
  }
  out += static_cast<char>(best);
  integer_codec(best).encode(values, count, out);
}

bool decode_integers(ByteReader& reader, size_t count, std::vector<uint64_t>& out) {
  const uint8_t codec = reader.u8();
  if (!reader.ok() || codec >= kIntegerCodecs) return false;
  return integer_codec(static_cast<IntegerCodec>(codec)).decode(reader, count, out) &&
         out.size() == count;
}

}  // namespace contextcore::store
