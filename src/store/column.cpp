#include "store/column.h"

#include <algorithm>
#include <cassert>

#include "base/hash.h"

namespace contextcore::store {

// ---- StringPool
// ----------------------------------------------------------------------------------

size_t StringPool::slot_of(std::string_view text, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot] != 0) {
    const uint32_t id = slots_[slot] - 1;
    if (hashes_[id] == hash && at(id) == text) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

void StringPool::grow() {
  slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
  const size_t mask = slots_.size() - 1;
  for (uint32_t id = 0; id < hashes_.size(); ++id) {
    size_t slot = hashes_[id] & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = id + 1;
  }
}

uint32_t StringPool::intern(std::string_view text) {
  if ((ends_.size() + 1) * 4 > slots_.size() * 3) grow();
  const auto hash = static_cast<uint32_t>(xxh3_64(text));
  const size_t slot = slot_of(text, hash);
  if (slots_[slot] != 0) return slots_[slot] - 1;
  const auto id = static_cast<uint32_t>(ends_.size());
  slots_[slot] = id + 1;
  bytes_.append(text);
  ends_.push_back(bytes_.size());
  hashes_.push_back(hash);
  return id;
}

uint32_t StringPool::find(std::string_view text) const {
  if (slots_.empty()) return kNone;
  const size_t slot = slot_of(text, static_cast<uint32_t>(xxh3_64(text)));
  return slots_[slot] == 0 ? kNone : slots_[slot] - 1;
}

uint64_t StringPool::memory_bytes() const {
  return bytes_.capacity() + ends_.capacity() * 8 + hashes_.capacity() * 4 + slots_.capacity() * 4;
}

// ---- views and builders
// --------------------------------------------------------------------------

size_t ColumnView::find(size_t row) const {
  if (rows == nullptr) return row >= first && row - first < count ? row - first : npos;
  const uint32_t* at = std::lower_bound(rows, rows + count, row);
  return at != rows + count && *at == row ? static_cast<size_t>(at - rows) : npos;
}

void ColumnBuilder::add_row(size_t row) {
  assert(row <= UINT32_MAX);
  const auto number = static_cast<uint32_t>(row);
  if (count_ == 0) {
    first_ = number;
  } else if (!gaps_ && number != first_ + count_) {
    gaps_ = true;
    rows_.resize(count_);
    for (size_t i = 0; i < count_; ++i) rows_[i] = first_ + static_cast<uint32_t>(i);
  }
  if (gaps_) rows_.push_back(number);
  ++count_;
}

void ColumnBuilder::append(size_t row, uint64_t number) {
  assert(!has_strings(type_));
  add_row(row);
  numbers_.push_back(number);
}

void ColumnBuilder::append(size_t row, std::string_view text) {
  assert(has_strings(type_));
  add_row(row);
  // A run of one value needs no look-up.
  if (!ids_.empty() && pool_.at(ids_.back()) == text) {
    ids_.push_back(ids_.back());
  } else {
    ids_.push_back(pool_.intern(text));
  }
}

ColumnView ColumnBuilder::view() const {
  ColumnView view;
  view.type = type_;
  view.count = count_;
  view.first = first_;
  view.rows = gaps_ ? rows_.data() : nullptr;
  view.numbers = numbers_.data();
  view.ids = ids_.data();
  view.strings = pool_.view();
  return view;
}

uint64_t ColumnBuilder::memory_bytes() const {
  return sizeof(*this) + rows_.capacity() * 4 + numbers_.capacity() * 8 + ids_.capacity() * 4 +
         pool_.memory_bytes();
}

}  // namespace contextcore::store
