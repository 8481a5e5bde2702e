#include "store/segment_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "store/rows_spans.h"
#include "store/segment_cache.h"

namespace contextcore::store {
namespace {

// The first bytes of an id, in its order.
uint64_t beginning_of(std::string_view id) {
  uint64_t number = 0;
  if (id.size() < sizeof number) return number;
  std::memcpy(&number, id.data(), sizeof number);
  return __builtin_bswap64(number);
}

}  // namespace

// ---- SegmentFile
// ---------------------------------------------------------------------------------

Error SegmentFile::damaged(const std::string& what) const {
  return {Code::corruption,
          fmt::format("segment {}: {}", path_, what),
          "other row groups stay readable; restore the file from a backup",
          {},
          {}};
}

Result<std::shared_ptr<const SegmentFile>> SegmentFile::open(FileSystem& files,
                                                             const std::string& path,
                                                             SegmentKind kind) {
  CC_ASSIGN(auto file, files.open(path, OpenMode::read));
  return open(std::move(file), path, kind);
}

Result<std::shared_ptr<const SegmentFile>> SegmentFile::open(std::unique_ptr<File> file,
                                                             const std::string& path,
                                                             SegmentKind kind) {
  static std::atomic<uint64_t> numbers{0};
  auto segment = std::make_shared<SegmentFile>();
  segment->path_ = path;
  segment->number_ = ++numbers;
  segment->file_ = std::move(file);
  CC_TRY(segment->read_footer(kind));
  if (segment->footer_.kind != kind)
    return segment->damaged("it holds the other kind of rows (spans, logs)");
  return std::shared_ptr<const SegmentFile>(std::move(segment));
}

Status SegmentFile::read_footer(SegmentKind kind) {
  CC_ASSIGN(const uint64_t size, file_->size());
  if (size < kSegmentHeaderBytes + kSegmentTrailerBytes)
    return damaged("it is too short to be one");
  // One read gets the footer of nearly every segment whole.
  std::string tail(std::min<uint64_t>(size, 64 * 1024), '\0');
  CC_ASSIGN(size_t got, file_->read_at(size - tail.size(), tail.data(), tail.size()));
  if (got != tail.size()) return damaged("it shrank while it was opened");
  ByteReader reader(std::string_view(tail).substr(tail.size() - kSegmentTrailerBytes));
  const uint64_t checksum = reader.u64();
  const uint64_t length = reader.u64();
  const uint32_t version = reader.u32();
  if (reader.take(8) != kSegmentMagic) return damaged("its end is not that of a segment");
  CC_TRY(check_version(version, SegmentKind::logs));  // of which there are more
  if (length > size - kSegmentHeaderBytes - kSegmentTrailerBytes)
    return damaged("its footer is longer than the file");
  const uint64_t begin = size - kSegmentTrailerBytes - length;
  if (length + kSegmentTrailerBytes <= tail.size()) {
    tail = tail.substr(tail.size() - kSegmentTrailerBytes - length, length);
  } else {
    tail.assign(length, '\0');
    CC_ASSIGN(got, file_->read_at(begin, tail.data(), length));
    if (got != length) return damaged("it shrank while it was opened");
  }
  if (xxh3_64(tail) != checksum) return damaged("the checksum of its footer does not match");
  if (tail.starts_with(static_cast<char>(kind))) CC_TRY(check_version(version, kind));
  if (!decode_footer(tail, version, begin, footer_)) return damaged("its footer does not parse");
  pages_end_ = begin;
  index_.in = &footer_.index;
  index_.items_max = kIndexEntriesPerBlock;
  index_.key_bytes = key_bytes_of(footer_.kind);
  wholes_.in = &footer_.wholes;
  wholes_.items_max = kWholesPerBlock;
  for (uint64_t row = 0; const GroupEntry& group : footer_.groups) {
    first_rows_.push_back(static_cast<uint32_t>(row));
    row += group.rows[0];
  }
  first_rows_.push_back(static_cast<uint32_t>(footer_.rows));
  memory_bytes_ = sizeof(*this) + 4 * length;
  return {};
}

Status SegmentFile::check_version(uint32_t version, SegmentKind kind) const {
  const uint32_t newest = segment_version(kind);
  if (version >= kSegmentVersionMin && version <= newest) return {};
  return Error{Code::unsupported,
               fmt::format("segment {} has format {}; this program knows {} to {}", path_, version, kSegmentVersionMin,
                           newest),
               version > newest ? "use a newer contextcore" : "export the store with the contextcore that made it",
               {},
               {}};
}

size_t SegmentFile::group_of(size_t row) const {
  return static_cast<size_t>(std::upper_bound(first_rows_.begin(), first_rows_.end(), row) -
                             first_rows_.begin()) -
         1;
}

Result<std::string> SegmentFile::read_stored(const PageEntry& entry, const std::string& what) const {
  std::string stored(size_t{entry.stored} + 8, '\0');
  CC_ASSIGN(const size_t got, file_->read_at(entry.offset, stored.data(), entry.stored));
  if (got != entry.stored) return damaged(what + ": the file ends within it");
  const std::string_view bytes = std::string_view(stored).substr(0, entry.stored);
  if (xxh3_64(bytes) != entry.checksum) return damaged(what + ": its checksum does not match");
  return stored;
}

Result<std::string> SegmentFile::read_page(const PageEntry& entry, const std::string& what) const {
  CC_ASSIGN(std::string stored, read_stored(entry, what));
  if (entry.raw == entry.stored) return stored;
  const std::string_view bytes = std::string_view(stored).substr(0, entry.stored);
  std::string raw;
  if (!decompress_page(bytes, entry.raw, raw)) return damaged(what + ": it does not decompress");
  return raw;
}

Result<SegmentFile::Blocks> SegmentFile::blocks_of(const Directory& directory, size_t page) const {
  {
    const std::lock_guard lock(directory.mutex);
    if (directory.blocks != nullptr && directory.page == page) return directory.blocks;
  }
  const BlockEntry& entry = directory.in->pages[page];
  CC_ASSIGN(const std::string bytes, read_page(entry.page, "directory"));
  auto blocks = std::make_shared<std::vector<BlockEntry>>();
  if (!decode_block_entries(std::string_view(bytes).substr(0, entry.page.raw), entry.items,
                            directory.items_max, directory.key_bytes, pages_end_, *blocks)) {
    return damaged("directory: a page that does not parse");
  }
  const std::lock_guard lock(directory.mutex);
  directory.page = page;
  directory.blocks = blocks;
  return Blocks(std::move(blocks));
}

Result<PageEntry> SegmentFile::whole_block(size_t block) const {
  CC_ASSIGN(const Blocks blocks, blocks_of(wholes_, block / kBlocksPerDirectory));
  return (*blocks)[block % kBlocksPerDirectory].page;
}

Result<SegmentFile::WholeRow> SegmentFile::whole_row(size_t row) const {
  CC_ASSIGN(const PageEntry page, whole_block(row / kWholesPerBlock));
  WholeRow whole;
  CC_ASSIGN(whole.bytes, block_of(whole_blocks_, page, "rows"));
  ByteReader block(std::string_view(*whole.bytes).substr(0, page.raw));
  for (size_t skipped = 0; skipped < row % kWholesPerBlock; ++skipped) block.string();
  whole.text = block.string();
  if (!block.ok()) return damaged("a block of rows that does not parse");
  return whole;
}

SegmentFile::KeptBlocks::Bytes SegmentFile::KeptBlocks::find(uint64_t offset) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = newer_.find(offset); found != newer_.end()) return found->second;
  const auto found = older_.find(offset);
  if (found == older_.end()) return nullptr;
  Bytes bytes = std::move(found->second);
  older_.erase(found);
  add(offset, bytes);
  return bytes;
}

void SegmentFile::KeptBlocks::keep(uint64_t offset, const Bytes& bytes) const {
  const std::lock_guard lock(mutex_);
  add(offset, bytes);
}

void SegmentFile::KeptBlocks::add(uint64_t offset, const Bytes& bytes) const {
  if (newer_bytes_ + bytes->size() > kGenerationBytes) {
    older_ = std::exchange(newer_, {});
    newer_bytes_ = 0;
  }
  if (newer_.emplace(offset, bytes).second) newer_bytes_ += bytes->size();
}

Result<SegmentFile::KeptBlocks::Bytes> SegmentFile::block_of(const KeptBlocks& kept, const PageEntry& page,
                                                             const char* what) const {
  if (KeptBlocks::Bytes known = kept.find(page.offset)) return known;
  CC_ASSIGN(std::string bytes, read_page(page, what));
  auto block = std::make_shared<const std::string>(std::move(bytes));
  kept.keep(page.offset, block);
  return KeptBlocks::Bytes(std::move(block));
}

Status SegmentFile::rows_in_block(const BlockEntry& block, const std::string& key,
                                  std::vector<uint32_t>& rows) const {
  const size_t entry_bytes = key.size() + 8;
  CC_ASSIGN(const std::shared_ptr<const std::string> bytes, block_of(index_blocks_, block.page, "index"));
  if (block.page.raw != block.items * entry_bytes)
    return damaged("index: a block of another size than it says");
  const auto entry = [&](uint32_t i) { return std::string_view(*bytes).substr(i * entry_bytes, entry_bytes); };
  // Most files have nothing of an id, so finding that out has to be cheap.
  const uint64_t wanted = beginning_of(key);
  const auto is_before = [&](std::string_view id) {
    const uint64_t beginning = beginning_of(id);
    return beginning != wanted ? beginning < wanted : id < key;
  };
  uint32_t low = 0, high = block.items;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (is_before(entry(middle).substr(0, key.size()))) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (uint32_t i = low; i < block.items; ++i) {
    ByteReader reader(entry(i));
    if (reader.take(key.size()) != key) break;
    const uint32_t first = reader.u32();
    const uint32_t count = reader.u32();
    if (first > footer_.rows || count > footer_.rows - first ||
        rows.size() + count > footer_.rows) {
      return damaged("index: an entry beyond the last row");
    }
    for (uint32_t row = first; row < first + count; ++row) rows.push_back(row);
  }
  return {};
}

Result<std::vector<uint32_t>> SegmentFile::rows_of(const std::string& key) const {
  std::vector<uint32_t> rows;
  // Entries of one id may begin in the block before the first that starts with it.
  const auto from = [&key](const std::vector<BlockEntry>& entries) {
    const auto found = std::lower_bound(
        entries.begin(), entries.end(), key,
        [](const BlockEntry& entry, const std::string& id) { return entry.first_key < id; });
    return static_cast<size_t>(found - entries.begin()) - (found != entries.begin() ? 1 : 0);
  };
  const std::vector<BlockEntry>& pages = footer_.index.pages;
  for (size_t page = from(pages); page < pages.size() && pages[page].first_key <= key; ++page) {
    CC_ASSIGN(const Blocks blocks, blocks_of(index_, page));
    for (size_t block = from(*blocks); block < blocks->size() && (*blocks)[block].first_key <= key;
         ++block) {
      CC_TRY(rows_in_block((*blocks)[block], key, rows));
    }
  }
  return rows;
}

// ---- SegmentGroup
// --------------------------------------------------------------------------------

SegmentGroup::SegmentGroup(std::shared_ptr<const SegmentFile> file, size_t group)
    : file_(std::move(file)),
      group_(group),
      fixed_pages_(fixed_columns_of(file_->footer().kind), -1) {
  const GroupEntry& pages = entry();
  for (size_t i = 0; i < pages.fixed.size(); ++i)
    fixed_pages_[pages.fixed[i].column] = static_cast<int16_t>(i);
  slot_count_ = pages.fixed.size();
  for (size_t table = 0; table < kTablesMax; ++table) {
    first_slots_[table] = slot_count_;
    slot_count_ += pages.attributes[table].size();
  }
  slots_ = std::make_unique<std::atomic<const Page*>[]>(slot_count_);
}

SegmentGroup::~SegmentGroup() {
  for (size_t i = 0; i < slot_count_; ++i) delete slots_[i].load();
  for (const auto& begins : begins_) delete begins.load();
}

Error SegmentGroup::damaged(const std::string& what) const {
  return file_->damaged(fmt::format("row group {} (rows {} to {}): {}", group_,
                                    file_->first_row(group_),
                                    file_->first_row(group_) + rows(0) - 1, what));
}

Result<ColumnView> SegmentGroup::view_of(std::atomic<const Page*>& slot, const PageEntry& entry,
                                         ColumnType type, size_t rows, std::string_view table,
                                         std::string_view name) const {
  if (const Page* page = slot.load(std::memory_order_acquire)) return page->view();
  const auto what = [&] {
    return fmt::format("row group {} (from row {}), column {}{}", group_, file_->first_row(group_),
                       table, name);
  };
  Result<std::string> bytes = file_->read_page(entry, {});
  if (!bytes.ok() && bytes.error().code == Code::corruption)
    bytes = file_->read_page(entry, what());
  if (!bytes.ok()) return std::move(bytes).error();
  auto page = std::make_unique<Page>();
  if (!Page::decode(std::string_view(*bytes).substr(0, entry.raw), type, rows, *page)) {
    return file_->damaged(what() + ": it does not decode");
  }
  const Page* expected = nullptr;
  if (!slot.compare_exchange_strong(expected, page.get())) return expected->view();
  SegmentCache::shared().grew(*this, page->memory_bytes());
  return page.release()->view();
}

Result<ColumnView> SegmentGroup::fixed(size_t column) const {
  const FixedColumn& known = fixed_column(file_->footer().kind, column);
  const int16_t index = fixed_pages_[column];
  if (index < 0) {
    ColumnView empty;
    empty.type = known.type;
    return empty;
  }
  const auto at = static_cast<size_t>(index);
  return view_of(slots_[at], entry().fixed[at].page, known.type, rows(known.table), {}, known.name);
}

Zone SegmentGroup::fixed_zone(size_t column) const {
  const int16_t index = fixed_pages_[column];
  return index < 0 ? Zone{} : entry().fixed[static_cast<size_t>(index)].page.zone;
}

ColumnSource::AttributeInfo SegmentGroup::attribute_info(size_t table, size_t index) const {
  const SegmentAttribute& attribute =
      file_->footer().attributes[entry().attributes[table][index].attribute];
  return {attribute.key, attribute.type};
}

Result<ColumnView> SegmentGroup::attribute(size_t table, size_t index) const {
  const AttributeInfo info = attribute_info(table, index);
  return view_of(slots_[first_slots_[table] + index], entry().attributes[table][index].page,
                 info.type, rows(table), attribute_prefix(file_->footer().kind, table), info.key);
}

Zone SegmentGroup::attribute_zone(size_t table, size_t index) const {
  return entry().attributes[table][index].page.zone;
}

Result<const uint32_t*> SegmentGroup::child_begins(size_t table) const {
  if (const auto* begins = begins_[table].load(std::memory_order_acquire)) return begins->data();
  const SpanColumn column = table == kEventTable ? SpanColumn::event_count : SpanColumn::link_count;
  CC_ASSIGN(const ColumnView counts, fixed(static_cast<size_t>(column)));
  auto begins = std::make_unique<std::vector<uint32_t>>(rows(0) + 1);
  uint64_t total = 0;
  for (size_t row = 0; row < rows(0); ++row) {
    (*begins)[row] = static_cast<uint32_t>(total);
    const uint64_t count = counts.number_of(row);
    if (count > rows(table) - total) return damaged("more events or links than there are");
    total += count;
  }
  (*begins)[rows(0)] = static_cast<uint32_t>(total);
  if (total != rows(table)) return damaged("fewer events or links than there are");
  const std::vector<uint32_t>* expected = nullptr;
  if (!begins_[table].compare_exchange_strong(expected, begins.get())) return expected->data();
  return begins.release()->data();
}

}  // namespace contextcore::store
