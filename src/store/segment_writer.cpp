#include "store/segment_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "store/rows_spans.h"

namespace contextcore::store {
namespace {
constexpr size_t kWriteBytes = 1u << 20;
}

Result<SegmentWriter> SegmentWriter::create(FileSystem& files, const std::string& path,
                                            SegmentKind kind) {
  CC_ASSIGN(std::unique_ptr<File> file, files.open(path, OpenMode::create));
  CC_TRY(file->truncate(0));
  SegmentWriter writer(std::move(file), path);
  writer.footer_.kind = kind;
  writer.footer_.version = segment_version(kind);
  writer.pending_ = kSegmentMagic;
  append_u32(writer.footer_.version, writer.pending_);
  append_u32(static_cast<uint32_t>(kind), writer.pending_);
  return writer;
}

Status SegmentWriter::flush() {
  if (pending_.empty()) return {};
  CC_TRY(file_->write_at(written_, pending_));
  written_ += pending_.size();
  pending_.clear();
  return {};
}

Status SegmentWriter::write_page(std::string_view raw, PageEntry& entry) {
  if (raw.size() > kPageBytesMax) {
    return {Code::resource_exhausted, fmt::format("segment {}: a page of {} bytes; at most {} fit",
                                                  path_, raw.size(), kPageBytesMax)};
  }
  const std::string_view stored =
      compress_page(raw, compressed_) ? std::string_view(compressed_) : raw;
  entry.offset = written_ + pending_.size();
  entry.stored = static_cast<uint32_t>(stored.size());
  entry.raw = static_cast<uint32_t>(raw.size());
  entry.checksum = xxh3_64(stored);
  return append_page(stored);
}

Status SegmentWriter::append_page(std::string_view stored) {
  pending_.append(stored);
  return pending_.size() >= kWriteBytes ? flush() : Status();
}

Status SegmentWriter::copy_page(const SegmentFile& file, const PageEntry& from, const std::string& what,
                                PageEntry& entry) {
  CC_ASSIGN(const std::string stored, file.read_stored(from, what));
  entry = from;
  entry.offset = written_ + pending_.size();
  return append_page(std::string_view(stored).substr(0, from.stored));
}

Status SegmentWriter::write_column(const ColumnView& view, PageEntry& entry) {
  raw_.clear();
  encode_page(view, raw_);
  entry.zone = zone_of(view);
  return write_page(raw_, entry);
}

uint32_t SegmentWriter::attribute_number(size_t table, const ColumnSource::AttributeInfo& info) {
  const auto [at, is_new] =
      attribute_numbers_.try_emplace({{table, info.type}, std::string(info.key)},
                                     static_cast<uint32_t>(footer_.attributes.size()));
  if (is_new)
    footer_.attributes.push_back({static_cast<uint8_t>(table), info.type, std::string(info.key)});
  return at->second;
}

Status SegmentWriter::write_group(const ColumnSource& source, const std::array<int64_t, 5>& zones) {
  GroupEntry& group = footer_.groups.emplace_back();
  group.zones = zones;
  for (size_t table = 0; table < tables_of(footer_.kind, footer_.version); ++table) {
    group.rows[table] = static_cast<uint32_t>(source.rows(table));
    if (source.rows(table) > (table == 0 ? kGroupRowsMax : kChildRowsMax)) {
      return {Code::resource_exhausted,
              fmt::format("segment {}: {} events or links of one row group; at most {} fit", path_,
                          source.rows(table), kChildRowsMax)};
    }
  }
  footer_.rows += group.rows[0];
  for (size_t column = 0; column < fixed_columns_of(footer_.kind); ++column) {
    CC_ASSIGN(const ColumnView view, source.fixed(column));
    if (view.count == 0) continue;
    GroupEntry::FixedPage& page = group.fixed.emplace_back();
    page.column = static_cast<uint8_t>(column);
    CC_TRY(write_column(view, page.page));
  }
  for (size_t table = 0; table < tables_of(footer_.kind, footer_.version); ++table) {
    for (size_t i = 0; i < source.attribute_count(table); ++i) {
      CC_ASSIGN(const ColumnView view, source.attribute(table, i));
      GroupEntry::AttributePage& page = group.attributes[table].emplace_back();
      page.attribute = attribute_number(table, source.attribute_info(table, i));
      CC_TRY(write_column(view, page.page));
    }
  }
  return {};
}

Status SegmentWriter::copy_group(const SegmentGroup& group, const InsteadOf& instead) {
  const SegmentFile& file = group.file();
  const GroupEntry& from = file.footer().groups[group.number()];
  const std::string what = fmt::format("row group {} (from row {})", group.number(), file.first_row(group.number()));
  GroupEntry& to = footer_.groups.emplace_back();
  to.rows = from.rows;
  to.zones = from.zones;
  footer_.rows += to.rows[0];
  for (const GroupEntry::FixedPage& one : from.fixed) {
    if (instead.contains(one.column)) continue;
    GroupEntry::FixedPage& page = to.fixed.emplace_back();
    page.column = one.column;
    CC_TRY(copy_page(file, one.page, what, page.page));
  }
  for (const auto& [column, view] : instead) {
    if (view.count == 0) continue;
    GroupEntry::FixedPage& page = to.fixed.emplace_back();
    page.column = static_cast<uint8_t>(column);
    CC_TRY(write_column(view, page.page));
  }
  for (size_t table = 0; table < tables_of(footer_.kind, footer_.version); ++table) {
    for (size_t i = 0; i < from.attributes[table].size(); ++i) {
      GroupEntry::AttributePage& page = to.attributes[table].emplace_back();
      page.attribute = attribute_number(table, group.attribute_info(table, i));
      CC_TRY(copy_page(file, from.attributes[table][i].page, what, page.page));
    }
  }
  return {};
}

Status SegmentWriter::write_index(std::vector<IndexEntry>& entries) {
  std::sort(entries.begin(), entries.end());
  std::vector<BlockEntry> blocks;
  for (size_t begin = 0; begin < entries.size(); begin += kIndexEntriesPerBlock) {
    const size_t end = std::min<size_t>(begin + kIndexEntriesPerBlock, entries.size());
    std::string raw;
    for (size_t i = begin; i < end; ++i) {
      raw += entries[i].key;
      append_u32(entries[i].first, raw);
      append_u32(entries[i].count, raw);
    }
    BlockEntry& block = blocks.emplace_back();
    block.items = static_cast<uint32_t>(end - begin);
    block.first_key = entries[begin].key;
    CC_TRY(write_page(raw, block.page));
  }
  return write_directory(blocks, footer_.index);
}

Status SegmentWriter::write_directory(const std::vector<BlockEntry>& blocks, BlockDirectory& out) {
  out.blocks = blocks.size();
  for (size_t begin = 0; begin < blocks.size(); begin += kBlocksPerDirectory) {
    const size_t end = std::min<size_t>(begin + kBlocksPerDirectory, blocks.size());
    const std::vector<BlockEntry> part(blocks.begin() + static_cast<std::ptrdiff_t>(begin),
                                       blocks.begin() + static_cast<std::ptrdiff_t>(end));
    BlockEntry& page = out.pages.emplace_back();
    page.items = static_cast<uint32_t>(part.size());
    page.first_key = part.front().first_key;
    CC_TRY(write_page(encode_block_entries(part), page.page));
  }
  return {};
}

Status SegmentWriter::add_whole(std::string_view encoded) {
  append_string(encoded, wholes_);
  return ++wholes_count_ == kWholesPerBlock ? end_wholes() : Status();
}

Status SegmentWriter::end_wholes() {
  if (wholes_count_ == 0) return {};
  BlockEntry& block = whole_blocks_.emplace_back();
  block.items = std::exchange(wholes_count_, 0);
  CC_TRY(write_page(wholes_, block.page));
  wholes_.clear();
  return {};
}

Status SegmentWriter::finish() {
  CC_TRY(end_wholes());
  CC_TRY(write_directory(whole_blocks_, footer_.wholes));
  const std::string footer = encode_footer(footer_);
  append_u64(xxh3_64(footer), (pending_ += footer));
  append_u64(footer.size(), pending_);
  append_u32(footer_.version, pending_);
  pending_ += kSegmentMagic;
  CC_TRY(flush());
  return file_->sync();
}

}  // namespace contextcore::store
