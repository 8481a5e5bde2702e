// Delta: the first value, then the differences from one to the next in a frame of reference. For
// row numbers and times in order.

#include "store/codec_integers.h"

namespace contextcore::store {
namespace {

std::vector<uint64_t> differences(const uint64_t* values, size_t count) {
  std::vector<uint64_t> steps;
  steps.reserve(count);
  for (size_t i = 1; i < count; ++i) steps.push_back(values[i] - values[i - 1]);
  return steps;
}

size_t cost(const uint64_t* values, size_t count) {
  if (count < 2) return SIZE_MAX;
  const std::vector<uint64_t> steps = differences(values, count);
  return 10 + kFrameIntegers.cost(steps.data(), steps.size());
}

void encode(const uint64_t* values, size_t count, std::string& out) {
  append_varint(zigzag(static_cast<int64_t>(values[0])), out);
  const std::vector<uint64_t> steps = differences(values, count);
  kFrameIntegers.encode(steps.data(), steps.size(), out);
}

bool decode(ByteReader& reader, size_t count, std::vector<uint64_t>& out) {
  if (count < 2) return false;
  auto value = static_cast<uint64_t>(reader.signed_varint());
  std::vector<uint64_t> steps;
  if (!reader.ok() || !kFrameIntegers.decode(reader, count - 1, steps)) return false;
  out.clear();
  out.reserve(count);
  out.push_back(value);
  for (const uint64_t step : steps) out.push_back(value += step);
  return true;
}

}  // namespace

const IntegerCodecFunctions kDeltaIntegers = {cost, encode, decode};

}  // namespace contextcore::store
