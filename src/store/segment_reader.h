#pragma once
// An open segment file: the footer in memory, everything else read on demand. A SegmentGroup is one
// row group with the columns that were asked for so far; groups live in a cache of the process that
// is bounded in bytes (segment_cache.h). Thread-safe.

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file_system.h"
#include "base/hash.h"
#include "store/column_attributes.h"
#include "store/rows_shared.h"
#include "store/segment_format.h"

namespace contextcore::store {

class SegmentFile {
 public:
  static Result<std::shared_ptr<const SegmentFile>> open(FileSystem& files, const std::string& path,
                                                         SegmentKind kind);
  // Of a file that is open already; path: for messages.
  static Result<std::shared_ptr<const SegmentFile>> open(std::unique_ptr<File> file, const std::string& path,
                                                         SegmentKind kind);

  const SegmentFooter& footer() const { return footer_; }
  const std::string& path() const { return path_; }
  uint64_t number() const { return number_; }  // unique in the process
  uint32_t first_row(size_t group) const { return first_rows_[group]; }
  // REQUIRES: row < footer().rows
  size_t group_of(size_t row) const;
  // The bytes of a page as they lie in the file, followed by 8 zeros; what: for the message of an error.
  Result<std::string> read_stored(const PageEntry& entry, const std::string& what) const;
  // What they stand for, followed by 8 zeros.
  Result<std::string> read_page(const PageEntry& entry, const std::string& what) const;
  Error damaged(const std::string& what) const;
  // The entry of a block of whole rows. REQUIRES: block < footer().wholes.blocks
  Result<PageEntry> whole_block(size_t block) const;
  // A row as it was written whole; bytes: what text points into.
  struct WholeRow {
    std::string_view text;
    std::shared_ptr<const std::string> bytes;
  };
  // REQUIRES: row < footer().rows, and the file has whole rows
  Result<WholeRow> whole_row(size_t row) const;
  // The entries of one page of a directory, for who reads all of a file.
  Result<std::shared_ptr<const std::vector<BlockEntry>>> index_page(size_t page) const {
    return blocks_of(index_, page);
  }
  Result<std::shared_ptr<const std::vector<BlockEntry>>> wholes_page(size_t page) const {
    return blocks_of(wholes_, page);
  }
  // Rows of an id of the index, ascending.
  Result<std::vector<uint32_t>> rows_of(const std::string& key) const;
  uint64_t memory_bytes() const { return memory_bytes_; }

 private:
  using Blocks = std::shared_ptr<const std::vector<BlockEntry>>;
  // The entries of one page of a directory; the page read last is kept.
  struct Directory {
    const BlockDirectory* in = nullptr;
    uint32_t items_max = 0;
    size_t key_bytes = 0;
    mutable std::mutex mutex;
    mutable size_t page = 0;
    mutable Blocks blocks;
  };
  Result<Blocks> blocks_of(const Directory& directory, size_t page) const;
  Status rows_in_block(const BlockEntry& block, const std::string& key,
                       std::vector<uint32_t>& rows) const;
  // Blocks that were read last: ids and rows are looked for again and again, of several traces in turn.
  class KeptBlocks {
   public:
    using Bytes = std::shared_ptr<const std::string>;
    // nullptr: it is not here.
    Bytes find(uint64_t offset) const;
    void keep(uint64_t offset, const Bytes& bytes) const;

   private:
    // Two such generations: what is still looked for goes on to the newer one, and the older one goes as a whole.
    static constexpr size_t kGenerationBytes = 256u << 10;
    using Generation = std::unordered_map<uint64_t, Bytes>;
    void add(uint64_t offset, const Bytes& bytes) const;  // REQUIRES: mutex_ held
    mutable std::mutex mutex_;
    mutable Generation newer_, older_;
    mutable size_t newer_bytes_ = 0;
  };
  Result<KeptBlocks::Bytes> block_of(const KeptBlocks& kept, const PageEntry& page, const char* what) const;

  Status read_footer(SegmentKind kind);
  Status check_version(uint32_t version, SegmentKind kind) const;
  std::string path_;
  std::unique_ptr<File> file_;
  uint64_t number_ = 0, memory_bytes_ = 0;
  SegmentFooter footer_;
  uint64_t pages_end_ = 0;
  Directory index_, wholes_;
  KeptBlocks index_blocks_, whole_blocks_;
  std::vector<uint32_t> first_rows_;  // and, last, the number of rows
};

class SegmentGroup : public ColumnSource {
 public:
  SegmentGroup(std::shared_ptr<const SegmentFile> file, size_t group);
  ~SegmentGroup() override;
  SegmentGroup(const SegmentGroup&) = delete;
  SegmentGroup& operator=(const SegmentGroup&) = delete;

  size_t rows(size_t table) const override { return entry().rows[table]; }
  Result<const uint32_t*> child_begins(size_t table) const override;
  Result<ColumnView> fixed(size_t column) const override;
  Zone fixed_zone(size_t column) const override;
  size_t attribute_count(size_t table) const override { return entry().attributes[table].size(); }
  AttributeInfo attribute_info(size_t table, size_t index) const override;
  Result<ColumnView> attribute(size_t table, size_t index) const override;
  Zone attribute_zone(size_t table, size_t index) const override;
  Error damaged(const std::string& what) const override;
  const SegmentGroup* in_segment() const override { return this; }

  const SegmentFile& file() const { return *file_; }
  size_t number() const { return group_; }

 private:
  friend class SegmentCache;
  const GroupEntry& entry() const { return file_->footer().groups[group_]; }
  Result<ColumnView> view_of(std::atomic<const Page*>& slot, const PageEntry& page, ColumnType type,
                             size_t rows, std::string_view table, std::string_view name) const;

  std::shared_ptr<const SegmentFile> file_;
  size_t group_;
  std::vector<int16_t> fixed_pages_;  // by column: index into entry().fixed, or -1
  // One slot per page: the fixed ones, then table after table.
  std::unique_ptr<std::atomic<const Page*>[]> slots_;
  size_t slot_count_ = 0;
  std::array<size_t, kTablesMax> first_slots_{};
  mutable std::array<std::atomic<const std::vector<uint32_t>*>, kTablesMax> begins_{};
  mutable uint64_t cached_bytes_ = 0;  // guarded by the cache
  mutable bool cached_ = false;
};

// The resources or scopes of a segment, decoded a block at a time and kept.
template <typename T>
class SegmentObjects {
 public:
  SegmentObjects(const SegmentFile& file, const std::vector<BlockEntry>& blocks, const char* what)
      : file_(file), blocks_(blocks), what_(what), loaded_(blocks.size()) {}

  size_t size() const {
    return blocks_.empty() ? 0 : (blocks_.size() - 1) * kObjectsPerBlock + blocks_.back().items;
  }
  Result<std::shared_ptr<const T>> at(uint64_t number) const {
    if (number >= size()) return file_.damaged(std::string("a row that names no ") + what_);
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<const T>>& block = loaded_[number / kObjectsPerBlock];
    if (block.empty()) CC_TRY(load(number / kObjectsPerBlock, block));
    return block[number % kObjectsPerBlock];
  }

 private:
  Status load(size_t index, std::vector<std::shared_ptr<const T>>& out) const {
    CC_ASSIGN(const std::string bytes, file_.read_page(blocks_[index].page, what_));
    ByteReader reader(std::string_view(bytes).substr(0, blocks_[index].page.raw));
    std::vector<std::shared_ptr<const T>> block;
    for (uint32_t i = 0; i < blocks_[index].items; ++i) {
      auto object = std::make_shared<T>();
      if (!decode_shared(reader.string(), *object)) {
        return file_.damaged(std::string("a ") + what_ + " that does not parse");
      }
      block.push_back(std::move(object));
    }
    out = std::move(block);
    return {};
  }

  const SegmentFile& file_;
  const std::vector<BlockEntry>& blocks_;
  const char* what_;
  mutable std::mutex mutex_;
  mutable std::vector<std::vector<std::shared_ptr<const T>>> loaded_;
};

}  // namespace contextcore::store
