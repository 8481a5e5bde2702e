#include "store/trace_directory.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "store/store_version.h"

namespace contextcore::store {
namespace {

std::shared_ptr<const TraceRun> open_run(FileSystem& files, const std::string& directory,
                                         uint64_t number, const TraceDirectory* previous) {
  if (previous != nullptr) {
    for (const TraceDirectory::Listed& known : previous->runs()) {
      if (known.number == number) return known.run;
    }
  }
  auto run = TraceRun::open(files, data_path(directory, number, "traces"));
  if (run.ok()) return *run;
  // One that is gone belongs to a manifest that is no longer the newest.
  if (run.error().code != Code::not_found) {
    log_warn("a run of the trace directory is not used", {{"error", run.error().message}});
  }
  return nullptr;
}

}  // namespace

TraceDirectory TraceDirectory::open(FileSystem& files, const std::string& directory,
                                    const std::vector<SpanSegment>& segments,
                                    const TraceDirectory* previous) {
  TraceDirectory made;
  std::map<uint64_t, std::map<uint64_t, uint32_t>> by_run;  // run, segment: index
  for (uint32_t i = 0; i < segments.size(); ++i) {
    const SegmentInfo& info = segments[i].info;
    if (segments[i].journal()) continue;
    if (info.run_number == 0) {
      made.unlisted_.push_back(i);
    } else {
      by_run[info.run_number][info.number] = i;
    }
  }
  for (auto& [number, wanted] : by_run) {
    Listed listed{number, open_run(files, directory, number, previous), {}};
    if (listed.run != nullptr && !listed.run->given_up()) {
      for (const TraceRun::Segment& segment : listed.run->segments()) {
        const auto found = wanted.find(segment.number);
        listed.segments.push_back(found == wanted.end() ? kGone : found->second);
        if (found != wanted.end()) wanted.erase(found);
      }
      made.runs_.push_back(std::move(listed));
    }
    for (const auto& [segment, index] : wanted) made.unlisted_.push_back(index);
  }
  return made;
}

std::vector<uint32_t> TraceDirectory::segments_of(const otlp::TraceId& id) const {
  std::vector<uint32_t> segments = unlisted_;
  if (runs_.empty()) return segments;
  const uint64_t fingerprint = trace_fingerprint(id);
  std::vector<uint32_t> found;
  for (const Listed& listed : runs_) {
    found.clear();
    if (!listed.run->given_up()) {
      const Status status = listed.run->find(fingerprint, found);
      if (!status.ok()) {
        log_warn("a run of the trace directory is no longer used", {{"error", status.error().message}});
        listed.run->give_up();
      }
    }
    if (listed.run->given_up()) {
      segments.insert(segments.end(), listed.segments.begin(), listed.segments.end());
    }
    for (const uint32_t segment : found) segments.push_back(listed.segments[segment]);
  }
  std::sort(segments.begin(), segments.end());
  segments.erase(std::unique(segments.begin(), segments.end()), segments.end());
  while (!segments.empty() && segments.back() == kGone) segments.pop_back();
  return segments;
}

}  // namespace contextcore::store
