#pragma once
// A run of the trace directory: which segments of received spans have rows of a trace. One file,
// written with the segments that it lists and never changed; sorted fingerprints, and a filter that
// answers nearly every look-up of a trace that is in none of them without reading. A hit may be
// wrong (another trace of the same fingerprint), a miss is not. docs/store-format.md, "Trace runs".

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "otlp/model.h"
#include "store/line_filter.h"

namespace contextcore::store {

constexpr std::string_view kTraceRunMagic = "CCTRACE\n";
constexpr uint32_t kTraceRunVersion = 1;
constexpr size_t kRunSegmentsMax = 1u << 16;

// 48 bits.
uint64_t trace_fingerprint(const otlp::TraceId& id);

// Fingerprint << 16 | index of a segment in the run.
constexpr uint64_t run_entry(uint64_t fingerprint, size_t segment) { return fingerprint << 16 | segment; }

class TraceRun {
 public:
  struct Segment {
    uint64_t number = 0;
    uint64_t entries = 0;
  };
  // The trailer, the directory and the filter are read and checked; blocks when they are needed.
  static Result<std::shared_ptr<const TraceRun>> open(FileSystem& files, const std::string& path);
  // Of a file that is open already; path: for messages.
  static Result<std::shared_ptr<const TraceRun>> open(std::unique_ptr<File> file, const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<Segment>& segments() const { return segments_; }
  uint64_t entries() const { return entries_; }
  // Appends the indices of segments that may have the trace, ascending.
  Status find(uint64_t fingerprint, std::vector<uint32_t>& out) const;
  Status for_each(const std::function<void(uint64_t fingerprint, uint32_t segment)>& fn) const;
  bool passes_filter(uint64_t fingerprint) const { return filter_.passes(fingerprint); }
  size_t blocks() const { return blocks_.size(); }
  uint64_t memory_bytes() const;

  // Met a block that is damaged: not asked again.
  void give_up() const { given_up_.store(true, std::memory_order_relaxed); }
  bool given_up() const { return given_up_.load(std::memory_order_relaxed); }

 private:
  struct Block {
    uint64_t first = 0;  // entry
    uint64_t checksum = 0;
  };
  Status read_directory();
  bool decode_directory(std::string_view bytes, uint64_t pages_end);
  Result<std::vector<uint64_t>> block(size_t number) const;
  Error damaged(const std::string& what) const;

  std::string path_;
  std::unique_ptr<File> file_;
  std::vector<Segment> segments_;
  uint64_t entries_ = 0;
  std::vector<Block> blocks_;
  LineFilter filter_;
  uint64_t filter_checksum_ = 0;
  mutable std::atomic<bool> given_up_{false};
};

// What a run is to hold.
class TraceRunBuilder {
 public:
  bool empty() const { return segments_.empty(); }
  const std::vector<uint64_t>& segments() const { return segments_; }  // numbers
  // fingerprints: of all traces that have rows in it, each once. REQUIRES: a segment that is new here
  void add(uint64_t segment, const std::vector<uint64_t>& fingerprints);
  // Writes and syncs; the directory is the caller's to sync. Once.
  Status write(FileSystem& files, const std::string& path);

 private:
  std::vector<uint64_t> segments_;
  std::vector<uint64_t> entries_;
};

}  // namespace contextcore::store
