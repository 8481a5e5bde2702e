// Run length: the number of runs, their values and their lengths, both in frames of reference.

#include "store/codec_integers.h"

namespace contextcore::store {
namespace {

struct Runs {
  std::vector<uint64_t> values, lengths;
};

Runs runs_of(const uint64_t* values, size_t count) {
  Runs runs;
  for (size_t i = 0; i < count; ++i) {
    if (i == 0 || values[i] != values[i - 1]) {
      runs.values.push_back(values[i]);
      runs.lengths.push_back(0);
    }
    ++runs.lengths.back();
  }
  return runs;
}

size_t cost(const uint64_t* values, size_t count) {
  size_t changes = 0;
  for (size_t i = 1; i < count; ++i) changes += values[i] != values[i - 1] ? 1 : 0;
  if (count < 4 || changes > count / 4) return SIZE_MAX;
  const Runs runs = runs_of(values, count);
  return 3 + kFrameIntegers.cost(runs.values.data(), runs.values.size()) +
         kFrameIntegers.cost(runs.lengths.data(), runs.lengths.size());
}

void encode(const uint64_t* values, size_t count, std::string& out) {
  const Runs runs = runs_of(values, count);
  append_varint(runs.values.size(), out);
  kFrameIntegers.encode(runs.values.data(), runs.values.size(), out);
  kFrameIntegers.encode(runs.lengths.data(), runs.lengths.size(), out);
}

bool decode(ByteReader& reader, size_t count, std::vector<uint64_t>& out) {
  const uint64_t size = reader.varint();
  if (!reader.ok() || size > count) return false;
  Runs runs;
  if (!kFrameIntegers.decode(reader, size, runs.values) ||
      !kFrameIntegers.decode(reader, size, runs.lengths)) {
    return false;
  }
  out.clear();
  out.reserve(count);
  for (size_t i = 0; i < size; ++i) {
    if (runs.lengths[i] > count - out.size()) return false;
    out.insert(out.end(), runs.lengths[i], runs.values[i]);
  }
  return true;
}

}  // namespace

const IntegerCodecFunctions kRunIntegers = {cost, encode, decode};

}  // namespace contextcore::store
