#pragma once
// A hash table from ids to numbers of 32 bits: 8 bytes a slot, the ids lie with whoever has them. Ids
// come from outside, so where they fall depends on a secret of the process: nobody can choose ones
// that all fall together.

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "otlp/model.h"

namespace contextcore::store {

// Two random odd numbers, drawn once.
struct HashSecret {
  uint64_t first = 0, second = 0;
};
const HashSecret& hash_secret();

inline uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t load_u64(const uint8_t* bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, 8);
  return value;
}

inline uint64_t hash_id(const otlp::SpanId& id, const HashSecret& secret) {
  return mix(load_u64(id.bytes.data()) ^ secret.first, secret.second);
}
inline uint64_t hash_id(const otlp::TraceId& id, const HashSecret& secret) {
  return mix(load_u64(id.bytes.data()) ^ secret.first,
             load_u64(id.bytes.data() + 8) ^ secret.second);
}

class IdTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  size_t size() const { return size_; }

  // is(number): whether that one has the id of this hash; asked of few others. kNone: none has.
  template <typename Is>
  uint32_t find(uint64_t hash, const Is& is) const {
    if (slots_.empty()) return kNone;
    const uint64_t slot = slots_[slot_of(hash, is)];
    return slot == 0 ? kNone : number_of(slot);
  }
  // The number of the id, which is `number` where the id is new.
  template <typename Is>
  uint32_t find_or_add(uint64_t hash, uint32_t number, const Is& is) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    uint64_t& slot = slots_[slot_of(hash, is)];
    if (slot != 0) return number_of(slot);
    slot = value_of(hash, number);
    ++size_;
    return number;
  }
  // The same, but the id has that number from now on; gives the number that it had, or kNone.
  template <typename Is>
  uint32_t exchange(uint64_t hash, uint32_t number, const Is& is) {
    const uint32_t before = find_or_add(hash, number, is);
    if (before == number) return kNone;
    slots_[slot_of(hash, is)] = value_of(hash, number);
    return before;
  }
  uint64_t memory_bytes() const { return slots_.capacity() * sizeof(uint64_t); }

 private:
  // A slot is the upper half of the hash, whose low bits say where it belongs, and number + 1.
  static uint64_t value_of(uint64_t hash, uint32_t number) {
    return (hash >> 32 << 32) | (uint64_t{number} + 1);
  }
  static uint32_t number_of(uint64_t slot) { return static_cast<uint32_t>(slot) - 1; }
  // Where the id is, or the free slot for it.
  template <typename Is>
  size_t slot_of(uint64_t hash, const Is& is) const {
    const size_t mask = slots_.size() - 1;
    size_t at = (hash >> 32) & mask;
    for (; slots_[at] != 0; at = (at + 1) & mask) {
      if (slots_[at] >> 32 == hash >> 32 && is(number_of(slots_[at]))) break;
    }
    return at;
  }
  void grow() {
    std::vector<uint64_t> slots(slots_.empty() ? 64 : slots_.size() * 2, 0);
    const size_t mask = slots.size() - 1;
    for (const uint64_t value : slots_) {
      if (value == 0) continue;
      size_t at = (value >> 32) & mask;
      while (slots[at] != 0) at = (at + 1) & mask;
      slots[at] = value;
    }
    slots_ = std::move(slots);
  }

  std::vector<uint64_t> slots_;  // a power of two, at most 3/4 full
  size_t size_ = 0;
};

}  // namespace contextcore::store
