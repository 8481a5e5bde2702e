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
  size_t operator()(const otlp::SpanId& id) const {
    size_t number = 0;  // ids are hashes already
    std::memcpy(&number, id.bytes.data(), sizeof(number));
    return number;
  }
};

// Open addressing: every event of a log asks.
class SpanNumbers {
 public:
  uint32_t number_of(const otlp::SpanId& id) {
    if (!ids_.empty() && ids_[last_] == id) return last_;
    if (4 * (ids_.size() + 1) > 3 * slots_.size()) grow();
    uint32_t& slot = slots_[slot_of(id)];
    if (slot == 0) {
      ids_.push_back(id);
      slot = static_cast<uint32_t>(ids_.size());
    }
    return last_ = slot - 1;
  }
  std::optional<uint32_t> find(const otlp::SpanId& id) const {
    if (slots_.empty()) return std::nullopt;
    const uint32_t slot = slots_[slot_of(id)];
    return slot == 0 ? std::nullopt : std::optional(slot - 1);
  }
  void prefetch(const otlp::SpanId& id) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[SpanIdHash()(id) & (slots_.size() - 1)]);
  }
  size_t size() const { return ids_.size(); }
  const otlp::SpanId& id(size_t number) const { return ids_[number]; }

 private:
  size_t slot_of(const otlp::SpanId& id) const {
    const size_t mask = slots_.size() - 1;
    size_t slot = SpanIdHash()(id) & mask;
    while (slots_[slot] != 0 && !(ids_[slots_[slot] - 1] == id)) slot = (slot + 1) & mask;
    return slot;
  }
  void grow() {
    slots_.assign(slots_.empty() ? 1024 : 2 * slots_.size(), 0);
    for (uint32_t number = 0; number < ids_.size(); ++number) slots_[slot_of(ids_[number])] = number + 1;
  }
  std::vector<otlp::SpanId> ids_;
  std::vector<uint32_t> slots_;  // number + 1; a power of two, at most 3/4 full
  uint32_t last_ = 0;            // events of one command follow one another
};

}  // namespace contextcore::work
