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
#include "store/span_order.h"

namespace contextcore::store {

class SpanSegmentWriter {
 public:
  // rows_expected: decides how many make a group. whole_rows: rows are written a second time, whole.
  static Result<std::unique_ptr<SpanSegmentWriter>> create(FileSystem& files,
                                                           const std::string& path,
                                                           size_t rows_expected, bool whole_rows);
  Status add(const RowRef<SpanRows>& row);
  // Rows that make a whole row group of another segment are not looked at: their pages are copied.
  Status add(const SpanRun& run);
  // Index, footer, sync.
  Status finish();

 private:
  SpanSegmentWriter(SegmentWriter writer, size_t rows_expected, bool whole_rows);
  // A row group of a source of which all rows so far have come in order.
  struct WholeGroup {
    const SpanRows* rows = nullptr;
    SpanRows::InColumns in;
    uint32_t next = 0;  // row of the source
    std::vector<SpanRun> runs;
  };
  bool may_be_copied(const SpanRows::InColumns& in) const;
  const SpanRows::InColumns& columns_of(const SpanRun& run);
  Status end_whole();
  Status copy_whole();
  Status gather(const SpanRun& run);
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
  WholeGroup whole_;
  const SpanRows* asked_rows_ = nullptr;  // where asked_ is from
  SpanRows::InColumns asked_;
  std::vector<IndexEntry> index_;
};

}  // namespace contextcore::store
