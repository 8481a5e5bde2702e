#pragma once
// The base file of a work table: blocks of rows sorted by span id, blocks of (parent, child) and
// (target, dependent) pairs, a directory of blocks with their first keys and checksums at the end.
// Blocks are read and checked when first needed, their rows decoded one by one; both are kept.
// Thread-safe.

#include <atomic>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/work_index.h"

namespace contextcore::store {

// Span ids as big-endian numbers: their order is that of the ids.
struct WorkPair {
  uint64_t key = 0, value = 0;
  auto operator<=>(const WorkPair&) const = default;
};

class WorkTableFile {
 public:
  static Result<std::shared_ptr<const WorkTableFile>> open(FileSystem& files,
                                                           const std::string& path);
  ~WorkTableFile();

  size_t size() const { return row_count_; }
  const WorkRow* find(uint64_t id) const;
  bool contains(uint64_t id) const;  // false also when its block is damaged; status() says so
  void scan(const WorkFilter& filter, const std::function<bool(const WorkRow&)>& fn) const;
  // The values of all pairs with this key, ascending.
  std::vector<uint64_t> children(uint64_t parent) const {
    return values_of(Section::children, parent);
  }
  std::vector<uint64_t> dependents(uint64_t target) const {
    return values_of(Section::dependents, target);
  }
  // The first error; sticky.
  Status status() const;
  Status verify() const;

 private:
  enum class Section : uint8_t { rows = 0, children = 1, dependents = 2 };
  static constexpr size_t kSections = 3;
  struct Entry {
    WorkPair first;
    uint64_t offset = 0;
    uint32_t length = 0, items = 0;
    uint64_t checksum = 0;
  };
  struct Block {
    explicit Block(uint32_t rows) : decoded(rows) {}
    ~Block() {
      for (const auto& row : decoded) delete row.load();
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    std::shared_ptr<const std::string> read;  // what bytes points into
    std::string_view bytes;                   // of rows: records, then their heap
    mutable std::vector<std::atomic<const WorkRow*>> decoded;
    std::vector<WorkPair> pairs;
  };

  Status read_directory(const std::string& directory, uint64_t directory_offset);
  const Block* block(Section section, size_t index) const;
  // Loads blocks [index, index + count) with one read; false when one of them is damaged.
  bool load(Section section, size_t index, size_t count) const;
  // bytes: in *read
  Result<std::unique_ptr<Block>> decode(Section section, size_t index,
                                        const std::shared_ptr<const std::string>& read,
                                        std::string_view bytes) const;
  struct Found {
    size_t index = 0, item = 0;
    const Block* block = nullptr;  // nullptr: there is no such row
  };
  Found locate(uint64_t id) const;
  // nullptr: it does not parse; status() says so.
  const WorkRow* row_at(size_t index, const Block& block, size_t item) const;
  std::vector<uint64_t> values_of(Section section, uint64_t key) const;
  Error damaged(Section section, size_t index, const std::string& what) const;
  void keep(Error error) const;

  std::string path_;
  std::unique_ptr<File> file_;
  uint64_t row_count_ = 0;
  std::vector<Entry> entries_[kSections];
  std::unique_ptr<std::atomic<const Block*>[]> blocks_[kSections];
  mutable std::mutex mutex_;
  mutable Status status_;
};

// Rows must come in ascending order of their ids.
class WorkTableWriter {
 public:
  static Result<WorkTableWriter> create(FileSystem& files, const std::string& path);
  Status add(const WorkRow& row);
  // Writes the pairs, the directory and the trailer, and syncs.
  Status finish();

 private:
  explicit WorkTableWriter(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Status flush_rows();
  Status write_pairs(std::vector<WorkPair>& pairs);
  Status write_block(WorkPair first, uint32_t items, const std::string& bytes);

  std::unique_ptr<File> file_;
  uint64_t offset_ = 0;
  uint64_t row_count_ = 0;
  std::string records_, heap_, directory_;
  WorkPair first_;
  uint32_t items_ = 0, section_blocks_ = 0;
  std::string section_directory_;
  std::vector<WorkPair> children_, dependents_;
};

}  // namespace contextcore::store
