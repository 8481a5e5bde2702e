#pragma once
// Spans by number, from 0 in the order in which they are first asked for: for tables of what is known of each span.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "otlp/model.h"

namespace contextcore::work {

// For tables by span.
struct SpanIdHash {
  static_assert(sizeof(otlp::SpanId) == sizeof(size_t));
  size_t operator()(const otlp::SpanId& id) const {
    size_t number = 0;  // ids are hashes already
    std::memcpy(&number, id.bytes.data(), sizeof(number));
    return number;
  }
};

// Open addressing: every event of a log asks. Ids lie beside their numbers, so that an answer takes one look at memory.
class SpanNumbers {
 public:
  uint32_t number_of(const otlp::SpanId& id) {
    const uint64_t key = SpanIdHash()(id);
    if (!ids_.empty() && last_key_ == key) return last_;
    if (4 * (ids_.size() + 1) > 3 * slots_.size()) grow();
    Slot& slot = slots_[slot_of(key)];
    if (slot.number == kNone) {
      slot = {key, static_cast<uint32_t>(ids_.size())};
      ids_.push_back(id);
    }
    last_key_ = key;
    return last_ = slot.number;
  }
  std::optional<uint32_t> find(const otlp::SpanId& id) const {
    if (slots_.empty()) return std::nullopt;
    const Slot& slot = slots_[slot_of(SpanIdHash()(id))];
    return slot.number == kNone ? std::nullopt : std::optional(slot.number);
  }
  void prefetch(const otlp::SpanId& id) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[SpanIdHash()(id) & (slots_.size() - 1)]);
  }
  size_t size() const { return ids_.size(); }
  const otlp::SpanId& id(size_t number) const { return ids_[number]; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Slot {
    uint64_t key = 0;  // the id's bytes
    uint32_t number = kNone;
  };
  size_t slot_of(uint64_t key) const {
    const size_t mask = slots_.size() - 1;
    size_t slot = key & mask;
    while (slots_[slot].number != kNone && slots_[slot].key != key) slot = (slot + 1) & mask;
    return slot;
  }
  void grow() {
    slots_.assign(slots_.empty() ? 1024 : 2 * slots_.size(), {});
    for (uint32_t number = 0; number < ids_.size(); ++number) {
      const uint64_t key = SpanIdHash()(ids_[number]);
      slots_[slot_of(key)] = {key, number};
    }
  }
  std::vector<otlp::SpanId> ids_;
  std::vector<Slot> slots_;  // a power of two, at most 3/4 full
  uint64_t last_key_ = 0;    // events of one command follow one another
  uint32_t last_ = 0;
};

}  // namespace contextcore::work
