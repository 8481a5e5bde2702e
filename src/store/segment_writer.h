#pragma once
// Writes a segment file in order: row groups as they come, then objects, index and footer.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "store/rows_shared.h"
#include "store/segment_format.h"
#include "store/segment_reader.h"

namespace contextcore::store {

// Rows [first, first + count) belong to the id.
struct IndexEntry {
  std::string key;
  uint32_t first = 0, count = 0;
  auto operator<=>(const IndexEntry&) const = default;
};

class SegmentWriter {
 public:
  static Result<SegmentWriter> create(FileSystem& files, const std::string& path, SegmentKind kind);
  Status write_group(const ColumnSource& source, const std::array<int64_t, 5>& zones);
  // A row group of another segment of the same format: its pages as they lie there, but for the fixed columns that are
  // given instead of its own.
  using InsteadOf = std::map<size_t, ColumnView>;
  Status copy_group(const SegmentGroup& group, const InsteadOf& instead);
  template <typename T>
  Status write_objects(const SharedObjects<T>& objects, std::vector<BlockEntry>& blocks) {
    for (uint32_t begin = 0; begin < objects.size(); begin += kObjectsPerBlock) {
      const auto end = std::min(begin + kObjectsPerBlock, static_cast<uint32_t>(objects.size()));
      std::string raw;
      for (uint32_t i = begin; i < end; ++i) append_string(objects.encoded(i), raw);
      BlockEntry& block = blocks.emplace_back();
      block.items = end - begin;
      CC_TRY(write_page(raw, block.page));
    }
    return {};
  }
  Status write_resources(const SharedObjects<otlp::Resource>& objects) {
    return write_objects(objects, footer_.resources);
  }
  Status write_scopes(const SharedObjects<otlp::Scope>& objects) {
    return write_objects(objects, footer_.scopes);
  }
  Status write_index(std::vector<IndexEntry>& entries);  // sorts them
  // A row in encoded form, in the order of the rows; all of them or none.
  Status add_whole(std::string_view encoded);
  // tenants: by stream; empty: all are of the default tenant
  void set_streams(std::vector<LabelPairs> streams, std::vector<uint32_t> tenants) {
    footer_.streams = std::move(streams);
    footer_.stream_tenants = std::move(tenants);
  }
  // Footer, trailer, sync.
  Status finish();

 private:
  SegmentWriter(std::unique_ptr<File> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  Status write_page(std::string_view raw, PageEntry& entry);
  Status write_column(const ColumnView& view, PageEntry& entry);
  Status copy_page(const SegmentFile& file, const PageEntry& from, const std::string& what, PageEntry& entry);
  Status append_page(std::string_view stored);
  Status flush();
  Status end_wholes();
  Status write_directory(const std::vector<BlockEntry>& blocks, BlockDirectory& out);
  uint32_t attribute_number(size_t table, const ColumnSource::AttributeInfo& info);

  std::unique_ptr<File> file_;
  std::string path_;
  std::string pending_;   // bytes not yet handed to the file
  uint64_t written_ = 0;  // bytes handed to it
  SegmentFooter footer_;
  std::map<std::pair<std::pair<size_t, ColumnType>, std::string>, uint32_t> attribute_numbers_;
  std::string raw_, compressed_;
  std::string wholes_;  // of the block that is not full yet
  uint32_t wholes_count_ = 0;
  std::vector<BlockEntry> whole_blocks_;
};

}  // namespace contextcore::store
