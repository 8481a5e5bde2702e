#pragma once
// One page: the values of one column in one row group, encoded, compressed where it pays,
// checksummed.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/column.h"
#include "store/column_attributes.h"
#include "store/column_value.h"

namespace contextcore::store {

// Bounds on what a file may claim, so that a damaged one costs no memory to speak of.
constexpr size_t kGroupRowsMax = 1u << 16;
constexpr size_t kChildRowsMax = 1u << 24;
constexpr uint32_t kPageBytesMax = 1u << 30;

// Where a page lies in its file.
struct PageEntry {
  uint64_t offset = 0;
  uint32_t stored = 0;  // bytes in the file
  uint32_t raw = 0;  // bytes after decompression; equal to stored when the page is not compressed
  uint64_t checksum = 0;  // XXH3-64 of the stored bytes
  Zone zone;
};

// A decoded page; owns what its view borrows.
class Page {
 public:
  // Nullopt-like: false when bytes are no page of that type for a table of that many rows. bytes
  // must be followed by 8 readable ones.
  static bool decode(std::string_view bytes, ColumnType type, size_t rows, Page& out);
  ColumnView view() const;
  uint64_t memory_bytes() const;

 private:
  bool decode_strings(ByteReader& reader);
  ColumnType type_ = ColumnType::integer;
  size_t count_ = 0;
  uint32_t first_ = 0;
  std::vector<uint32_t> rows_;
  std::vector<uint64_t> numbers_;
  std::vector<uint32_t> ids_;
  std::string bytes_;
  std::vector<uint64_t> ends_;
};

void encode_page(const ColumnView& view, std::string& out);
// Least and greatest number of an integer column; unknown for other types and no values.
Zone zone_of(const ColumnView& view);

// zstd. compress gives false when it does not save a sixteenth.
bool compress_page(std::string_view raw, std::string& out);
// raw bytes followed by 8 zeros. False when stored is not a frame of exactly that size.
bool decompress_page(std::string_view stored, uint32_t raw, std::string& out);

}  // namespace contextcore::store
