#include "store/trace_directory.h"

#include <algorithm>

#include "base/log.h"
#include "store/store_version.h"

namespace contextcore::store {

std::shared_ptr<const TraceRun> TraceDirectory::RunFile::read() {
  const std::lock_guard lock(mutex_);
  if (file_ == nullptr) return run_;
  auto run = TraceRun::open(std::move(file_), path_);
  if (run.ok()) {
    run_ = std::move(*run);
  } else {
    log_warn("a run of the trace directory is not used", {{"error", run.error().message}});
  }
  return run_;
}

TraceDirectory TraceDirectory::open(FileSystem& files, const std::string& directory,
                                    const std::vector<SpanSegment>& segments,
                                    const TraceDirectory* previous) {
  TraceDirectory made;
  made.shared_ = std::make_shared<Shared>();
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
    Named& named = made.shared_->named.emplace_back();
    named.number = number;
    named.segments = std::move(wanted);
    if (previous != nullptr && previous->shared_ != nullptr) {
      for (const Named& known : previous->shared_->named) {
        if (known.number == number) named.file = known.file;
      }
    }
    if (named.file != nullptr) continue;
    const std::string path = data_path(directory, number, "traces");
    auto file = files.open(path, OpenMode::read);
    if (file.ok()) {
      named.file = std::make_shared<RunFile>(std::move(*file), path);
    } else if (file.error().code != Code::not_found) {
      // One that is gone belongs to a manifest that is no longer the newest.
      log_warn("a run of the trace directory is not used", {{"error", file.error().message}});
    }
  }
  return made;
}

const TraceDirectory::Contents& TraceDirectory::read() const {
  static const Contents kNone;
  if (shared_ == nullptr) return kNone;
  Shared& shared = *shared_;
  if (shared.read.load(std::memory_order_acquire)) return shared.contents;
  const std::lock_guard lock(shared.mutex);
  if (shared.read.load(std::memory_order_relaxed)) return shared.contents;
  for (const Named& named : shared.named) {
    std::map<uint64_t, uint32_t> wanted = named.segments;
    Listed listed{named.number, named.file != nullptr ? named.file->read() : nullptr, {}};
    if (listed.run != nullptr && !listed.run->given_up()) {
      for (const TraceRun::Segment& segment : listed.run->segments()) {
        const auto found = wanted.find(segment.number);
        listed.segments.push_back(found == wanted.end() ? kGone : found->second);
        if (found != wanted.end()) wanted.erase(found);
      }
      shared.contents.runs.push_back(std::move(listed));
    }
    for (const auto& [segment, index] : wanted) shared.contents.unlisted.push_back(index);
  }
  shared.read.store(true, std::memory_order_release);
  return shared.contents;
}

std::vector<uint32_t> TraceDirectory::segments_of(const otlp::TraceId& id) const {
  const Contents& contents = read();
  std::vector<uint32_t> segments = unlisted_;
  segments.insert(segments.end(), contents.unlisted.begin(), contents.unlisted.end());
  const uint64_t fingerprint = trace_fingerprint(id);
  std::vector<uint32_t> found;
  for (const Listed& listed : contents.runs) {
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
