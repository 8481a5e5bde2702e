#pragma once
// Writes a span segment from rows of builders and other segments, in the order in which they come.

#include <memory>
#include <string>
#include <vector>

#include "store/rows.h"
#include "store/rows_shared.h"
#include "store/rows_spans.h"
#include "store/segment_writer.h"
#include "store/span_gather.h"

namespace contextcore::store {

class SpanSegmentWriter {
 public:
  // rows_expected: decides how many make a group. whole_rows: rows are written a second time, whole.
  static Result<std::unique_ptr<SpanSegmentWriter>> create(FileSystem& files,
                                                           const std::string& path,
                                                           size_t rows_expected, bool whole_rows);
  Status add(const RowRef<SpanRows>& row);
  // Index, footer, sync.
  Status finish();

 private:
  SpanSegmentWriter(SegmentWriter writer, size_t rows_expected, bool whole_rows);
  Status copy_slice();
  Status put_together();
  Status write_whole(const RowRef<SpanRows>& row);
  Status end_group();

  SegmentWriter writer_;
  const size_t group_rows_;
  const bool whole_rows_;
  SharedObjects<otlp::Resource> resources_;
  SharedObjects<otlp::Scope> scopes_;
  SpanGather gather_;
  std::unique_ptr<SpanColumns> group_;
  std::vector<RowRef<SpanRows>> rows_;  // of the group
  size_t copied_ = 0;                   // of them, to its columns
  uint32_t group_first_ = 0;            // row of the segment
  std::vector<IndexEntry> index_;
};

}  // namespace contextcore::store
