#pragma once
// Which segments of received spans have rows of a trace: the runs of a version (trace_run.h), and the
// segments that none of them lists and that have to be asked themselves: those of a head that is
// being cut, those that a program before the runs wrote, those of a damaged run.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/trace_run.h"

namespace contextcore::store {

struct SpanSegment;

class TraceDirectory {
 public:
  // Opens the runs that segments name; those that previous (may be null) has open are shared.
  static TraceDirectory open(FileSystem& files, const std::string& directory,
                             const std::vector<SpanSegment>& segments,
                             const TraceDirectory* previous);
  // Another segment came behind the others: of the received, one that no run lists.
  void add_unlisted(size_t segment) { unlisted_.push_back(static_cast<uint32_t>(segment)); }

  // Indices of the segments of received spans that may have the trace, ascending.
  std::vector<uint32_t> segments_of(const otlp::TraceId& id) const;

  struct Listed {
    uint64_t number = 0;  // of the run
    std::shared_ptr<const TraceRun> run;
    std::vector<uint32_t> segments;  // by index in the run: index of the segment, or kGone
  };
  static constexpr uint32_t kGone = UINT32_MAX;
  const std::vector<Listed>& runs() const { return runs_; }

 private:
  std::vector<Listed> runs_;
  std::vector<uint32_t> unlisted_;
};

}  // namespace contextcore::store
