#include <bit>
#include <cassert>

#include "store/rows.h"

namespace contextcore::store {

RowSet::RowSet(size_t rows, bool value)
    : rows_(rows), words_((rows + 63) / 64, value ? ~uint64_t{0} : 0) {
  // Bits beyond the last row stay clear, so that words can be counted and combined as they are.
  if (value && rows % 64 != 0) words_.back() = (uint64_t{1} << (rows % 64)) - 1;
}

RowSet& RowSet::operator&=(const RowSet& other) {
  assert(rows_ == other.rows_);
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  return *this;
}

RowSet& RowSet::operator|=(const RowSet& other) {
  assert(rows_ == other.rows_);
  for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  return *this;
}

void RowSet::subtract(const RowSet& other) {
  assert(rows_ == other.rows_);
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
}

size_t RowSet::count() const {
  size_t count = 0;
  for (const uint64_t word : words_) count += static_cast<size_t>(std::popcount(word));
  return count;
}

bool RowSet::none() const {
  for (const uint64_t word : words_) {
    if (word != 0) return false;
  }
  return true;
}

void RowSet::for_each(const std::function<void(size_t)>& fn) const {
  for (size_t i = 0; i < words_.size(); ++i) {
    for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
      fn(i * 64 + static_cast<size_t>(std::countr_zero(word)));
    }
  }
}

}  // namespace contextcore::store
