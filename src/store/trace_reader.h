#pragma once
// Whole traces for a query that wants neither events nor links: rows of segments are read where they lie, only those of
// the head are put together. For one thread.

#include <memory>
#include <optional>
#include <vector>

#include "store/row_span.h"
#include "store/trace_assembly.h"

namespace contextcore::store {

class TraceReader {
 public:
  // Both must outlive it.
  TraceReader(const Snapshot& snapshot, const FetchRequest& request);
  ~TraceReader();

  // The trace of these rows, all that are visible of it; nullptr when none is shown. Valid until the next call.
  Result<const TraceView*> read(const otlp::TraceId& id, const std::vector<TraceRow>& rows);
  // The first error of a cell of what was read.
  const Status& status() const { return context_.status(); }

 private:
  class View;
  Result<const SpanGroup*> group_of(const TraceRow& row);
  Status add(const TraceRow& row);

  const FetchRequest& request_;
  RowContext context_;
  // The groups that rows were read from last, and those of the trace that is read.
  std::vector<std::pair<const SpanRows*, std::shared_ptr<const SpanGroup>>> groups_;
  std::unique_ptr<View> view_;
};

}  // namespace contextcore::store
