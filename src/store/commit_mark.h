#pragma once
// The commit mark: how far the log of the current epoch is committed, for processes that only read
// and for the next holder of the lock. Written without a sync: it is believed only in the boot that
// wrote it; after a restart the log itself is the truth. 48 bytes; a reader that finds a checksum
// that does not fit has met a writer and reads again.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"

namespace contextcore::store {

struct CommitMark {
  uint64_t epoch = 0;
  uint64_t offset = 0;  // frames before this are committed
  uint64_t durable =
      0;  // and before this they are synced (less than offset: durability "interval")
  bool operator==(const CommitMark&) const = default;
};

class CommitMarkFile {
 public:
  CommitMarkFile(FileSystem& files, Clock& clock, std::string path);
  // nullopt: there is none, it is damaged, or it was written in another boot.
  Result<std::optional<CommitMark>> read();
  Status write(const CommitMark& mark);

 private:
  FileSystem& files_;
  Clock& clock_;
  std::string path_;
  std::string boot_;            // 16 bytes; empty when the system does not tell
  std::unique_ptr<File> file_;  // opened when first needed
  bool writable_ = false;
};

}  // namespace contextcore::store
