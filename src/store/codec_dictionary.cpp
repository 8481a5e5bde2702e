// Dictionary: the distinct values in ascending order, plain, then their numbers in a frame of
// reference. For few different numbers that lie far apart.

#include <algorithm>
#include <bit>

#include "store/codec_integers.h"
#include "store/id_table.h"

namespace contextcore::store {
namespace {

// The distinct values, ascending, and which of them each value is.
class Distinct {
 public:
  Distinct(const uint64_t* values, size_t count) {
    size_t size = 16;
    while (size < count * 2) size *= 2;
    slots_.assign(size, {});
    for (size_t i = 0; i < count; ++i) {
      Slot& slot = slot_of(values[i]);
      if (slot.used) continue;
      slot = {values[i], 0, true};
      values_.push_back(values[i]);
    }
  }
  size_t size() const { return values_.size(); }
  const std::vector<uint64_t>& sorted() {
    std::sort(values_.begin(), values_.end());
    for (uint32_t i = 0; i < values_.size(); ++i) slot_of(values_[i]).number = i;
    return values_;
  }
  // REQUIRES: sorted() before
  uint64_t number_of(uint64_t value) { return slot_of(value).number; }

 private:
  struct Slot {
    uint64_t value = 0;
    uint32_t number = 0;
    bool used = false;
  };
  Slot& slot_of(uint64_t value) {
    const size_t mask = slots_.size() - 1;
    size_t at = mix(value ^ secret_.first, secret_.second) & mask;
    while (slots_[at].used && slots_[at].value != value) at = (at + 1) & mask;
    return slots_[at];
  }
  const HashSecret& secret_ = hash_secret();  // the values come from outside
  std::vector<Slot> slots_;
  std::vector<uint64_t> values_;
};

size_t cost_of(size_t distinct, size_t count) {
  return 3 + distinct * 8 + 2 + (count * static_cast<size_t>(std::bit_width(distinct - 1)) + 7) / 8;
}

size_t cost(const uint64_t* values, size_t count) {
  if (count < 8) return SIZE_MAX;
  // Random numbers show in a sample.
  const size_t sample = std::min<size_t>(count, 64);
  if (Distinct(values, sample).size() > sample * 7 / 8) return SIZE_MAX;
  const size_t distinct = Distinct(values, count).size();
  return distinct > count / 2 ? SIZE_MAX : cost_of(distinct, count);
}

void encode(const uint64_t* values, size_t count, std::string& out) {
  Distinct distinct(values, count);
  const std::vector<uint64_t>& sorted = distinct.sorted();
  append_varint(sorted.size(), out);
  kPlainIntegers.encode(sorted.data(), sorted.size(), out);
  std::vector<uint64_t> numbers;
  numbers.reserve(count);
  for (size_t i = 0; i < count; ++i) numbers.push_back(distinct.number_of(values[i]));
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
