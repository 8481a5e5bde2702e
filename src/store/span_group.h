#pragma once
// A row group of a span segment with the columns at hand that a reader wants: its rows are read where they lie.

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "store/rows_spans.h"
#include "store/segment_rows.h"

namespace contextcore::store {

class SegmentSpanGroup : public SpanGroup {
 public:
  // columns: must outlive it, as rows does
  static Result<std::shared_ptr<const SpanGroup>> open(const SegmentRows& rows, size_t group,
                                                       const std::vector<Column>& columns);

  size_t first() const override { return first_; }
  size_t end() const override { return end_; }
  otlp::TraceId trace_id(size_t row) const override {
    return trace_id_of(fixed_[kTraceId].string_of(row - first_));
  }
  Result<SpanCore> core(size_t row) const override;
  Result<Cell> cell(size_t row, size_t column, std::deque<otlp::Value>& values) const override;

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
  // One that many rows have in common: the last that was asked for.
  template <typename T>
  struct Shared {
    uint64_t number = UINT64_MAX;
    std::shared_ptr<const T> object;
  };
  SegmentSpanGroup(const SegmentRows& rows, const std::vector<Column>& columns) : rows_(rows), columns_(columns) {}
  Status load(size_t group);
  Result<const otlp::Resource*> resource(size_t at) const;
  Result<const otlp::Scope*> scope(size_t at) const;
  // at: the row in the group
  Result<Cell> span_cell(size_t at, size_t column, std::deque<otlp::Value>& values) const;
  Result<Cell> value_cell(const ColumnView& view, size_t index, std::deque<otlp::Value>& values) const;

  const SegmentRows& rows_;
  const std::vector<Column>& columns_;
  std::shared_ptr<const SegmentGroup> group_;
  size_t first_ = 0, end_ = 0;
  std::array<ColumnView, kFixedCount> fixed_;
  std::vector<std::vector<ColumnView>> attributes_;  // by column: one view for each type
  mutable Shared<otlp::Resource> resource_;
  mutable Shared<otlp::Scope> scope_;
};

}  // namespace contextcore::store
