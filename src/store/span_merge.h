#pragma once
// Span rows of several sources become segments: in order, dealt out to windows of time, with a note
// of where each row went. What a cut and a compaction have in common.

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/head.h"
#include "store/span_order.h"
#include "store/span_writer.h"
#include "store/trace_run.h"

namespace contextcore::store {

struct SpanInput {
  const SpanRows* rows = nullptr;
  uint64_t number = 0;  // of its segment, for RowMoves
  RowSet wanted;
};

class SpanMerge {
 public:
  // index: of the journal's own spans, else nullptr.
  SpanMerge(FileSystem& files, const std::string& directory, SegmentClass segment_class,
            const WorkIndexView* index, std::atomic<uint64_t>& next_number)
      : files_(files),
        directory_(directory),
        segment_class_(segment_class),
        index_(index),
        next_number_(next_number) {}

  // Writes and syncs files, none without rows; the directory is the caller's to sync. Once.
  Status write(const std::vector<SpanInput>& inputs, size_t windows_max, const TenantGroups& groups);

  const std::vector<SegmentInfo>& outputs() const { return outputs_; }
  // The traces of received spans in the outputs.
  TraceRunBuilder take_traces() { return std::move(traces_); }
  std::vector<RowMoves> take_moves() { return std::move(moves_); }

 private:
  Status write_journal(const std::vector<SpanInput>& inputs);
  Status write_received(const std::vector<SpanInput>& inputs, size_t windows_max, const TenantGroups& groups);
  Status begin(uint64_t rows);
  Status add(const RowRef<SpanRows>& row);
  Status add(const SpanRun& run);
  RowMoves& moves_of(const SpanRows* source);
  Status end(const TimeBounds& bounds, std::vector<uint32_t> tenants);

  FileSystem& files_;
  const std::string& directory_;
  const SegmentClass segment_class_;
  const WorkIndexView* index_;
  std::atomic<uint64_t>& next_number_;
  std::vector<const SpanRows*> sources_;  // moves_[i] is of sources_[i]
  std::vector<RowMoves> moves_;
  size_t source_ = 0;  // of the last row
  std::unique_ptr<SpanSegmentWriter> writer_;
  uint64_t number_ = 0;  // of the segment that is being written
  uint32_t row_ = 0;     // the next in it
  std::vector<SegmentInfo> outputs_;
  TraceRunBuilder traces_;
};

}  // namespace contextcore::store
