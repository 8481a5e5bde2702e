#pragma once
// Which segments of received spans have rows of a trace: the runs of a version (trace_run.h), and the
// segments that none of them lists and that have to be asked themselves: those of a head that is
// being cut, those that a program before the runs wrote, those of a damaged run.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/trace_run.h"

namespace contextcore::store {

struct SpanSegment;

class TraceDirectory {
 public:
  // Opens the runs that segments name, to read them when somebody first asks; those that previous (may be null) has open
  // are shared.
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
  const std::vector<Listed>& runs() const { return read().runs; }

 private:
  // A run's file, read once. Shared by versions; thread-safe.
  class RunFile {
   public:
    RunFile(std::unique_ptr<File> file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
    std::shared_ptr<const TraceRun> read();  // null: it cannot be used

   private:
    std::mutex mutex_;
    std::unique_ptr<File> file_;
    const std::string path_;
    std::shared_ptr<const TraceRun> run_;
  };
  struct Named {
    uint64_t number = 0;  // of the run
    std::shared_ptr<RunFile> file;  // null: it is gone
    std::map<uint64_t, uint32_t> segments;  // number: index
  };
  struct Contents {
    std::vector<Listed> runs;
    std::vector<uint32_t> unlisted;
  };
  // What the files say; copies of a directory share it.
  struct Shared {
    std::vector<Named> named;
    std::mutex mutex;
    std::atomic<bool> read{false};
    Contents contents;  // not written once read is set
  };
  const Contents& read() const;

  std::shared_ptr<Shared> shared_;
  std::vector<uint32_t> unlisted_;  // known without reading
};

}  // namespace contextcore::store
