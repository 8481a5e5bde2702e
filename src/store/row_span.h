#pragma once
// A row of a segment as a query sees it: its columns are read where they lie, and what work computes of a span is
// computed when it is asked for.

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "store/snapshot.h"

namespace contextcore::store {

// What the rows of one request have in common. For one thread; the snapshot and the columns must outlive it.
class RowContext {
 public:
  RowContext(const Snapshot& snapshot, const std::vector<Column>& columns);

  const Snapshot& snapshot() const { return snapshot_; }
  const std::vector<Column>& columns() const { return columns_; }
  const WorkHooks& hooks() const { return snapshot_.head().hooks(); }
  bool computed(size_t column) const { return computed_[column]; }
  // Whether a span of the journal is left out of what is shown.
  Result<bool> is_hidden(const SpanCore& core);
  // The first error of a cell, which can return none.
  const Status& status() const { return status_; }
  void keep(Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

 private:
  const Snapshot& snapshot_;
  const std::vector<Column>& columns_;
  std::vector<bool> computed_;     // by column
  std::optional<WorkIds> hiding_;  // once asked for
  Status status_;
};

// For requests that want neither events nor links.
class PlainTraceView : public TraceView {
 public:
  size_t event_count(size_t) const final { return 0; }
  EventCore event(size_t, size_t) const final { return {}; }
  Cell event_cell(size_t, size_t, size_t) const final { return {}; }
  size_t link_count(size_t) const final { return 0; }
  LinkCore link(size_t, size_t) const final { return {}; }
  Cell link_cell(size_t, size_t, size_t) const final { return {}; }
};

class RowSpan {
 public:
  // The row as it is shown. False: it is hidden.
  // group: must outlive it
  Result<bool> take(RowContext& context, const SpanGroup& group, size_t row, bool journal);

  const SpanCore& core() const { return core_; }
  // The cell borrows from values and from this.
  Cell cell(RowContext& context, size_t column, std::deque<otlp::Value>& values) const;

 private:
  Cell stored(RowContext& context, size_t column, std::deque<otlp::Value>& values) const;
  const otlp::Span& shown(RowContext& context, std::deque<otlp::Value>& values) const;

  const SpanGroup* group_ = nullptr;
  size_t row_ = 0;
  SpanCore core_;
  bool end_missing_ = false;
  mutable std::unique_ptr<otlp::Span> shown_;  // what compute may change, after it has
};

}  // namespace contextcore::store
