#pragma once
// Writes the file of a work table.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/work_index.h"
#include "store/work_keys.h"
#include "store/work_table_format.h"

namespace contextcore::store {

// Rows must come in ascending order of their ids.
class WorkTableWriter {
 public:
  static Result<WorkTableWriter> create(FileSystem& files, const std::string& path);
  Status add(const WorkRow& row);
  // Writes the pairs, the keys, the directory and the trailer, and syncs.
  Status finish();

 private:
  explicit WorkTableWriter(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Status flush_rows();
  Status write_pairs(std::vector<WorkPair>& pairs);
  Status write_keys();
  Status write_block(WorkPair first, uint32_t items, const std::string& bytes);
  void end_section();

  std::unique_ptr<File> file_;
  uint64_t offset_ = 0;
  uint64_t row_count_ = 0;
  std::string records_, heap_, directory_;
  WorkPair first_;
  uint32_t items_ = 0, section_blocks_ = 0;
  std::string section_directory_;
  std::vector<WorkPair> children_, dependents_;
  WorkKeyWriter keys_;
};

}  // namespace contextcore::store
