#pragma once
// One file of a work table: blocks of rows sorted by span id, blocks of (parent, child) and (target, dependent) pairs,
// blocks of keys (work_keys.h), a directory of blocks with their first keys and checksums at the end. Blocks are read
// and checked when first needed, their rows decoded one by one; both are kept. Thread-safe.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/line_filter.h"
#include "store/work_index.h"
#include "store/work_keys.h"
#include "store/work_table_format.h"

namespace contextcore::store {

class WorkTableFile {
  struct Block;

 public:
  static Result<std::shared_ptr<const WorkTableFile>> open(FileSystem& files,
                                                           const std::string& path);
  ~WorkTableFile();

  const std::string& path() const { return path_; }
  size_t size() const { return row_count_; }
  const WorkRow* find(uint64_t id) const;
  bool contains(uint64_t id) const;  // false also when its block is damaged; status() says so
  // The values of all pairs with this key, ascending.
  std::vector<uint64_t> children(uint64_t parent) const {
    return values_of(WorkSection::children, parent);
  }
  std::vector<uint64_t> dependents(uint64_t target) const {
    return values_of(WorkSection::dependents, target);
  }
  // Keys of the groups that filter names, until fn returns false.
  void scan_keys(const WorkFilter& filter, const std::function<bool(const WorkKey&)>& fn) const;
  // Ids of rows with keys that `hides` accepts; worked out once. REQUIRES: always the same function
  const std::vector<uint64_t>& hiding(const std::function<bool(const WorkKey&)>& hides) const;
  // The first error; sticky. After io_error the file has to be opened again (read_failures.h).
  Status status() const;
  Status verify() const;
  // The same of every block, with all that is damaged. blocks: counts them.
  std::vector<Error> damages(uint64_t& blocks) const;

  // Walks the rows in ascending order of their ids; damaged blocks are left out, status() says so.
  class Cursor {
   public:
    explicit Cursor(const WorkTableFile& file) : file_(file) { settle(); }
    bool done() const { return rows_ == nullptr; }
    uint64_t id() const;                               // REQUIRES: !done(), likewise below
    bool accepted_by(const WorkFilter& filter) const;  // kind and end only
    const WorkRow* row() const;                        // nullptr: it does not parse
    void advance();

   private:
    void settle();
    const WorkTableFile& file_;
    size_t block_ = 0, item_ = 0;
    const Block* rows_ = nullptr;
  };

 private:
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
    std::string_view bytes;                   // of rows and keys: records, then their heap; of texts: all
    mutable std::vector<std::atomic<const WorkRow*>> decoded;
    std::vector<WorkPair> pairs;
    std::vector<std::string_view> texts;
  };

  Status read_directory(const std::string& directory, uint64_t directory_offset);
  const std::vector<Entry>& entries(WorkSection section) const {
    return entries_[static_cast<size_t>(section)];
  }
  // Loads at most `ahead` blocks from there with one read if it is not there yet; nullptr: it is damaged.
  const Block* block(WorkSection section, size_t index, size_t ahead = 1) const;
  void load(WorkSection section, size_t index, size_t count) const;
  // bytes: in *read
  Result<std::unique_ptr<Block>> decode(WorkSection section, size_t index,
                                        const std::shared_ptr<const std::string>& read,
                                        std::string_view bytes) const;
  struct Found {
    size_t index = 0, item = 0;
    const Block* block = nullptr;  // nullptr: there is no such row
  };
  Found locate(uint64_t id) const;
  Found search(uint64_t id) const;
  // An id was looked for that is not there. After some of them the filter is made, a few blocks each time.
  void missed() const;
  bool add_to_filter(size_t index) const;
  // nullptr: it does not parse; status() says so.
  const WorkRow* row_at(size_t index, const Block& block, size_t item) const;
  std::vector<uint64_t> values_of(WorkSection section, uint64_t key) const;
  bool scan_block_keys(size_t index, const Block& keys, const std::vector<std::string_view>& texts,
                       const std::function<bool(const WorkKey&)>& fn) const;
  Status verify_block(WorkSection section, size_t index) const;
  Error damaged(WorkSection section, size_t index, const std::string& what) const;
  void keep(Error error) const;

  std::string path_;
  std::unique_ptr<File> file_;
  uint32_t version_ = 0;
  uint64_t row_count_ = 0;
  std::vector<Entry> entries_[kWorkSections];
  std::unique_ptr<std::atomic<const Block*>[]> blocks_[kWorkSections];
  // Ids that are surely not there. What is received is asked for by the million, and nothing of it is here.
  mutable std::atomic<const LineFilter*> filter_{nullptr};
  mutable std::atomic<uint64_t> misses_{0};
  mutable std::mutex filter_mutex_;
  mutable std::unique_ptr<LineFilter> next_filter_;  // with the ids of the blocks before next_block_
  mutable size_t next_block_ = 0;
  mutable std::once_flag hiding_once_;
  mutable std::vector<uint64_t> hiding_;
  mutable std::mutex mutex_;
  mutable Status status_;
};

}  // namespace contextcore::store
