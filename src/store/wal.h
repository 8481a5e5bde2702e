#pragma once
// One write-ahead log file: a header and a chain of frames. There is one live file; a cut starts
// the next epoch in a new one (or in the one before last, recycled). Space is allocated ahead, so
// that a sync of a frame needs no journal entry of the file system. No locking here: the sequencer
// writes, and readers read only up to what the commit mark covers.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/result.h"
#include "store/frame.h"

namespace contextcore::store {

// A place in the log: where the next frame starts and what seeds its checksum.
struct WalPosition {
  uint64_t offset = 0;
  uint64_t seed = 0;
  uint64_t sequence = 0;  // of the last frame before it
};

class WalFile {
 public:
  // Makes the file of an epoch, durable but for its directory entry. A file that is there is
  // reused.
  static Result<std::unique_ptr<WalFile>> create(FileSystem& files, const std::string& path,
                                                 uint64_t epoch, const std::string& store_id);
  // Errors: not_found; unavailable when the file is of another epoch (recycled, or not begun).
  static Result<std::unique_ptr<WalFile>> open(FileSystem& files, const std::string& path,
                                               uint64_t epoch, const std::string& store_id,
                                               bool writable);
  // Where the first frame starts, given the sequence that the files before it end with.
  WalPosition start(uint64_t sequence) const;

  // unsupported: a newer program has written on.
  // Calls fn for every valid frame from position on that ends at or before end (UINT64_MAX: as far
  // as frames are valid), and moves position behind it. Stops at the first that is not the next
  // one.
  Status replay(WalPosition& position, uint64_t end,
                const std::function<Status(const Frame& frame)>& fn) const;
  // True when there is something at offset that could be a frame of this epoch.
  Result<bool> has_frame_at(uint64_t offset) const;

  bool has_room(uint64_t end) const { return end <= allocated_; }
  // Makes sure that bytes up to end can be written; resource_exhausted leaves everything as it was.
  Status reserve(uint64_t end);
  Status write(uint64_t offset, std::string_view bytes) { return file_->write_at(offset, bytes); }
  Status sync() { return file_->sync(); }
  // Writes [begin, end) again and syncs: pages that a failed sync left clean but not on disk are
  // dirty again.
  Status rewrite(uint64_t begin, uint64_t end);

  uint64_t epoch() const { return epoch_; }
  bool writable() const { return writable_; }

 private:
  WalFile(std::unique_ptr<File> file, uint64_t epoch, uint64_t seed, bool writable)
      : file_(std::move(file)), epoch_(epoch), seed_(seed), writable_(writable) {}
  Result<std::string> read_range(uint64_t begin, uint64_t end) const;

  std::unique_ptr<File> file_;
  uint64_t epoch_;
  uint64_t seed_;
  bool writable_;
  uint64_t allocated_ = 0;
};

}  // namespace contextcore::store
