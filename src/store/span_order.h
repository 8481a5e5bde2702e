#pragma once
// The order of received spans in a segment: by (tenant, first start of the trace here, trace, start,
// span id). Sources are taken in as runs of rows of one trace that are in order already, so that what has
// to be sorted and kept in memory is a fraction of the rows: segments are in order themselves.

#include <cstdint>
#include <functional>
#include <vector>

#include "store/id_table.h"
#include "store/manifest.h"
#include "store/rows.h"
#include "store/span_gather.h"
#include "store/tenant_groups.h"

namespace contextcore::store {

// Rows of one tenant's trace that lie one after the other in their source, and in what they are going to.
struct SpanRun {
  const SpanRows* rows = nullptr;
  uint32_t first = 0, count = 0;
  otlp::TraceId trace;
};

class SpanOrder {
 public:
  // Takes in the rows that are set.
  Status add(const SpanRows& rows, const RowSet& wanted);

  // Traces that go to one segment, in order.
  struct Window {
    std::vector<uint32_t> traces;
    uint64_t rows = 0;
    TimeBounds bounds;  // of the starts
    std::vector<uint32_t> tenants;  // as SegmentInfo has them
  };
  // Deals traces out to groups of tenants, and of these each to windows of time (segment_order.h), all
  // to one when windows_max is below 2. None without rows. Once, after the last add.
  std::vector<Window> windows(size_t windows_max, const TenantGroups& groups);
  // Of the traces in it, as trace runs have them, each once, ascending.
  std::vector<uint64_t> fingerprints(const Window& window) const;
  Status for_each(const Window& window, const std::function<Status(const SpanRun&)>& fn);

 private:
  struct Trace {
    otlp::TraceId id;
    uint32_t tenant = kDefaultTenant;
    int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;  // starts
    uint32_t rows = 0;
    uint32_t runs_end = 0;  // in runs_, once they are sorted; they begin where the trace before ends
  };
  struct Run {
    uint32_t trace = 0;
    uint32_t source = 0;  // into sources_
    uint32_t first = 0, count = 0;
    int64_t start = 0;  // of its first row
    uint64_t span = 0;
  };
  // A row of a trace whose runs have to be merged.
  struct Row {
    int64_t start = 0;
    uint64_t span = 0;
    RowRef<SpanRows> ref;
  };
  uint32_t trace_of(const otlp::TraceId& id, uint32_t tenant);
  void add_windows(std::vector<uint32_t> traces, size_t windows_max, std::vector<Window>& windows) const;
  void sort_runs();
  Status merge_runs(uint32_t trace);

  const HashSecret& secret_ = hash_secret();
  IdTable table_;
  std::vector<Trace> traces_;
  std::vector<Run> runs_;
  std::vector<const SpanRows*> sources_;
  GatherSources columns_;
  std::vector<Row> merged_;
};

}  // namespace contextcore::store
