#pragma once
// Where the bytes of a store are: by kind and class of segments, and by column within them. From the
// footers; no page of values is read.

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "store/manifest.h"

namespace contextcore::store {

struct ColumnBytes {
  std::string name;  // of the column; "attribute KEY" of all types; "index", "footer" …
  uint64_t bytes = 0, pages = 0;
};

struct SegmentsBreakdown {
  RowsKind kind = RowsKind::spans;
  SegmentClass segment_class = SegmentClass::work;
  uint64_t segments = 0, rows = 0, masked_rows = 0, bytes = 0;
  std::vector<ColumnBytes> columns;  // biggest first; they add up to bytes
};

struct StoreBreakdown {
  std::string store_id;
  uint64_t edit = 0, sequence = 0;
  std::vector<SegmentsBreakdown> segments;  // by kind, then class; only those that there are
  struct Files {
    uint64_t files = 0, bytes = 0;
  };
  Files work_table, masks, commands, digests, forwards, trace_runs;
  uint64_t work_rows = 0;  // in files
  uint64_t log_bytes = 0;  // committed
  uint64_t total_bytes = 0;
};

// Errors: as verify_store, and corruption where a footer cannot be read.
Result<StoreBreakdown> break_down(FileSystem& files, Clock& clock, const std::string& path);

}  // namespace contextcore::store
