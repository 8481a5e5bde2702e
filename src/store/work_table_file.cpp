#include "store/work_table_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "store/column_value.h"
#include "store/read_failures.h"
#include "store/rows_spans.h"
#include "store/work_row_codec.h"

namespace contextcore::store {
namespace {

constexpr size_t kBlocksPerRead = 64;
// A command looks for fewer, so that it pays for no filter.
constexpr uint64_t kMissesBeforeFilter = 256;
constexpr size_t kBlocksPerMiss = 8;

uint64_t u64_at(std::string_view bytes, size_t offset) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}
uint64_t id_at(std::string_view records, size_t item) {
  return u64_at(records, item * kWorkRecordBytes);
}

size_t item_bytes_min(WorkSection section) {
  switch (section) {
    case WorkSection::rows:
      return kWorkRecordBytes;
    case WorkSection::children:
    case WorkSection::dependents:
      return sizeof(WorkPair);
    case WorkSection::keys:
      return kWorkKeyBytes;
    case WorkSection::texts:
      return 1;
  }
  return 1;
}

Error damaged_file(const std::string& path, const std::string& what) {
  return {Code::corruption,
          fmt::format("work table {}: {}", path, what),
          "it is a cache: remove the file while nobody has the store open, and opening makes it anew",
          {},
          {}};
}

Result<std::string> read_exactly(const File& file, uint64_t offset, size_t length,
                                 const std::string& path) {
  std::string bytes(length, '\0');
  CC_ASSIGN(const size_t got, file.read_at(offset, bytes.data(), length));
  if (got != length) return damaged_file(path, "it ends too early");
  return bytes;
}

}  // namespace

Result<std::shared_ptr<const WorkTableFile>> WorkTableFile::open(FileSystem& files,
                                                                 const std::string& path) {
  auto table = std::make_shared<WorkTableFile>();
  table->path_ = path;
  CC_ASSIGN(table->file_, files.open(path, OpenMode::read));
  CC_ASSIGN(const uint64_t size, table->file_->size());
  if (size < kWorkHeaderBytes + kWorkTrailerBytes) return damaged_file(path, "it is too short to be one");
  CC_ASSIGN(const std::string trailer,
            read_exactly(*table->file_, size - kWorkTrailerBytes, kWorkTrailerBytes, path));
  ByteReader reader(trailer);
  const uint64_t rows = reader.u64();
  const uint64_t offset = reader.u64();
  const uint32_t length = reader.u32();
  const uint32_t version = reader.u32();
  const uint64_t checksum = reader.u64();
  if (reader.take(8) != kWorkMagic) return damaged_file(path, "its end is not that of a work table");
  if (version > kWorkVersion) {
    return Error{
        Code::unsupported,
        fmt::format("work table {} has format {}; this program knows {}", path, version, kWorkVersion),
        "use a newer contextcore",
        {},
        {}};
  }
  if (version < kWorkVersionOldest) return damaged_file(path, "its format is no longer read");
  if (offset < kWorkHeaderBytes || offset > size || length != size - kWorkTrailerBytes - offset) {
    return damaged_file(path, "its directory lies outside the file");
  }
  CC_ASSIGN(const std::string directory, read_exactly(*table->file_, offset, length, path));
  if (xxh3_64(directory, rows) != checksum)
    return damaged_file(path, "the checksum of its directory does not match");
  table->row_count_ = rows;
  table->version_ = version;
  CC_TRY(table->read_directory(directory, offset));
  return std::shared_ptr<const WorkTableFile>(std::move(table));
}

Status WorkTableFile::read_directory(const std::string& directory, uint64_t directory_offset) {
  ByteReader reader(directory);
  uint64_t offset = kWorkHeaderBytes;
  uint64_t rows = 0;
  const size_t sections = version_ < kWorkVersion ? kWorkSectionsV3 : kWorkSections;
  for (size_t number = 0; number < sections; ++number) {
    const auto section = static_cast<WorkSection>(number);
    const uint32_t count = reader.u32();
    if (count > reader.rest().size() / kWorkEntryBytes)
      return damaged_file(path_, "its directory is too short");
    entries_[number].resize(count);
    for (Entry& entry : entries_[number]) {
      entry.first.key = reader.u64();
      entry.first.value = reader.u64();
      entry.length = reader.u32();
      entry.items = reader.u32();
      entry.checksum = reader.u64();
      entry.offset = offset;
      offset += entry.length;
      if (entry.items == 0 || entry.length > kWorkBlockBytesMax ||
          entry.items > entry.length / item_bytes_min(section)) {
        return damaged_file(path_, "its directory has an impossible block");
      }
      if (section == WorkSection::rows) rows += entry.items;
    }
    blocks_[number] = std::make_unique<std::atomic<const Block*>[]>(count);
  }
  if (!reader.ok() || !reader.at_end() || offset != directory_offset || rows != row_count_ ||
      entries(WorkSection::texts).size() > 1) {
    return damaged_file(path_, "its directory does not add up");
  }
  return {};
}

WorkTableFile::~WorkTableFile() {
  delete filter_.load();
  for (size_t section = 0; section < kWorkSections; ++section) {
    for (size_t i = 0; i < entries_[section].size(); ++i) {
      if (blocks_[section] != nullptr) delete blocks_[section][i].load();
    }
  }
}

Error WorkTableFile::damaged(WorkSection section, size_t index, const std::string& what) const {
  static constexpr const char* kNames[kWorkSections] = {"rows", "children", "dependents", "keys",
                                                        "texts"};
  return damaged_file(
      path_, fmt::format("block {} of {}: {}", index, kNames[static_cast<size_t>(section)], what));
}

void WorkTableFile::keep(Error error) const {
  const std::lock_guard lock(mutex_);
  if (!status_.ok()) return;
  status_ = std::move(error);
  ReadFailures::note(status_);
}

Status WorkTableFile::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

Result<std::unique_ptr<WorkTableFile::Block>> WorkTableFile::decode(
    WorkSection section, size_t index, const std::shared_ptr<const std::string>& read,
    std::string_view bytes) const {
  const Entry& entry = entries(section)[index];
  if (xxh3_64(bytes) != entry.checksum)
    return damaged(section, index, "its checksum does not match");
  auto block = std::make_unique<Block>(section == WorkSection::rows ? entry.items : 0);
  block->read = read;
  block->bytes = bytes;
  switch (section) {
    case WorkSection::rows:
      for (size_t i = 1; i < entry.items; ++i) {
        if (id_at(bytes, i) <= id_at(bytes, i - 1)) {
          return damaged(section, index, "its rows are out of order");
        }
      }
      break;
    case WorkSection::children:
    case WorkSection::dependents: {
      block->pairs.resize(entry.items);
      ByteReader reader(bytes);
      for (WorkPair& pair : block->pairs) {
        pair.key = reader.u64();
        pair.value = reader.u64();
      }
      if (!std::is_sorted(block->pairs.begin(), block->pairs.end())) {
        return damaged(section, index, "its pairs are out of order");
      }
      break;
    }
    case WorkSection::keys:
      break;
    case WorkSection::texts:
      if (!read_work_texts(bytes, block->texts) || block->texts.size() != entry.items) {
        return damaged(section, index, "its texts do not parse");
      }
      break;
  }
  return block;
}

void WorkTableFile::load(WorkSection section, size_t index, size_t count) const {
  const std::vector<Entry>& all = entries(section);
  const uint64_t begin = all[index].offset;
  const Entry& last = all[index + count - 1];
  Result<std::string> bytes = read_exactly(*file_, begin, last.offset + last.length - begin, path_);
  if (!bytes.ok()) {
    keep(bytes.error());
    return;
  }
  const auto read = std::make_shared<const std::string>(std::move(bytes).value());
  for (size_t i = index; i < index + count; ++i) {
    const std::string_view slice =
        std::string_view(*read).substr(all[i].offset - begin, all[i].length);
    Result<std::unique_ptr<Block>> block = decode(section, i, read, slice);
    if (!block.ok()) {
      keep(std::move(block).error());
      continue;
    }
    const Block* expected = nullptr;
    // Whoever comes first stays: pointers to its rows may be out.
    if (blocks_[static_cast<size_t>(section)][i].compare_exchange_strong(expected, block->get()))
      block->release();
  }
}

const WorkTableFile::Block* WorkTableFile::block(WorkSection section, size_t index,
                                                 size_t ahead) const {
  const auto& slot = blocks_[static_cast<size_t>(section)][index];
  if (const Block* block = slot.load(std::memory_order_acquire)) return block;
  load(section, index, std::min(ahead, entries(section).size() - index));
  return slot.load(std::memory_order_acquire);
}

namespace {

// How many of the ascending keys are not above `key`. Ids are random numbers, so that where one lies between two others
// says about where it is; where they are not, halving bounds the steps.
template <typename KeyAt>
size_t count_up_to(size_t count, uint64_t key, const KeyAt& key_at) {
  size_t low = 0, high = count;
  for (bool guess = true; low < high; guess = !guess) {
    size_t at = (low + high) / 2;
    if (guess && high - low > 4) {
      const uint64_t first = key_at(low), last = key_at(high - 1);
      if (key < first) return low;
      if (key >= last) return high;
      const double share = static_cast<double>(key - first) / static_cast<double>(last - first);
      at = std::min(high - 1, low + static_cast<size_t>(share * static_cast<double>(high - 1 - low)));
    }
    if (key_at(at) <= key) {
      low = at + 1;
    } else {
      high = at;
    }
  }
  return low;
}

}  // namespace

WorkTableFile::Found WorkTableFile::locate(uint64_t id) const {
  if (const LineFilter* filter = filter_.load(std::memory_order_acquire)) {
    return filter->passes(id) ? search(id) : Found();
  }
  const Found found = search(id);
  if (found.block == nullptr) missed();
  return found;
}

void WorkTableFile::missed() const {
  if (misses_.fetch_add(1, std::memory_order_relaxed) < kMissesBeforeFilter) return;
  const std::unique_lock lock(filter_mutex_, std::try_to_lock);
  const size_t blocks = entries(WorkSection::rows).size();
  if (!lock || next_block_ > blocks) return;
  // As if for twice as many: one of some thousands passes by chance, so that few blocks are read and kept for nothing.
  if (next_filter_ == nullptr) next_filter_ = std::make_unique<LineFilter>(LineFilter::for_entries(2 * row_count_));
  const size_t end = std::min(blocks, next_block_ + kBlocksPerMiss);
  while (next_block_ < end && add_to_filter(next_block_)) ++next_block_;
  if (next_block_ < end) {  // one cannot be read: who asks for its rows is told
    next_filter_ = nullptr;
    next_block_ = blocks + 1;
  } else if (end == blocks) {
    filter_.store(next_filter_.release(), std::memory_order_release);
    next_block_ = blocks + 1;
  }
}

// Keeps no block that nobody has asked for.
bool WorkTableFile::add_to_filter(size_t index) const {
  const Entry& entry = entries(WorkSection::rows)[index];
  const auto add = [&](std::string_view bytes) {
    for (size_t item = 0; item < entry.items; ++item) next_filter_->add(id_at(bytes, item));
    return true;
  };
  const auto& slot = blocks_[static_cast<size_t>(WorkSection::rows)][index];
  if (const Block* block = slot.load(std::memory_order_acquire)) return add(block->bytes);
  const Result<std::string> bytes = read_exactly(*file_, entry.offset, entry.length, path_);
  return bytes.ok() && xxh3_64(*bytes) == entry.checksum && add(*bytes);
}

WorkTableFile::Found WorkTableFile::search(uint64_t id) const {
  const std::vector<Entry>& blocks = entries(WorkSection::rows);
  const size_t up_to = count_up_to(blocks.size(), id, [&](size_t i) { return blocks[i].first.key; });
  if (up_to == 0) return {};
  const Block* rows = block(WorkSection::rows, up_to - 1);
  if (rows == nullptr) return {};
  const size_t items = count_up_to(rows->decoded.size(), id, [&](size_t i) { return id_at(rows->bytes, i); });
  if (items == 0 || id_at(rows->bytes, items - 1) != id) return {};
  return {up_to - 1, items - 1, rows};
}

const WorkRow* WorkTableFile::find(uint64_t id) const {
  const Found found = locate(id);
  return found.block != nullptr ? row_at(found.index, *found.block, found.item) : nullptr;
}

bool WorkTableFile::contains(uint64_t id) const { return locate(id).block != nullptr; }

const WorkRow* WorkTableFile::row_at(size_t index, const Block& block, size_t item) const {
  std::atomic<const WorkRow*>& slot = block.decoded[item];
  if (const WorkRow* row = slot.load(std::memory_order_acquire)) return row;
  auto row = std::make_unique<WorkRow>();
  const std::string_view bytes = block.bytes;
  if (!read_work_row(bytes.substr(item * kWorkRecordBytes, kWorkRecordBytes),
                     bytes.substr(block.decoded.size() * kWorkRecordBytes), *row)) {
    keep(damaged(WorkSection::rows, index, fmt::format("row {} does not parse", item)));
    return nullptr;
  }
  const WorkRow* expected = nullptr;
  // Whoever comes first stays: pointers to it may be out.
  return slot.compare_exchange_strong(expected, row.get()) ? row.release() : expected;
}

uint64_t WorkTableFile::Cursor::id() const { return id_at(rows_->bytes, item_); }

bool WorkTableFile::Cursor::accepted_by(const WorkFilter& filter) const {
  const std::string_view record = rows_->bytes.substr(item_ * kWorkRecordBytes, kWorkRecordBytes);
  return filter.accepts(static_cast<WorkKind>(record[kWorkKindAt]),
                        static_cast<int64_t>(u64_at(record, kWorkEndAt)));
}

const WorkRow* WorkTableFile::Cursor::row() const { return file_.row_at(block_, *rows_, item_); }

void WorkTableFile::Cursor::advance() {
  if (++item_ < rows_->decoded.size()) return;
  ++block_;
  item_ = 0;
  settle();
}

void WorkTableFile::Cursor::settle() {
  rows_ = nullptr;
  const size_t count = file_.entries(WorkSection::rows).size();
  for (; block_ < count && rows_ == nullptr; block_ += rows_ == nullptr ? 1 : 0) {
    rows_ = file_.block(WorkSection::rows, block_, kBlocksPerRead);
  }
}

void WorkTableFile::scan_keys(const WorkFilter& filter,
                              const std::function<bool(const WorkKey&)>& fn) const {
  if (version_ < kWorkVersion) {
    for (Cursor at(*this); !at.done(); at.advance()) {
      const WorkRow* row = at.accepted_by(filter) ? at.row() : nullptr;
      if (row == nullptr || !has_key(row->kind)) continue;
      const WorkKey key = WorkKey::of(*row);
      if (filter.accepts(key) && !fn(key)) return;
    }
    return;
  }
  const std::vector<Entry>& groups = entries(WorkSection::keys);
  if (groups.empty()) return;
  const Block* texts = entries(WorkSection::texts).empty() ? nullptr : block(WorkSection::texts, 0);
  if (texts == nullptr) {
    keep(damaged(WorkSection::texts, 0, "there are keys, and no texts for them"));
    return;
  }
  const auto wanted = [&](const Entry& entry) {
    const WorkKeyGroup group = WorkKeyGroup::unpack(entry.first.key);
    if (!filter.accepts(group.kind, group.open ? 0 : 1)) return false;
    return filter.project.empty() || group.project >= texts->texts.size() ||
           texts->texts[group.project] == filter.project;
  };
  for (size_t i = 0; i < groups.size(); ++i) {
    if (!wanted(groups[i])) continue;
    size_t ahead = 1;
    while (ahead < kBlocksPerRead && i + ahead < groups.size() && wanted(groups[i + ahead])) ++ahead;
    const Block* keys = block(WorkSection::keys, i, ahead);
    if (keys != nullptr && !scan_block_keys(i, *keys, texts->texts, fn)) return;
  }
}

const std::vector<uint64_t>& WorkTableFile::hiding(const std::function<bool(const WorkKey&)>& hides) const {
  std::call_once(hiding_once_, [&] {
    scan_keys(WorkFilter{}, [&](const WorkKey& key) {
      if (hides(key)) hiding_.push_back(number_of(key.span_id));
      return true;
    });
  });
  return hiding_;
}

bool WorkTableFile::scan_block_keys(size_t index, const Block& keys,
                                    const std::vector<std::string_view>& texts,
                                    const std::function<bool(const WorkKey&)>& fn) const {
  const size_t items = entries(WorkSection::keys)[index].items;
  WorkKey key;
  for (size_t item = 0; item < items; ++item) {
    if (!read_work_key(keys.bytes, items, item, texts, key)) {
      keep(damaged(WorkSection::keys, index, fmt::format("key {} does not parse", item)));
      return true;
    }
    if (!fn(key)) return false;
  }
  return true;
}

std::vector<uint64_t> WorkTableFile::values_of(WorkSection section, uint64_t key) const {
  const std::vector<Entry>& all = entries(section);
  const WorkPair from{key, 0};
  auto entry =
      std::upper_bound(all.begin(), all.end(), from,
                       [](const WorkPair& pair, const Entry& e) { return pair < e.first; });
  if (entry != all.begin()) --entry;
  std::vector<uint64_t> values;
  for (; entry != all.end() && entry->first.key <= key; ++entry) {
    const Block* pairs = block(section, static_cast<size_t>(entry - all.begin()));
    if (pairs == nullptr) continue;
    for (auto at = std::lower_bound(pairs->pairs.begin(), pairs->pairs.end(), from);
         at != pairs->pairs.end() && at->key == key; ++at) {
      values.push_back(at->value);
    }
  }
  return values;
}

Status WorkTableFile::verify() const {
  for (size_t section = 0; section < kWorkSections; ++section) {
    for (size_t i = 0; i < entries_[section].size(); ++i) {
      CC_TRY(verify_block(static_cast<WorkSection>(section), i));
    }
  }
  // Keys are read with their texts.
  scan_keys(WorkFilter{}, [](const WorkKey&) { return true; });
  return status();
}

std::vector<Error> WorkTableFile::damages(uint64_t& blocks) const {
  std::vector<Error> found;
  for (size_t section = 0; section < kWorkSections; ++section) {
    for (size_t i = 0; i < entries_[section].size(); ++i) {
      ++blocks;
      const Status status = verify_block(static_cast<WorkSection>(section), i);
      if (!status.ok()) found.push_back(status.error());
    }
  }
  if (!found.empty()) return found;
  scan_keys(WorkFilter{}, [](const WorkKey&) { return true; });
  if (const Status keys = status(); !keys.ok()) found.push_back(keys.error());
  return found;
}

// Read anew: what is kept may be older than the damage.
Status WorkTableFile::verify_block(WorkSection section, size_t index) const {
  const Entry& entry = entries(section)[index];
  CC_ASSIGN(std::string bytes, read_exactly(*file_, entry.offset, entry.length, path_));
  const auto read = std::make_shared<const std::string>(std::move(bytes));
  CC_ASSIGN(const std::unique_ptr<Block> decoded, decode(section, index, read, *read));
  for (size_t item = 0; item < decoded->decoded.size(); ++item) {
    if (row_at(index, *decoded, item) == nullptr) return status();
  }
  return {};
}

}  // namespace contextcore::store
