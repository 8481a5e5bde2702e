#pragma once
// The cut: everything up to one sequence becomes files, in one manifest record. Writes the files
// (also merging small segments and those that are mostly superseded, so that their number stays
// bounded) and says what the next manifest is; making that the truth is the store's.

#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/head.h"
#include "store/trace_run.h"

namespace contextcore::store {

struct MergeCandidate {
  uint64_t number = 0;
  uint64_t rows = 0;
  uint64_t live = 0;
};
// Which segments are written again together with the new rows.
std::set<uint64_t> choose_merges(std::vector<MergeCandidate> segments, bool has_new_rows);

class Cut {
 public:
  // merge: whether segments are merged on the way (else somebody compacts them). groups: which tenants
  // share a file.
  // REQUIRES: nobody writes to the head any more, all of it is visible, and it is settled.
  Cut(FileSystem& files, const std::string& directory, const Head& head, uint64_t sequence,
      int64_t now_ns, std::atomic<uint64_t>& next_number, bool merge, TenantGroups groups);
  // Writes and syncs files; the directory is the caller's to sync. The log's epoch is left as it
  // is.
  Result<Manifest> write();
  // Where the span rows of the head (frozen.h) and of merged segments went.
  std::vector<RowMoves> take_moves() { return std::move(moves_); }

 private:
  uint64_t take_number() { return next_number_.fetch_add(1, std::memory_order_relaxed); }
  Status write_spans(SegmentClass segment_class);
  std::vector<const SpanSegment*> take_merged(SegmentClass segment_class, bool has_new_rows);
  Status write_traces(TraceRunBuilder run);  // cut_traces.cpp
  Status take_run(const TraceDirectory::Listed& listed, TraceRunBuilder& run);
  Status list_another(TraceRunBuilder& run);
  Status write_logs(SegmentClass segment_class);
  Status write_metrics();  // cut_metrics.cpp
  Status write_masks();
  Status write_commands();
  Status write_digest_file();
  Status write_forwards_file();
  Status write_work_table();
  RowSet live_rows(const SpanSegment& segment) const;
  Status write_log_file(SegmentClass segment_class, std::vector<RowRef<LogRows>> rows);

  FileSystem& files_;
  std::string directory_;
  const Head& head_;
  uint64_t sequence_;
  int64_t now_ns_;
  std::atomic<uint64_t>& next_number_;
  bool merge_;
  TenantGroups groups_;
  Manifest manifest_;
  std::vector<RowMoves> moves_;
};

}  // namespace contextcore::store
