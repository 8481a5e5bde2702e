// Dictionary: the distinct values in ascending order, plain, then their numbers in a frame of
// reference. For few different numbers that lie far apart.

#include <algorithm>
#include <bit>

#include "store/codec_integers.h"

namespace contextcore::store {
namespace {

std::vector<uint64_t> distinct_of(const uint64_t* values, size_t count) {
  std::vector<uint64_t> distinct(values, values + count);
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  return distinct;
}

size_t cost(const uint64_t* values, size_t count) {
  if (count < 8) return SIZE_MAX;
  // Sorting is dear: random numbers show in a sample.
  const size_t sample = std::min<size_t>(count, 64);
  if (distinct_of(values, sample).size() > sample * 7 / 8) return SIZE_MAX;
  const size_t distinct = distinct_of(values, count).size();
  if (distinct > count / 2) return SIZE_MAX;
  return 3 + distinct * 8 + 2 + (count * static_cast<size_t>(std::bit_width(distinct - 1)) + 7) / 8;
}

void encode(const uint64_t* values, size_t count, std::string& out) {
  const std::vector<uint64_t> distinct = distinct_of(values, count);
  append_varint(distinct.size(), out);
  kPlainIntegers.encode(distinct.data(), distinct.size(), out);
  std::vector<uint64_t> numbers;
  numbers.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    numbers.push_back(static_cast<uint64_t>(
        std::lower_bound(distinct.begin(), distinct.end(), values[i]) - distinct.begin()));
  }
  kFrameIntegers.encode(numbers.data(), count, out);
}

bool decode(ByteReader& reader, size_t count, std::vector<uint64_t>& out) {
  const uint64_t size = reader.varint();
  std::vector<uint64_t> distinct;
  if (!reader.ok() || size > count || !kPlainIntegers.decode(reader, size, distinct)) return false;
  if (!kFrameIntegers.decode(reader, count, out)) return false;
  for (uint64_t& value : out) {
    if (value >= size) return false;
    value = distinct[value];
  }
  return true;
}

}  // namespace

const IntegerCodecFunctions kDictionaryIntegers = {cost, encode, decode};

}  // namespace contextcore::store
