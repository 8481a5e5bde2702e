// The trace run of a cut: the traces of its new segments; with them those of smaller runs, so that the
// number of runs stays bounded, and of one segment that no run lists.

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "store/cut.h"
#include "store/rows_spans.h"

namespace contextcore::store {
namespace {

constexpr size_t kRunsMax = 8;
constexpr size_t kMergedAtOnce = 6;
// Larger ones are left alone; a merge has all entries in memory.
constexpr uint64_t kMergeEntriesMax = 2'000'000;

struct Candidate {
  const TraceDirectory::Listed* listed = nullptr;
  uint64_t live = 0;  // entries of segments that are still there
};

// Fingerprints of the traces that have rows in a segment, ascending.
Result<std::vector<uint64_t>> fingerprints_of(const SpanRows& rows) {
  std::vector<uint64_t> out;
  for (uint32_t row = 0; row < rows.size();) {
    const SpanRows::InColumns in = rows.columns_at(row);
    CC_ASSIGN(const ColumnView traces,
              in.source->fixed(static_cast<size_t>(SpanColumn::trace_id)));
    for (size_t i = 0; i < traces.strings.count; ++i) {
      out.push_back(trace_fingerprint(trace_id_of(traces.strings.at(i))));
    }
    row = in.end;
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

// Takes over what a run says of segments that are still there.
Status Cut::take_run(const TraceDirectory::Listed& listed, TraceRunBuilder& run) {
  std::map<uint32_t, std::vector<uint64_t>> by_segment;  // by index in the run
  const auto& segments = listed.run->segments();
  for (uint32_t i = 0; i < segments.size(); ++i) {
    const auto is_it = [&](const SegmentInfo& info) {
      return info.number == segments[i].number && info.run_number == listed.number;
    };
    if (std::any_of(manifest_.segments.begin(), manifest_.segments.end(), is_it)) by_segment[i];
  }
  const Status read = listed.run->for_each([&](uint64_t fingerprint, uint32_t segment) {
    const auto found = by_segment.find(segment);
    if (found != by_segment.end()) found->second.push_back(fingerprint);
  });
  if (!read.ok()) {
    log_warn("a run of the trace directory is no longer used", {{"error", read.error().message}});
    listed.run->give_up();
    return {};
  }
  for (const auto& [segment, fingerprints] : by_segment) {
    run.add(segments[segment].number, fingerprints);
  }
  return {};
}

// One of the segments that no run lists, or only one that cannot be read.
Status Cut::list_another(TraceRunBuilder& run) {
  const Version& version = head_.version();
  for (const SpanSegment& segment : version.spans) {
    if (segment.journal()) continue;
    const auto is_it = [&](const SegmentInfo& info) { return info.number == segment.info.number; };
    const auto info = std::find_if(manifest_.segments.begin(), manifest_.segments.end(), is_it);
    if (info == manifest_.segments.end()) continue;  // merged
    const auto& runs = version.traces.runs();
    const bool listed = std::any_of(runs.begin(), runs.end(), [&](const auto& one) {
      return one.number == info->run_number && !one.run->given_up();
    });
    const auto& added = run.segments();
    if (listed || std::find(added.begin(), added.end(), info->number) != added.end()) continue;
    info->run_number = 0;
    auto fingerprints = fingerprints_of(*segment.rows);
    if (!fingerprints.ok()) {
      log_warn("the traces of a segment cannot be listed", {{"error", fingerprints.error().message}});
      continue;
    }
    run.add(info->number, *fingerprints);
    return {};
  }
  return {};
}

Status Cut::write_traces(TraceRunBuilder run) {
  std::vector<Candidate> candidates;
  for (const TraceDirectory::Listed& listed : head_.version().traces.runs()) {
    if (listed.run->given_up()) continue;
    Candidate candidate{&listed, 0};
    for (const TraceRun::Segment& segment : listed.run->segments()) {
      for (const SegmentInfo& info : manifest_.segments) {
        if (info.number == segment.number && info.run_number == listed.number) {
          candidate.live += segment.entries;
        }
      }
    }
    if (candidate.live > 0) candidates.push_back(candidate);
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.live < b.live;
  });
  const size_t merges = candidates.size() >= kRunsMax ? kMergedAtOnce : 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    const bool mostly_gone = candidate.live * 2 < candidate.listed->run->entries();
    if (candidate.live <= kMergeEntriesMax && (i < merges || mostly_gone)) {
      CC_TRY(take_run(*candidate.listed, run));
    }
  }
  CC_TRY(list_another(run));
  if (run.empty()) return {};
  const uint64_t number = take_number();
  CC_TRY(run.write(files_, data_path(directory_, number, "traces")));
  for (SegmentInfo& info : manifest_.segments) {
    const auto& listed = run.segments();
    if (std::find(listed.begin(), listed.end(), info.number) != listed.end()) {
      info.run_number = number;
    }
  }
  return {};
}

}  // namespace contextcore::store
