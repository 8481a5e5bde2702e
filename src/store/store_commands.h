#pragma once
// What commands answered, so that a repeat within 24 hours gets the first result: in the head for
// those of the live log, and in one small file per cut for the others.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"

namespace contextcore::store {

inline constexpr int64_t kCommandKeptNs = 24ll * 3600 * 1'000'000'000;

struct StoredCommand {
  std::string command_id;
  std::string result;
  int64_t time_ns = 0;
  uint64_t sequence = 0;
};

// Thread-safe. The directory of the index is read when something is first looked up.
class CommandFile {
 public:
  static Status write(FileSystem& files, const std::string& path,
                      const std::vector<StoredCommand>& commands);
  static Result<std::shared_ptr<const CommandFile>> open(FileSystem& files, const std::string& path,
                                                         uint64_t number);
  Result<std::optional<StoredCommand>> find(std::string_view command_id) const;
  Result<std::vector<StoredCommand>> all() const;
  uint64_t number() const { return number_; }

 private:
  CommandFile(std::unique_ptr<File> file, std::string path, uint64_t number)
      : file_(std::move(file)), path_(std::move(path)), number_(number) {}
  struct Bucket {
    uint64_t offset = 0;
    uint32_t commands = 0, stored = 0, raw = 0;
    uint64_t hashes_checksum = 0, block_checksum = 0;
  };
  Status load_directory() const;
  // REQUIRES: load_directory()
  Result<Bucket> bucket(size_t number) const;
  Result<std::vector<StoredCommand>> commands_of(const Bucket& bucket) const;
  Result<std::string> read_exactly(uint64_t offset, size_t length) const;

  std::unique_ptr<File> file_;
  std::string path_;
  uint64_t number_;
  mutable std::mutex mutex_;
  mutable std::string directory_;  // the file up to the first bucket
  mutable uint32_t bits_ = 0;
};

}  // namespace contextcore::store
