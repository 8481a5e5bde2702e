#include "store/segment_format.h"

#include <charconv>

#include "store/column_value.h"
#include "store/rows_logs.h"
#include "store/rows_spans.h"

namespace contextcore::store {

size_t fixed_columns_of(SegmentKind kind) {
  return kind == SegmentKind::spans ? kSpanColumns : kLogColumns;
}

const FixedColumn& fixed_column(SegmentKind kind, size_t column) {
  return kind == SegmentKind::spans ? kSpanFixedColumns[column] : kLogFixedColumns[column];
}

std::string_view attribute_prefix(SegmentKind kind, size_t table) {
  static constexpr std::string_view kPrefixes[kTablesMax] = {"attribute ", "event attribute ", "link attribute "};
  return kind == SegmentKind::logs && table == kFieldTable ? "field " : kPrefixes[table];
}

namespace {

enum PageFlags : uint8_t { kCompressed = 1, kZoned = 2 };
// A stream of another tenant than the default one begins with a pair of this name, which no label has,
// and the tenant's number in decimal.
constexpr std::string_view kTenantPair = "";

bool parse_tenant_number(std::string_view text, uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out != kDefaultTenant;
}

constexpr uint64_t kPageEntryBytesMin = 11;  // three varints or more, flags, checksum

void encode_entry(const PageEntry& entry, std::string& out) {
  const bool compressed = entry.raw != entry.stored;
  out += static_cast<char>((compressed ? kCompressed : 0) | (entry.zone.known ? kZoned : 0));
  append_varint(entry.offset, out);
  append_varint(entry.stored, out);
  if (compressed) append_varint(entry.raw, out);
  append_u64(entry.checksum, out);
  if (entry.zone.known) {
    append_varint(zigzag(entry.zone.min), out);
    append_varint(zigzag(entry.zone.max), out);
  }
}

class FooterReader {
 public:
  FooterReader(std::string_view bytes, uint64_t pages_end)
      : reader_(bytes), pages_end_(pages_end) {}
  ByteReader& reader() { return reader_; }

  uint32_t number(uint64_t max) {
    const uint64_t value = reader_.varint();
    if (value > max) reader_.fail();
    return reader_.ok() ? static_cast<uint32_t>(value) : 0;
  }

  PageEntry entry() {
    PageEntry entry;
    const uint8_t flags = reader_.u8();
    entry.offset = reader_.varint();
    entry.stored = number(kPageBytesMax);
    entry.raw = (flags & kCompressed) != 0 ? number(kPageBytesMax) : entry.stored;
    entry.checksum = reader_.u64();
    if ((flags & kZoned) != 0) {
      entry.zone.known = true;
      entry.zone.min = reader_.signed_varint();
      entry.zone.max = reader_.signed_varint();
    }
    const bool inside = entry.offset >= kSegmentHeaderBytes && entry.offset <= pages_end_ &&
                        entry.stored <= pages_end_ - entry.offset;
    if (flags > (kCompressed | kZoned) || !inside) reader_.fail();
    return entry;
  }

  std::vector<BlockEntry> blocks(uint32_t items_max, size_t key_bytes) {
    std::vector<BlockEntry> blocks(reader_.count(kPageEntryBytesMin));
    for (size_t i = 0; i < blocks.size() && reader_.ok(); ++i) {
      blocks[i] = block(items_max, key_bytes);
      // Blocks but the last are full, so that a number finds its block by division.
      if (i + 1 < blocks.size() && blocks[i].items != items_max) reader_.fail();
    }
    return blocks;
  }

  BlockDirectory directory(size_t key_bytes) {
    BlockDirectory directory;
    directory.pages = blocks(kBlocksPerDirectory, key_bytes);
    for (const BlockEntry& page : directory.pages) directory.blocks += page.items;
    return directory;
  }

  BlockEntry block(uint32_t items_max, size_t key_bytes) {
    BlockEntry block;
    block.items = number(items_max);
    block.first_key = reader_.take(key_bytes);
    block.page = entry();
    if (block.items == 0) reader_.fail();
    return block;
  }

 private:
  ByteReader reader_;
  uint64_t pages_end_;
};

void encode_block(const BlockEntry& block, std::string& out) {
  append_varint(block.items, out);
  out += block.first_key;
  encode_entry(block.page, out);
}

void encode_blocks(const std::vector<BlockEntry>& blocks, std::string& out) {
  append_varint(blocks.size(), out);
  for (const BlockEntry& block : blocks) encode_block(block, out);
}

void encode_group(const GroupEntry& group, size_t tables, std::string& out) {
  for (size_t table = 0; table < tables; ++table) append_varint(group.rows[table], out);
  for (const int64_t zone : group.zones) append_varint(zigzag(zone), out);
  append_varint(group.fixed.size(), out);
  for (const GroupEntry::FixedPage& page : group.fixed) {
    out += static_cast<char>(page.column);
    encode_entry(page.page, out);
  }
  for (size_t table = 0; table < tables; ++table) {
    append_varint(group.attributes[table].size(), out);
    for (const GroupEntry::AttributePage& page : group.attributes[table]) {
      append_varint(page.attribute, out);
      encode_entry(page.page, out);
    }
  }
}

void decode_group(FooterReader& footer, const SegmentFooter& known, GroupEntry& group) {
  ByteReader& reader = footer.reader();
  const size_t tables = tables_of(known.kind, known.version);
  for (size_t table = 0; table < tables; ++table) {
    group.rows[table] = footer.number(table == 0 ? kGroupRowsMax : kChildRowsMax);
  }
  if (group.rows[0] == 0) reader.fail();
  for (int64_t& zone : group.zones) zone = reader.signed_varint();
  const uint64_t fixed = reader.count(kPageEntryBytesMin);
  group.fixed.reserve(fixed);
  for (uint64_t i = 0; i < fixed && reader.ok(); ++i) {
    GroupEntry::FixedPage& page = group.fixed.emplace_back();
    page.column = reader.u8();
    page.page = footer.entry();
    if (page.column >= fixed_columns_of(known.kind)) reader.fail();
  }
  for (size_t table = 0; table < tables; ++table) {
    const uint64_t pages = reader.count(kPageEntryBytesMin);
    group.attributes[table].reserve(pages);
    for (uint64_t i = 0; i < pages && reader.ok(); ++i) {
      GroupEntry::AttributePage& page = group.attributes[table].emplace_back();
      page.attribute = footer.number(UINT32_MAX);
      page.page = footer.entry();
      if (page.attribute >= known.attributes.size() ||
          known.attributes[page.attribute].table != table)
        reader.fail();
    }
  }
}

}  // namespace

std::string encode_footer(const SegmentFooter& footer) {
  std::string out;
  out += static_cast<char>(footer.kind);
  append_varint(footer.rows, out);
  append_varint(footer.attributes.size(), out);
  for (const SegmentAttribute& attribute : footer.attributes) {
    out += static_cast<char>(attribute.table);
    out += static_cast<char>(attribute.type);
    append_string(attribute.key, out);
  }
  append_varint(footer.groups.size(), out);
  for (const GroupEntry& group : footer.groups) encode_group(group, tables_of(footer.kind, footer.version), out);
  encode_blocks(footer.resources, out);
  encode_blocks(footer.scopes, out);
  append_varint(footer.streams.size(), out);
  for (size_t i = 0; i < footer.streams.size(); ++i) {
    const LabelPairs& stream = footer.streams[i];
    const uint32_t tenant = i < footer.stream_tenants.size() ? footer.stream_tenants[i] : kDefaultTenant;
    append_varint(stream.size() + (tenant != kDefaultTenant ? 1 : 0), out);
    if (tenant != kDefaultTenant) {
      append_string(kTenantPair, out);
      append_string(std::to_string(tenant), out);
    }
    for (const auto& [name, value] : stream) {
      append_string(name, out);
      append_string(value, out);
    }
  }
  encode_blocks(footer.index.pages, out);
  encode_blocks(footer.wholes.pages, out);
  return out;
}

std::string encode_block_entries(const std::vector<BlockEntry>& blocks) {
  std::string out;
  for (const BlockEntry& block : blocks) encode_block(block, out);
  return out;
}

bool decode_block_entries(std::string_view bytes, uint32_t items, uint32_t items_max,
                          size_t key_bytes, uint64_t pages_end, std::vector<BlockEntry>& out) {
  FooterReader reader(bytes, pages_end);
  out.clear();
  for (uint32_t i = 0; i < items && reader.reader().ok(); ++i)
    out.push_back(reader.block(items_max, key_bytes));
  return reader.reader().ok() && reader.reader().at_end();
}

bool decode_footer(std::string_view bytes, uint32_t version, uint64_t pages_end, SegmentFooter& out) {
  FooterReader footer(bytes, pages_end);
  ByteReader& reader = footer.reader();
  out = {};
  const uint8_t kind = reader.u8();
  if (kind != static_cast<uint8_t>(SegmentKind::spans) &&
      kind != static_cast<uint8_t>(SegmentKind::logs))
    return false;
  out.kind = static_cast<SegmentKind>(kind);
  out.version = version;
  if (version < kSegmentVersionMin || version > segment_version(out.kind)) return false;
  out.rows = footer.number(UINT32_MAX);
  const uint64_t attributes = reader.count(3);
  for (uint64_t i = 0; i < attributes && reader.ok(); ++i) {
    SegmentAttribute& attribute = out.attributes.emplace_back();
    attribute.table = reader.u8();
    const uint8_t type = reader.u8();
    if (attribute.table >= tables_of(out.kind, version) || type >= kColumnTypes) return false;
    attribute.type = static_cast<ColumnType>(type);
    attribute.key = reader.string();
  }
  const uint64_t groups = reader.count(8);
  out.groups.reserve(groups);
  uint64_t rows = 0;
  for (uint64_t i = 0; i < groups && reader.ok(); ++i) {
    GroupEntry& group = out.groups.emplace_back();
    decode_group(footer, out, group);
    rows += group.rows[0];
  }
  out.resources = footer.blocks(kObjectsPerBlock, 0);
  out.scopes = footer.blocks(kObjectsPerBlock, 0);
  const uint64_t streams = reader.count();
  for (uint64_t i = 0; i < streams && reader.ok(); ++i) {
    LabelPairs& labels = out.streams.emplace_back();
    const uint64_t pairs = reader.count(2);
    for (uint64_t j = 0; j < pairs && reader.ok(); ++j) {
      std::string name(reader.string());
      if (j == 0 && name == kTenantPair) {
        uint32_t tenant = 0;
        if (!parse_tenant_number(reader.string(), tenant)) return false;
        out.stream_tenants.resize(out.streams.size(), kDefaultTenant);
        out.stream_tenants.back() = tenant;
        continue;
      }
      labels.emplace_back(std::move(name), reader.string());
    }
  }
  if (!out.stream_tenants.empty()) out.stream_tenants.resize(out.streams.size(), kDefaultTenant);
  out.index = footer.directory(key_bytes_of(out.kind));
  out.wholes = footer.directory(0);
  const uint64_t wanted = (out.rows + kWholesPerBlock - 1) / kWholesPerBlock;
  return reader.ok() && reader.at_end() && rows == out.rows &&
         (out.wholes.blocks == 0 || out.wholes.blocks == wanted);
}

}  // namespace contextcore::store
