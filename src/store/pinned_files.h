#pragma once
// A store's files of one moment, held open: what a manifest names and the log up to the commit mark.
// Descriptors stay good whatever is cut or merged meanwhile, so who copies or checks a store needs no
// lock and disturbs nobody. As a FileSystem it opens just these files, for reading only: the readers
// of segments, masks and tables work on it as they are.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "store/manifest.h"

namespace contextcore::store {

// The log of a pinned store: a copy in memory, because a log file is recycled while others hold it.
struct PinnedLog {
  std::string path;
  std::string bytes;         // up to the end of the last frame that counts
  uint64_t committed = 0;    // bytes that a commit mark, or a BACKUP file, vouches for; 0: unknown
  uint64_t last_sequence = 0;
  bool unread_tail = false;  // without a mark: something that is no frame follows
  Status status;             // why it could not be read at all
  bool whole() const { return status.ok() && bytes.size() >= committed; }
};

class PinnedFiles : public FileSystem {
 public:
  // A file that the newest manifest names and that does not exist is among missing(). Errors:
  // not_found (no store), corruption (no valid manifest), unavailable (changes too fast), io_error.
  static Result<std::unique_ptr<PinnedFiles>> pin(FileSystem& files, Clock& clock,
                                                  const std::string& directory);

  const Manifest& manifest() const { return manifest_; }
  const std::string& directory() const { return directory_; }
  const std::string& manifest_path() const { return manifest_path_; }
  // Bytes behind the last valid record of the manifest file.
  uint64_t manifest_tail() const { return manifest_tail_; }
  const PinnedLog& log() const { return log_; }
  const std::vector<std::string>& missing() const { return missing_; }
  // Of the files in data/, the log and the manifest.
  uint64_t total_bytes() const { return total_bytes_; }
  // Files in data/, by path, with their sizes.
  const std::map<std::string, uint64_t>& data_files() const { return sizes_; }
  // Called with the number of bytes after each read of a data file; nothing else may be under way.
  void on_read(std::function<void(uint64_t bytes)> fn) { on_read_ = std::move(fn); }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<FileInfo> stat(const std::string& path) const override;
  Result<std::vector<std::string>> list(const std::string& path) const override;
  Status make_directories(const std::string& path, uint32_t mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock_while(const std::string& path, int64_t wait_ns,
                                               const StillWanted& still) override;
  std::string network_type(const std::string&) const override { return {}; }

 private:
  explicit PinnedFiles(std::string directory) : directory_(std::move(directory)) {}
  Status open_all(FileSystem& files);
  Status read_log(FileSystem& files, Clock& clock);

  std::string directory_, manifest_path_;
  Manifest manifest_;
  uint64_t manifest_tail_ = 0, total_bytes_ = 0;
  PinnedLog log_;
  std::map<std::string, std::shared_ptr<File>> open_;
  std::map<std::string, uint64_t> sizes_;
  std::vector<std::string> missing_;
  std::function<void(uint64_t)> on_read_;
};

// Paths of the files in data/ that a manifest names.
std::vector<std::string> data_paths(const std::string& directory, const Manifest& manifest);

}  // namespace contextcore::store
