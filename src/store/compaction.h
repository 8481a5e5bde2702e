#pragma once
// Compaction: segments become fewer and larger ones, without the rows that newer ones have
// superseded; and what is too old goes (retention.h). Both run beside writers and readers. This part
// chooses and writes files; making them the truth is the store's (store_compact.cpp).
//
// Every row is written once by the cut and then at most once per size class, so that what is
// written in all stays a small multiple of what came in.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/head.h"
#include "store/retention.h"
#include "store/store.h"
#include "store/tenant_groups.h"

namespace contextcore::store {

struct CompactionCandidate {
  SegmentInfo info;
  uint64_t live = 0;  // rows that are not superseded
};

std::vector<CompactionCandidate> compaction_candidates(const Version& version);
// The segments that had better be written again together; empty: none. All are of one kind, class and
// group of tenants.
std::vector<uint64_t> choose_compaction(const std::vector<CompactionCandidate>& segments,
                                        const TenantGroups& groups = {});
// What choose_compaction would ask for, one choice after another, over these segments.
struct CompactionDebt {
  uint64_t segments = 0, rows = 0;
};
CompactionDebt compaction_debt(std::vector<CompactionCandidate> segments, const TenantGroups& groups = {});

// Of expired segments those that hold rows of a wanted transaction.
Result<std::set<uint64_t>> choose_held(const Version& version, const std::set<uint64_t>& expired,
                                       const ArrivalsWanted& wanted);

class Compaction {
 public:
  // inputs: numbers of segments of base. expired: only rows that are kept for good go over (spans
  // by hooks.keep_span, and those that a span of the journal links to).
  Compaction(FileSystem& files, std::string directory, std::shared_ptr<const Version> base,
             std::set<uint64_t> inputs, std::atomic<uint64_t>& next_number, TenantGroups groups);
  // Writes and syncs files, none when no row is left; the directory is the caller's to sync.
  Status write(const WorkHooks& hooks, bool expired);

  // The manifest after it, over one that still has the inputs; edit and masks are as they were.
  Manifest manifest(const Manifest& before) const;
  const std::set<uint64_t>& inputs() const { return inputs_; }
  // Where the span rows went; rows that were superseded in base are gone.
  const std::vector<RowMoves>& moves() const { return moves_; }
  const std::vector<SegmentInfo>& outputs() const { return outputs_; }

 private:
  using SpanIds = std::unordered_set<otlp::SpanId, IdHash>;
  static Status linked_spans(const Version& version, SpanIds& out);
  // linked: of segments that expire, the spans that stay whatever hooks say.
  static Result<RowSet> wanted(const SpanSegment& segment, const WorkHooks& hooks,
                               const SpanIds* linked);
  uint64_t take_number() { return next_number_.fetch_add(1, std::memory_order_relaxed); }
  Status write_spans(SegmentClass segment_class, const WorkHooks& hooks, bool expired);
  Status write_logs(SegmentClass segment_class);
  Status write_log_file(SegmentClass segment_class, std::vector<RowRef<LogRows>> rows);

  FileSystem& files_;
  std::string directory_;
  std::shared_ptr<const Version> base_;
  std::set<uint64_t> inputs_;
  std::atomic<uint64_t>& next_number_;
  const TenantGroups groups_;
  std::vector<SegmentInfo> outputs_;
  std::vector<RowMoves> moves_;
};

}  // namespace contextcore::store
