#pragma once
// The cut: everything up to one sequence becomes files, in one manifest record. Writes the files
// (also merging small segments and those that are mostly superseded, so that their number stays
// bounded) and says what the next manifest is; making that the truth is the store's.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/head.h"

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
  // REQUIRES: no writer touches the head meanwhile, and all of it is visible.
  Cut(FileSystem& files, const std::string& directory, const Head& head, uint64_t sequence,
      int64_t now_ns);
  // Writes and syncs files; the directory is the caller's to sync. The log's epoch is left as it
  // is.
  Result<Manifest> write();

 private:
  uint64_t take_number() { return manifest_.next_number++; }
  Status write_spans(SegmentClass segment_class);
  Status write_logs(SegmentClass segment_class);
  Status write_metrics();  // cut_metrics.cpp
  Status write_masks();
  Status write_commands();
  Status write_forwards_file();
  Status write_work_table();
  RowSet live_rows(const SpanSegment& segment) const;
  void sort_spans(SegmentClass segment_class, std::vector<RowRef<SpanRows>>& rows) const;
  Status add_segment(RowsKind kind, SegmentClass segment_class, uint64_t number, uint64_t rows);

  FileSystem& files_;
  std::string directory_;
  const Head& head_;
  uint64_t sequence_;
  int64_t now_ns_;
  Manifest manifest_;
};

}  // namespace contextcore::store
