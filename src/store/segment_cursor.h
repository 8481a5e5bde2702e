#pragma once
// Rows of a span segment one by one, reading only the columns that are asked for.

#include <deque>
#include <memory>
#include <vector>

#include "store/rows_spans.h"
#include "store/segment_rows.h"

namespace contextcore::store {

class SegmentCursor : public SpanCursor {
 public:
  SegmentCursor(const SegmentRows& rows, std::vector<Column> columns)
      : rows_(rows), columns_(std::move(columns)) {}

  Status seek(size_t row) override;
  otlp::TraceId trace_id() const override { return trace_id_of(fixed_[kTraceId].string_of(row_)); }
  const SpanCore& core() const override { return core_; }
  Result<Cell> cell(size_t column) override;

 private:
  // Fixed columns that every row is asked for.
  enum Fixed : size_t {
    kTraceId,
    kSpanId,
    kParent,
    kStart,
    kDuration,
    kKind,
    kStatus,
    kName,
    kMessage,
    kResource,
    kScope,
    kOverflow,
    kFixedCount
  };
  Status load(size_t group);
  Result<Cell> span_cell(size_t column);
  Result<Cell> value_cell(const ColumnView& view, size_t at);

  const SegmentRows& rows_;
  std::vector<Column> columns_;
  std::shared_ptr<const SegmentGroup> group_;
  size_t first_ = 0, end_ = 0;  // rows of the group
  size_t row_ = 0;              // in the group
  std::array<ColumnView, kFixedCount> fixed_;
  std::vector<std::vector<ColumnView>> attributes_;  // by column: one view for each type
  SpanCore core_;
  std::shared_ptr<const otlp::Resource> resource_;
  std::shared_ptr<const otlp::Scope> scope_;
  uint64_t resource_number_ = UINT64_MAX, scope_number_ = UINT64_MAX;
  std::deque<otlp::Value> values_;  // that cells of this row borrow from
};

}  // namespace contextcore::store
