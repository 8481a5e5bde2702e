#pragma once
// Which of many entries are surely not there: lines of 512 bits, one for each 42 entries, six bits for an entry, all in one
// line, so that a look-up waits for memory once. Of a hundred that are not there about one passes. Runs of the trace
// directory keep theirs in the file (docs/store-format.md, "Trace runs").

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace contextcore::store {

class LineFilter {
 public:
  static constexpr size_t kLineWords = 8;

  LineFilter() = default;
  static LineFilter for_entries(size_t entries) {
    return LineFilter((entries + kEntriesPerLine - 1) / kEntriesPerLine);
  }
  explicit LineFilter(size_t lines) : words_(lines * kLineWords, 0) {}

  // REQUIRES: there are lines
  void add(uint64_t entry) {
    const Bits bits = bits_of(entry);
    for (int i = 0; i < kBits; ++i) words_[bits.word(i)] |= bits.mask(i);
  }
  // False: it was not added.
  bool passes(uint64_t entry) const {
    if (words_.empty()) return false;
    const Bits bits = bits_of(entry);
    for (int i = 0; i < kBits; ++i) {
      if ((words_[bits.word(i)] & bits.mask(i)) == 0) return false;
    }
    return true;
  }
  size_t lines() const { return words_.size() / kLineWords; }
  std::vector<uint64_t>& words() { return words_; }
  const std::vector<uint64_t>& words() const { return words_; }

 private:
  static constexpr size_t kEntriesPerLine = 42;
  static constexpr int kBits = 6;
  struct Bits {
    size_t first_word = 0;
    uint64_t places = 0;  // 9 bits each
    uint64_t place(int i) const { return places >> (9 * i) & 511; }
    size_t word(int i) const { return first_word + place(i) / 64; }
    uint64_t mask(int i) const { return uint64_t{1} << (place(i) % 64); }
  };
  Bits bits_of(uint64_t entry) const {
    const uint64_t hash = entry * 0x9E3779B97F4A7C15ull;
    const auto line = static_cast<size_t>((hash >> 32) * lines() >> 32);
    return {line * kLineWords, hash * 0xC2B2AE3D27D4EB4Full >> 10};
  }

  std::vector<uint64_t> words_;
};

}  // namespace contextcore::store
