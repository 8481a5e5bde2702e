#include "store/work_table_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "store/column_value.h"
#include "store/rows_spans.h"
#include "store/work_row_codec.h"

namespace contextcore::store {

Result<WorkTableWriter> WorkTableWriter::create(FileSystem& files, const std::string& path) {
  CC_ASSIGN(std::unique_ptr<File> file, files.open(path, OpenMode::create));
  CC_TRY(file->truncate(0));
  WorkTableWriter writer(std::move(file));
  std::string header(kWorkMagic);
  append_u32(kWorkVersion, header);
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
  append_work_heap(row, heap);
  if (heap.size() > kWorkBlockBytesMax / 2) {
    return {Code::invalid_argument, fmt::format("work row {} needs {} bytes; at most {} fit",
                                                row.id, heap.size(), kWorkBlockBytesMax / 2)};
  }
  if (records_.size() + heap_.size() + heap.size() + kWorkRecordBytes > kWorkBlockBytes)
    CC_TRY(flush_rows());
  if (items_ == 0) first_ = {id, 0};
  append_work_record(row, static_cast<uint32_t>(heap_.size()), static_cast<uint32_t>(heap.size()),
                     records_);
  heap_ += heap;
  ++items_;
  ++row_count_;
  if (!row.parent_span_id.empty()) children_.push_back({number_of(row.parent_span_id), id});
  for (const WorkEdge& edge : row.depends_on) dependents_.push_back({number_of(edge.target), id});
  keys_.add(row);
  return {};
}

Status WorkTableWriter::write_pairs(std::vector<WorkPair>& pairs) {
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (size_t begin = 0; begin < pairs.size(); begin += kWorkPairsPerBlock) {
    const size_t end = std::min(begin + kWorkPairsPerBlock, pairs.size());
    std::string bytes;
    for (size_t i = begin; i < end; ++i) {
      append_u64(pairs[i].key, bytes);
      append_u64(pairs[i].value, bytes);
    }
    CC_TRY(write_block(pairs[begin], static_cast<uint32_t>(end - begin), bytes));
  }
  return {};
}

Status WorkTableWriter::write_keys() {
  CC_TRY(keys_.write([this](WorkKeyGroup group, uint32_t items, const std::string& bytes) {
    return write_block({group.packed(), 0}, items, bytes);
  }));
  end_section();
  if (keys_.text_count() > 0)
    CC_TRY(write_block({}, static_cast<uint32_t>(keys_.text_count()), keys_.texts()));
  end_section();
  return {};
}

void WorkTableWriter::end_section() {
  append_u32(section_blocks_, directory_);
  directory_ += section_directory_;
  section_directory_.clear();
  section_blocks_ = 0;
}

Status WorkTableWriter::finish() {
  CC_TRY(flush_rows());
  end_section();
  CC_TRY(write_pairs(children_));
  end_section();
  CC_TRY(write_pairs(dependents_));
  end_section();
  CC_TRY(write_keys());
  std::string end = directory_;
  append_u64(row_count_, end);
  append_u64(offset_, end);
  append_u32(static_cast<uint32_t>(directory_.size()), end);
  append_u32(kWorkVersion, end);
  append_u64(xxh3_64(directory_, row_count_), end);
  end += kWorkMagic;
  CC_TRY(file_->write_at(offset_, end));
  return file_->sync();
}

}  // namespace contextcore::store
