#include "store/work_table_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/hash.h"
#include "store/column_value.h"
#include "store/rows_spans.h"

namespace contextcore::store {
namespace {

constexpr std::string_view kMagic{"CCWORKT\n", 8};
constexpr uint32_t kVersion = 3;
constexpr size_t kHeaderBytes = 16, kTrailerBytes = 40, kEntryBytes = 32, kRecordBytes = 120;
constexpr size_t kKindAt = 32, kEndAt = 64;  // in a record
constexpr size_t kBlockBytes = 4096, kPairsPerBlock = 256;
constexpr uint8_t kNotTallied = 0, kNothingBelow = 1, kTallied = 2;
constexpr uint32_t kBlockBytesMax = 64u << 20;
constexpr size_t kBlocksPerRead = 64;

void append_record(const WorkRow& row, uint32_t heap_offset, uint32_t heap_length,
                   std::string& out) {
  append_u64(number_of(row.span_id), out);
  out.append(bytes_of(row.trace_id));
  append_u64(number_of(row.parent_span_id), out);
  out += static_cast<char>(row.kind);
  out += static_cast<char>(row.status);
  out += static_cast<char>(row.priority);
  out += static_cast<char>(row.flags);
  append_u32(static_cast<uint32_t>(row.child_count), out);
  append_u32(static_cast<uint32_t>(row.open_child_count), out);
  append_u32(static_cast<uint32_t>(row.waiting_count), out);
  for (const int64_t number : {row.revision, row.start_ns, row.end_ns, row.updated_ns, row.due_ns,
                               row.defer_until_ns, row.claim_token, row.lease_end_ns}) {
    append_u64(static_cast<uint64_t>(number), out);
  }
  append_u32(heap_offset, out);
  append_u32(heap_length, out);
}

void append_heap(const WorkRow& row, std::string& out) {
  for (const std::string* text :
       {&row.id, &row.project, &row.type, &row.assignee, &row.claimed_by, &row.claim_session}) {
    append_string(*text, out);
  }
  append_varint(row.depends_on.size(), out);
  for (const WorkEdge& edge : row.depends_on) {
    append_u64(number_of(edge.target), out);
    out += static_cast<char>(edge.when);
  }
  append_varint(static_cast<uint32_t>(row.heartbeats), out);
  append_varint(static_cast<uint64_t>(row.points), out);
  append_string(row.sprint, out);
  append_string(row.status_name, out);
  const bool told = row.tallied && !(row.below == WorkTally());
  out += static_cast<char>(!row.tallied ? kNotTallied : told ? kTallied : kNothingBelow);
  if (!told) return;
  std::apply([&](const auto&... sum) { (append_varint(static_cast<uint64_t>(sum), out), ...); },
             WorkTally::fields(row.below));
}

uint64_t u64_at(std::string_view bytes, size_t offset) {
  return ByteReader(bytes.substr(offset, 8)).u64();
}
uint64_t id_at(std::string_view records, size_t item) {
  return u64_at(records, item * kRecordBytes);
}

bool read_row(std::string_view record, std::string_view heap, WorkRow& row) {
  ByteReader reader(record);
  row.span_id = span_id_of(reader.u64());
  row.trace_id = trace_id_of(reader.take(16));
  row.parent_span_id = span_id_of(reader.u64());
  row.kind = static_cast<WorkKind>(reader.u8());
  row.status = reader.u8();
  row.priority = reader.u8();
  row.flags = reader.u8();
  row.child_count = static_cast<int32_t>(reader.u32());
  row.open_child_count = static_cast<int32_t>(reader.u32());
  row.waiting_count = static_cast<int32_t>(reader.u32());
  for (int64_t* number : {&row.revision, &row.start_ns, &row.end_ns, &row.updated_ns, &row.due_ns,
                          &row.defer_until_ns, &row.claim_token, &row.lease_end_ns}) {
    *number = static_cast<int64_t>(reader.u64());
  }
  const uint32_t offset = reader.u32();
  const uint32_t length = reader.u32();
  if (!reader.ok() || offset > heap.size() || length > heap.size() - offset) return false;
  ByteReader rest(heap.substr(offset, length));
  for (std::string* text :
       {&row.id, &row.project, &row.type, &row.assignee, &row.claimed_by, &row.claim_session}) {
    *text = rest.string();
  }
  const uint64_t edges = rest.count(9);
  for (uint64_t i = 0; i < edges; ++i) {
    WorkEdge& edge = row.depends_on.emplace_back();
    edge.target = span_id_of(rest.u64());
    edge.when = rest.u8();
  }
  if (rest.ok() && rest.at_end()) return true;  // version 1 ends here
  row.heartbeats = static_cast<int32_t>(rest.varint());
  row.points = static_cast<int64_t>(rest.varint());
  row.sprint = rest.string();
  row.status_name = rest.string();
  if (rest.ok() && rest.at_end()) return true;  // version 2 ends here
  const uint8_t tallied = rest.u8();
  row.tallied = tallied != kNotTallied;
  if (tallied == kTallied) {
    std::apply([&](auto&... sum) { ((sum = static_cast<int64_t>(rest.varint())), ...); },
               WorkTally::fields(row.below));
  }
  return rest.ok() && rest.at_end() && tallied <= kTallied;
}

Error damaged_file(const std::string& path, const std::string& what) {
  return {Code::corruption,
          fmt::format("work table {}: {}", path, what),
          "it is a cache; rebuild it from the log",
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
  if (size < kHeaderBytes + kTrailerBytes) return damaged_file(path, "it is too short to be one");
  CC_ASSIGN(const std::string trailer,
            read_exactly(*table->file_, size - kTrailerBytes, kTrailerBytes, path));
  ByteReader reader(trailer);
  const uint64_t rows = reader.u64();
  const uint64_t offset = reader.u64();
  const uint32_t length = reader.u32();
  const uint32_t version = reader.u32();
  const uint64_t checksum = reader.u64();
  if (reader.take(8) != kMagic) return damaged_file(path, "its end is not that of a work table");
  if (version > kVersion) {
    return Error{
        Code::unsupported,
        fmt::format("work table {} has format {}; this program knows {}", path, version, kVersion),
        "use a newer contextcore",
        {},
        {}};
  }
  if (offset < kHeaderBytes || offset > size || length != size - kTrailerBytes - offset) {
    return damaged_file(path, "its directory lies outside the file");
  }
  CC_ASSIGN(const std::string directory, read_exactly(*table->file_, offset, length, path));
  if (xxh3_64(directory, rows) != checksum)
    return damaged_file(path, "the checksum of its directory does not match");
  table->row_count_ = rows;
  CC_TRY(table->read_directory(directory, offset));
  return std::shared_ptr<const WorkTableFile>(std::move(table));
}

Status WorkTableFile::read_directory(const std::string& directory, uint64_t directory_offset) {
  ByteReader reader(directory);
  uint64_t offset = kHeaderBytes;
  uint64_t rows = 0;
  for (size_t section = 0; section < kSections; ++section) {
    const uint32_t count = reader.u32();
    if (count > reader.rest().size() / kEntryBytes)
      return damaged_file(path_, "its directory is too short");
    entries_[section].resize(count);
    for (Entry& entry : entries_[section]) {
      entry.first.key = reader.u64();
      entry.first.value = reader.u64();
      entry.length = reader.u32();
      entry.items = reader.u32();
      entry.checksum = reader.u64();
      entry.offset = offset;
      offset += entry.length;
      const size_t item_bytes = section == 0 ? kRecordBytes : sizeof(WorkPair);
      if (entry.items == 0 || entry.length > kBlockBytesMax ||
          entry.items > entry.length / item_bytes) {
        return damaged_file(path_, "its directory has an impossible block");
      }
      if (section == 0) rows += entry.items;
    }
    blocks_[section] = std::make_unique<std::atomic<const Block*>[]>(count);
  }
  if (!reader.ok() || !reader.at_end() || offset != directory_offset || rows != row_count_) {
    return damaged_file(path_, "its directory does not add up");
  }
  return {};
}

WorkTableFile::~WorkTableFile() {
  for (size_t section = 0; section < kSections; ++section) {
    for (size_t i = 0; i < entries_[section].size(); ++i) {
      if (blocks_[section] != nullptr) delete blocks_[section][i].load();
    }
  }
}

Error WorkTableFile::damaged(Section section, size_t index, const std::string& what) const {
  static constexpr const char* kNames[kSections] = {"rows", "children", "dependents"};
  return damaged_file(
      path_, fmt::format("block {} of {}: {}", index, kNames[static_cast<size_t>(section)], what));
}

void WorkTableFile::keep(Error error) const {
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = std::move(error);
}

Status WorkTableFile::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

Result<std::unique_ptr<WorkTableFile::Block>> WorkTableFile::decode(
    Section section, size_t index, const std::shared_ptr<const std::string>& read,
    std::string_view bytes) const {
  const Entry& entry = entries_[static_cast<size_t>(section)][index];
  if (xxh3_64(bytes) != entry.checksum)
    return damaged(section, index, "its checksum does not match");
  if (section == Section::rows) {
    auto rows = std::make_unique<Block>(entry.items);
    rows->read = read;
    rows->bytes = bytes;
    for (size_t i = 1; i < entry.items; ++i) {
      if (id_at(bytes, i) <= id_at(bytes, i - 1)) {
        return damaged(section, index, "its rows are out of order");
      }
    }
    return rows;
  }
  auto block = std::make_unique<Block>(0);
  block->pairs.resize(entry.items);
  ByteReader reader(bytes);
  for (WorkPair& pair : block->pairs) {
    pair.key = reader.u64();
    pair.value = reader.u64();
  }
  if (!std::is_sorted(block->pairs.begin(), block->pairs.end())) {
    return damaged(section, index, "its pairs are out of order");
  }
  return block;
}

bool WorkTableFile::load(Section section, size_t index, size_t count) const {
  const std::vector<Entry>& entries = entries_[static_cast<size_t>(section)];
  const uint64_t begin = entries[index].offset;
  const Entry& last = entries[index + count - 1];
  Result<std::string> bytes = read_exactly(*file_, begin, last.offset + last.length - begin, path_);
  if (!bytes.ok()) {
    keep(bytes.error());
    return false;
  }
  const auto read = std::make_shared<const std::string>(std::move(bytes).value());
  bool good = true;
  for (size_t i = index; i < index + count; ++i) {
    const std::string_view slice =
        std::string_view(*read).substr(entries[i].offset - begin, entries[i].length);
    Result<std::unique_ptr<Block>> block = decode(section, i, read, slice);
    if (!block.ok()) {
      keep(std::move(block).error());
      good = false;
      continue;
    }
    const Block* expected = nullptr;
    // Whoever comes first stays: pointers to its rows may be out.
    if (blocks_[static_cast<size_t>(section)][i].compare_exchange_strong(expected, block->get()))
      block->release();
  }
  return good;
}

const WorkTableFile::Block* WorkTableFile::block(Section section, size_t index) const {
  const auto& slot = blocks_[static_cast<size_t>(section)][index];
  if (const Block* block = slot.load(std::memory_order_acquire)) return block;
  load(section, index, 1);
  return slot.load(std::memory_order_acquire);
}

WorkTableFile::Found WorkTableFile::locate(uint64_t id) const {
  const std::vector<Entry>& entries = entries_[0];
  const auto after =
      std::upper_bound(entries.begin(), entries.end(), id,
                       [](uint64_t key, const Entry& entry) { return key < entry.first.key; });
  if (after == entries.begin()) return {};
  const auto index = static_cast<size_t>(after - entries.begin()) - 1;
  const Block* rows = block(Section::rows, index);
  if (rows == nullptr) return {};
  size_t low = 0, high = rows->decoded.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (id_at(rows->bytes, middle) < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == rows->decoded.size() || id_at(rows->bytes, low) != id) return {};
  return {index, low, rows};
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
  if (!read_row(bytes.substr(item * kRecordBytes, kRecordBytes),
                bytes.substr(block.decoded.size() * kRecordBytes), *row)) {
    keep(damaged(Section::rows, index, fmt::format("row {} does not parse", item)));
    return nullptr;
  }
  const WorkRow* expected = nullptr;
  // Whoever comes first stays: pointers to it may be out.
  return slot.compare_exchange_strong(expected, row.get()) ? row.release() : expected;
}

void WorkTableFile::scan(const WorkFilter& filter,
                         const std::function<bool(const WorkRow&)>& fn) const {
  const size_t count = entries_[0].size();
  for (size_t i = 0; i < count; ++i) {
    if (blocks_[0][i].load(std::memory_order_acquire) == nullptr) {
      load(Section::rows, i, std::min(kBlocksPerRead, count - i));
    }
    const Block* rows = blocks_[0][i].load(std::memory_order_acquire);
    if (rows == nullptr) continue;  // damaged; status() says so
    for (size_t item = 0; item < rows->decoded.size(); ++item) {
      const std::string_view record =
          std::string_view(rows->bytes).substr(item * kRecordBytes, kRecordBytes);
      if (!filter.accepts(static_cast<WorkKind>(record[kKindAt]),
                          static_cast<int64_t>(u64_at(record, kEndAt)))) {
        continue;
      }
      const WorkRow* row = row_at(i, *rows, item);
      if (row != nullptr && !fn(*row)) return;
    }
  }
}

std::vector<uint64_t> WorkTableFile::values_of(Section section, uint64_t key) const {
  const std::vector<Entry>& entries = entries_[static_cast<size_t>(section)];
  const WorkPair from{key, 0};
  auto entry =
      std::upper_bound(entries.begin(), entries.end(), from,
                       [](const WorkPair& pair, const Entry& e) { return pair < e.first; });
  if (entry != entries.begin()) --entry;
  std::vector<uint64_t> values;
  for (; entry != entries.end() && entry->first.key <= key; ++entry) {
    const Block* pairs = block(section, static_cast<size_t>(entry - entries.begin()));
    if (pairs == nullptr) continue;
    for (auto at = std::lower_bound(pairs->pairs.begin(), pairs->pairs.end(), from);
         at != pairs->pairs.end() && at->key == key; ++at) {
      values.push_back(at->value);
    }
  }
  return values;
}

Status WorkTableFile::verify() const {
  for (size_t section = 0; section < kSections; ++section) {
    for (size_t i = 0; i < entries_[section].size(); ++i) {
      const Entry& entry = entries_[section][i];
      CC_ASSIGN(std::string bytes, read_exactly(*file_, entry.offset, entry.length, path_));
      const auto read = std::make_shared<const std::string>(std::move(bytes));
      CC_ASSIGN(const std::unique_ptr<Block> decoded,
                decode(static_cast<Section>(section), i, read, *read));
      for (size_t item = 0; item < decoded->decoded.size(); ++item) {
        if (row_at(i, *decoded, item) == nullptr) return status();
      }
    }
  }
  return {};
}

// ---- writing
// -------------------------------------------------------------------------------------

Result<WorkTableWriter> WorkTableWriter::create(FileSystem& files, const std::string& path) {
  CC_ASSIGN(std::unique_ptr<File> file, files.open(path, OpenMode::create));
  CC_TRY(file->truncate(0));
  WorkTableWriter writer(std::move(file));
  std::string header(kMagic);
  append_u32(kVersion, header);
  append_u32(0, header);
  CC_TRY(writer.file_->write_at(0, header));
  writer.offset_ = header.size();
  return writer;
}

Status WorkTableWriter::write_block(WorkPair first, uint32_t items, const std::string& bytes) {
  CC_TRY(file_->write_at(offset_, bytes));
  offset_ += bytes.size();
  append_u64(first.key, section_directory_);
  append_u64(first.value, section_directory_);
  append_u32(static_cast<uint32_t>(bytes.size()), section_directory_);
  append_u32(items, section_directory_);
  append_u64(xxh3_64(bytes), section_directory_);
  ++section_blocks_;
  return {};
}

Status WorkTableWriter::flush_rows() {
  if (items_ == 0) return {};
  CC_TRY(write_block(first_, items_, records_ + heap_));
  records_.clear();
  heap_.clear();
  items_ = 0;
  return {};
}

Status WorkTableWriter::add(const WorkRow& row) {
  const uint64_t id = number_of(row.span_id);
  std::string heap;
  append_heap(row, heap);
  if (heap.size() > kBlockBytesMax / 2) {
    return {Code::invalid_argument, fmt::format("work row {} needs {} bytes; at most {} fit",
                                                row.id, heap.size(), kBlockBytesMax / 2)};
  }
  if (records_.size() + heap_.size() + heap.size() + kRecordBytes > kBlockBytes)
    CC_TRY(flush_rows());
  if (items_ == 0) first_ = {id, 0};
  append_record(row, static_cast<uint32_t>(heap_.size()), static_cast<uint32_t>(heap.size()),
                records_);
  heap_ += heap;
  ++items_;
  ++row_count_;
  if (!row.parent_span_id.empty()) children_.push_back({number_of(row.parent_span_id), id});
  for (const WorkEdge& edge : row.depends_on) dependents_.push_back({number_of(edge.target), id});
  return {};
}

Status WorkTableWriter::write_pairs(std::vector<WorkPair>& pairs) {
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (size_t begin = 0; begin < pairs.size(); begin += kPairsPerBlock) {
    const size_t end = std::min(begin + kPairsPerBlock, pairs.size());
    std::string bytes;
    for (size_t i = begin; i < end; ++i) {
      append_u64(pairs[i].key, bytes);
      append_u64(pairs[i].value, bytes);
    }
    CC_TRY(write_block(pairs[begin], static_cast<uint32_t>(end - begin), bytes));
  }
  return {};
}

Status WorkTableWriter::finish() {
  CC_TRY(flush_rows());
  const auto end_section = [this] {
    append_u32(section_blocks_, directory_);
    directory_ += section_directory_;
    section_directory_.clear();
    section_blocks_ = 0;
  };
  end_section();
  CC_TRY(write_pairs(children_));
  end_section();
  CC_TRY(write_pairs(dependents_));
  end_section();
  std::string end = directory_;
  append_u64(row_count_, end);
  append_u64(offset_, end);
  append_u32(static_cast<uint32_t>(directory_.size()), end);
  append_u32(kVersion, end);
  append_u64(xxh3_64(directory_, row_count_), end);
  end += kMagic;
  CC_TRY(file_->write_at(offset_, end));
  return file_->sync();
}

}  // namespace contextcore::store
