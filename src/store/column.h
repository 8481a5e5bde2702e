#pragma once
// Columns in memory: what a builder appends to, what a page of a segment decodes to, and the one
// view through which both are read. A column holds values for some of the rows; a row without a
// value has none (attributes) or the default, 0 or "" (fixed columns).
//
// Start reading here, then column_attributes.h (attributes as columns), column_match.h
// (predicates), rows_spans.h and rows_logs.h (spans and logs made of columns), segment_format.h
// (the file).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "otlp/model.h"

namespace contextcore::store {

// How values lie: string and encoded in a dictionary, the others as 64-bit numbers (real: its
// bits). encoded: any otlp::Value as bytes (column_value.h), for arrays, kvlists, bytes and unset
// values.
enum class ColumnType : uint8_t { string = 0, boolean = 1, integer = 2, real = 3, encoded = 4 };
constexpr uint8_t kColumnTypes = 5;

inline bool has_strings(ColumnType type) {
  return type == ColumnType::string || type == ColumnType::encoded;
}

// Strings end to end; string i ends at ends[i].
struct StringsView {
  const char* bytes = nullptr;
  const uint64_t* ends = nullptr;
  size_t count = 0;
  std::string_view at(size_t i) const {
    const uint64_t begin = i == 0 ? 0 : ends[i - 1];
    return {bytes + begin, ends[i] - begin};
  }
};

// Distinct strings, numbered in order of first appearance.
class StringPool {
 public:
  uint32_t intern(std::string_view text) { return intern(text, hash_of(text)); }
  // With the hash at hand; prefetch asks for memory that intern will look at soon.
  uint32_t intern(std::string_view text, uint32_t hash);
  static uint32_t hash_of(std::string_view text);
  void prefetch(uint32_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  // REQUIRES: text is none of those that are there; cheaper than finding that out
  uint32_t add_distinct(std::string_view text);
  // The number of text, or kNone.
  uint32_t find(std::string_view text) const;
  std::string_view at(uint32_t id) const { return view().at(id); }
  size_t size() const { return ends_.size(); }
  StringsView view() const { return {bytes_.data(), ends_.data(), ends_.size()}; }
  uint64_t memory_bytes() const;
  static constexpr uint32_t kNone = UINT32_MAX;

 private:
  size_t slot_of(std::string_view text, uint32_t hash) const;
  void index_all();
  std::string bytes_;
  std::vector<uint64_t> ends_;
  // Hash << 32 | id + 1; a power of two, at most 3/4 full. None: strings were only added.
  std::vector<uint64_t> slots_;
};

// Borrowed values of one column over the rows of one row group.
struct ColumnView {
  ColumnType type = ColumnType::integer;
  size_t count = 0;
  uint32_t first = 0;                 // value i is of row first + i, unless rows says otherwise
  const uint32_t* rows = nullptr;     // ascending
  const uint64_t* numbers = nullptr;  // boolean, integer, real
  const uint32_t* ids = nullptr;      // string, encoded: into strings; nullptr: value i is string i
  StringsView strings;

  static constexpr size_t npos = SIZE_MAX;
  size_t find(size_t row) const;  // index of the row's value, or npos
  size_t row(size_t i) const { return rows != nullptr ? rows[i] : first + i; }
  std::string_view string(size_t i) const { return strings.at(ids != nullptr ? ids[i] : i); }
  // Of a fixed column: the value of a row, or its default.
  uint64_t number_of(size_t row) const {
    const size_t at = find(row);
    return at == npos ? 0 : numbers[at];
  }
  std::string_view string_of(size_t row) const {
    const size_t at = find(row);
    return at == npos ? std::string_view() : string(at);
  }
};

// Appends in order of rows.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(ColumnType type = ColumnType::integer) : type_(type) {}
  // REQUIRES: row is above every row appended before
  void append(size_t row, uint64_t number);
  void append(size_t row, std::string_view text);
  void append(size_t row, std::string_view text, uint32_t hash);  // of text
  // For so many values in all.
  void reserve(size_t values);
  // REQUIRES: the pool has a string of this number
  void append_id(size_t row, uint32_t id);
  // Fixed columns: the default is not stored.
  void append_unless_default(size_t row, uint64_t number) {
    if (number != 0) append(row, number);
  }
  void append_unless_default(size_t row, std::string_view text) {
    if (!text.empty()) append(row, text);
  }
  ColumnType type() const { return type_; }
  size_t count() const { return count_; }
  ColumnView view() const;
  const StringPool& pool() const { return pool_; }
  StringPool& pool() { return pool_; }
  uint64_t memory_bytes() const;

 private:
  void add_row(size_t row);
  bool repeats_last(std::string_view text);
  ColumnType type_;
  size_t count_ = 0;
  uint32_t first_ = 0;
  bool gaps_ = false;
  std::vector<uint32_t> rows_;  // empty until there is a gap
  std::vector<uint64_t> numbers_;
  std::vector<uint32_t> ids_;
  StringPool pool_;
};

}  // namespace contextcore::store
