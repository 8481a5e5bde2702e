#pragma once
// Keys of work rows as bytes: records of one width, so that a list of 100,000 tasks costs a pass over some ten
// megabytes. In a table file they stand grouped by project, kind and whether the row is open, so that a question about
// one project, or about open work, reads little of it. Layout: docs/store-format.md, "Work table".

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/work_index.h"

namespace contextcore::store {

// One group: its blocks follow one another.
struct WorkKeyGroup {
  uint32_t project = 0;  // number of the text
  WorkKind kind = WorkKind::task;
  bool open = false;
  auto operator<=>(const WorkKeyGroup&) const = default;

  // As the two numbers of a block's first key in the directory.
  uint64_t packed() const { return uint64_t{project} << 16 | static_cast<uint64_t>(kind) << 8 | (open ? 1 : 0); }
  static WorkKeyGroup unpack(uint64_t packed) {
    return {static_cast<uint32_t>(packed >> 16), static_cast<WorkKind>(packed >> 8 & 0xff), (packed & 1) != 0};
  }
};

constexpr size_t kWorkKeyBytes = 116;

// Collects keys and gives them out as blocks.
class WorkKeyWriter {
 public:
  void add(const WorkRow& row);
  // Calls block(group, items, bytes) for each block in order, stops at an error.
  Status write(const std::function<Status(WorkKeyGroup group, uint32_t items, const std::string& bytes)>& block);
  // The texts by number; complete once all rows are added.
  std::string texts() const;
  size_t text_count() const { return texts_.size(); }

 private:
  struct Item {
    WorkKeyGroup group;
    uint64_t id = 0;
    std::string record;  // but for the place of its id in the heap
    std::string text;    // the id
  };
  uint32_t number_of_text(const std::string& text);

  std::map<std::string, uint32_t> numbers_;
  std::vector<const std::string*> texts_;
  std::vector<Item> items_;
};

// texts(): views into bytes; false when they are not what the writer writes.
bool read_work_texts(std::string_view bytes, std::vector<std::string_view>& texts);
// The item-th key of a block of `items`; false when it does not parse.
bool read_work_key(std::string_view block, size_t items, size_t item, const std::vector<std::string_view>& texts,
                   WorkKey& key);
// Its span id alone. REQUIRES: item < items of the block.
uint64_t work_key_id(std::string_view block, size_t item);

}  // namespace contextcore::store
