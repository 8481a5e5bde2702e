#pragma once
// One whole trace as a snapshot sees it: its visible rows from all files and the head,
// materialised, with what is computed and joined when work spans are read.

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "store/snapshot.h"

namespace contextcore::store {

struct AssembledSpan {
  std::shared_ptr<const otlp::Resource> resource;
  std::shared_ptr<const otlp::Scope> scope;
  otlp::Span span;  // an open one ends now
  bool journal = false;
  bool open = false;
  bool end_missing = false;  // received without an end, or with one before its start
};

struct AssembledTrace {
  otlp::TraceId id;
  std::vector<AssembledSpan> spans;  // by (start, span id)
};

// A row as it is shown; nullopt when it is hidden.
Result<std::optional<AssembledSpan>> assemble_span(const Snapshot& snapshot, SpanRows::Whole whole,
                                                   bool journal, bool with_events);
// Those of the rows that are shown, in their order.
Result<std::vector<AssembledSpan>> assemble_rows(const Snapshot& snapshot, const std::vector<TraceRow>& rows,
                                                 bool with_events);
Result<AssembledTrace> assemble_trace(const Snapshot& snapshot, const otlp::TraceId& id,
                                      bool with_events);
// As OTLP, grouped by resource and scope in the order in which they first occur.
otlp::TracesData group_trace(AssembledTrace trace);
std::unique_ptr<TraceView> make_trace_view(AssembledTrace trace, const FetchRequest& request);

}  // namespace contextcore::store
