#include "store/column.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/hash.h"
#include "store/id_table.h"

namespace contextcore::store {

// ---- StringPool
// ----------------------------------------------------------------------------------

namespace {

uint64_t load(const char* bytes) { return load_u64(reinterpret_cast<const uint8_t*>(bytes)); }
uint64_t load_half(const char* bytes) {
  uint32_t value = 0;
  std::memcpy(&value, bytes, 4);
  return value;
}

uint64_t slot_value(uint32_t hash, size_t id) { return uint64_t{hash} << 32 | (id + 1); }
size_t id_of(uint64_t slot) { return static_cast<uint32_t>(slot) - 1; }

}  // namespace

// Texts come from outside and their hashes stay inside: they depend on a secret of the process.
uint32_t StringPool::hash_of(std::string_view text) {
  static const HashSecret secret = hash_secret();
  const char* p = text.data();
  const size_t n = text.size();
  const uint64_t second = secret.second ^ n;
  uint64_t hash = 0;
  if (n >= 8 && n <= 16) {
    hash = mix(load(p) ^ secret.first, load(p + n - 8) ^ second);
  } else if (n >= 4 && n < 8) {
    hash = mix(load_half(p) ^ secret.first, load_half(p + n - 4) ^ second);
  } else if (n > 16 && n <= 32) {
    hash = mix(load(p) ^ secret.first, load(p + 8) ^ second) ^
           mix(load(p + n - 16) ^ second, load(p + n - 8) ^ secret.first);
  } else {
    hash = xxh3_64(text, secret.first);
  }
  return static_cast<uint32_t>(hash);
}

// Where text is, or a free place for it.
size_t StringPool::slot_of(std::string_view text, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot] != 0) {
    if (slots_[slot] >> 32 == hash && at(static_cast<uint32_t>(id_of(slots_[slot]))) == text) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

// Room for one more in a table with all that are there.
void StringPool::index_all() {
  size_t size = 16;
  while ((ends_.size() + 1) * 4 > size * 3) size *= 2;
  std::vector<uint64_t> slots(size, 0);
  const auto put = [&](uint64_t value) {
    size_t slot = (value >> 32) & (size - 1);
    while (slots[slot] != 0) slot = (slot + 1) & (size - 1);
    slots[slot] = value;
  };
  if (slots_.empty()) {
    for (uint32_t id = 0; id < ends_.size(); ++id) put(slot_value(hash_of(at(id)), id));
  } else {
    for (const uint64_t value : slots_) {
      if (value != 0) put(value);
    }
  }
  slots_ = std::move(slots);
}

uint32_t StringPool::intern(std::string_view text, uint32_t hash) {
  if ((ends_.size() + 1) * 4 > slots_.size() * 3) index_all();
  const size_t slot = slot_of(text, hash);
  if (slots_[slot] != 0) return static_cast<uint32_t>(id_of(slots_[slot]));
  slots_[slot] = slot_value(hash, ends_.size());
  bytes_.append(text);
  ends_.push_back(bytes_.size());
  return static_cast<uint32_t>(ends_.size() - 1);
}

uint32_t StringPool::add_distinct(std::string_view text) {
  if (!slots_.empty()) return intern(text);
  bytes_.append(text);
  ends_.push_back(bytes_.size());
  return static_cast<uint32_t>(ends_.size() - 1);
}

uint32_t StringPool::find(std::string_view text) const {
  if (slots_.empty()) return kNone;
  const size_t slot = slot_of(text, hash_of(text));
  return slots_[slot] == 0 ? kNone : static_cast<uint32_t>(id_of(slots_[slot]));
}

uint64_t StringPool::memory_bytes() const {
  return bytes_.capacity() + ends_.capacity() * 8 + slots_.capacity() * 8;
}

// ---- views and builders
// --------------------------------------------------------------------------

size_t ColumnView::find(size_t row) const {
  if (rows == nullptr) return row >= first && row - first < count ? row - first : npos;
  if (count == 0 || row < rows[0] || row > rows[count - 1]) return npos;
  // Rows rise, so the place lies between those it would have with every gap before it and with every gap behind it.
  const size_t before = row - rows[0], behind = rows[count - 1] - row;
  const size_t low = behind < count ? count - 1 - behind : 0, high = std::min(before + 1, count);
  if (low >= high) return npos;
  const uint32_t* at = std::lower_bound(rows + low, rows + high, row);
  return at != rows + high && *at == row ? static_cast<size_t>(at - rows) : npos;
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

// A run of one value needs no look-up.
bool ColumnBuilder::repeats_last(std::string_view text) {
  if (ids_.empty() || pool_.at(ids_.back()) != text) return false;
  ids_.push_back(ids_.back());
  return true;
}

void ColumnBuilder::append(size_t row, std::string_view text) {
  assert(has_strings(type_));
  add_row(row);
  if (!repeats_last(text)) ids_.push_back(pool_.intern(text));
}

void ColumnBuilder::append(size_t row, std::string_view text, uint32_t hash) {
  assert(has_strings(type_));
  add_row(row);
  if (!repeats_last(text)) ids_.push_back(pool_.intern(text, hash));
}

void ColumnBuilder::reserve(size_t values) {
  if (has_strings(type_)) {
    ids_.reserve(values);
  } else {
    numbers_.reserve(values);
  }
}

void ColumnBuilder::append_id(size_t row, uint32_t id) {
  assert(has_strings(type_));
  add_row(row);
  ids_.push_back(id);
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
