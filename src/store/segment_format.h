#pragma once
// The footer of a segment file as a structure, and as bytes (docs/store-format.md, "Segments").

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/rows.h"
#include "store/segment_page.h"

namespace contextcore::store {

constexpr std::string_view kSegmentMagic{"CCSEGMT\n", 8};
constexpr size_t kSegmentHeaderBytes = 16, kSegmentTrailerBytes = 28;
constexpr size_t kTablesMax = 3;

enum class SegmentKind : uint8_t { spans = 1, logs = 2 };

// Logs of version 3 have no fields of bodies.
constexpr uint32_t kSegmentVersionMin = 3;
inline uint32_t segment_version(SegmentKind kind) { return kind == SegmentKind::spans ? 3 : 4; }

struct SegmentAttribute {
  uint8_t table = 0;
  ColumnType type = ColumnType::string;
  std::string key;
};

struct GroupEntry {
  struct FixedPage {
    uint8_t column = 0;
    PageEntry page;
  };
  struct AttributePage {
    uint32_t attribute = 0;  // into SegmentFooter::attributes; shapes count these pages from 0
    PageEntry page;
  };
  std::array<uint32_t, kTablesMax> rows{};
  // Spans: min start, max start, max end, max duration, 1 when one is open. Logs: min and max time.
  std::array<int64_t, 5> zones{};
  std::vector<FixedPage> fixed;
  std::array<std::vector<AttributePage>, kTablesMax> attributes;
};

// Encoded objects (resources, scopes), index entries, whole rows, or entries of further blocks.
struct BlockEntry {
  uint32_t items = 0;
  std::string first_key;  // index blocks only
  PageEntry page;
};

// Many blocks: their entries stand in pages of kBlocksPerDirectory, so that opening a file reads
// few.
struct BlockDirectory {
  uint64_t blocks = 0;
  std::vector<BlockEntry> pages;  // items: entries in the page; first_key: that of its first block
};

struct SegmentFooter {
  SegmentKind kind = SegmentKind::spans;
  uint32_t version = segment_version(SegmentKind::spans);  // stands beside it
  uint64_t rows = 0;
  std::vector<SegmentAttribute> attributes;
  std::vector<GroupEntry> groups;
  std::vector<BlockEntry> resources, scopes;
  std::vector<LabelPairs> streams;         // logs
  std::vector<uint32_t> stream_tenants;    // by stream; empty: all are of the default tenant
  BlockDirectory index;             // trace ids (16 bytes) of spans, span ids (8 bytes) of logs
  // Journal spans: every row once more, whole, for look-ups of single ones.
  BlockDirectory wholes;
};

constexpr uint32_t kObjectsPerBlock = 64;
constexpr uint32_t kIndexEntriesPerBlock = 256;
constexpr uint32_t kWholesPerBlock = 16;
constexpr uint32_t kBlocksPerDirectory = 256;

inline size_t tables_of(SegmentKind kind, uint32_t version) {
  return kind == SegmentKind::spans ? 3 : version >= 4 ? 2 : 1;
}
// How attributes of a table are called where people read of them.
std::string_view attribute_prefix(SegmentKind kind, size_t table);
inline size_t key_bytes_of(SegmentKind kind) { return kind == SegmentKind::spans ? 16 : 8; }
size_t fixed_columns_of(SegmentKind kind);
struct FixedColumn;
const FixedColumn& fixed_column(SegmentKind kind, size_t column);

std::string encode_footer(const SegmentFooter& footer);
// False unless everything in it is within bounds: pages lie inside [header, pages_end), numbers
// name something, counts add up.
bool decode_footer(std::string_view bytes, uint32_t version, uint64_t pages_end, SegmentFooter& out);

// One page of a directory. False unless its entries are within bounds and as many as they should
// be.
std::string encode_block_entries(const std::vector<BlockEntry>& blocks);
bool decode_block_entries(std::string_view bytes, uint32_t items, uint32_t items_max,
                          size_t key_bytes, uint64_t pages_end, std::vector<BlockEntry>& out);

}  // namespace contextcore::store
