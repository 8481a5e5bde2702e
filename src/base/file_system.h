#pragma once
// Seam 1: files. Everything that touches the disk goes through FileSystem, so that tests can lose,
// tear and reorder what was not synced. Paths are UTF-8; relative ones are taken from the working
// directory. All methods are thread-safe; a File may be read by several threads at once and written
// by one. Errors: io_error (message names path and errno text), not_found, resource_exhausted (disk
// or quota full), unavailable (a lock that is held), already_exists (create_new), invalid_argument
// (an offset beyond what a file can have).

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace contextcore {

enum class OpenMode : uint8_t {
  read,        // must exist
  read_write,  // must exist
  create,      // created empty if absent, opened read-write either way
  create_new,  // must not exist
};

class File {
 public:
  virtual ~File() = default;
  // Reads up to n bytes at offset into out; fewer only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, char* out, size_t n) const = 0;
  // Writes all of data at offset, extending the file as needed. Not durable before sync().
  virtual Status write_at(uint64_t offset, std::string_view data) = 0;
  // fdatasync: data and the size that is needed to read it back are durable when it returns ok.
  virtual Status sync() = 0;
  virtual Result<uint64_t> size() const = 0;
  virtual Status truncate(uint64_t size) = 0;
  // Extends the file to size with zeros that are really written and synced, so that later
  // overwrites need no metadata journal. Never shrinks, never touches bytes that are there.
  virtual Status allocate(uint64_t size) = 0;
};

// An advisory exclusive lock; released when destroyed or when the process ends, however it ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
  // The lock file's content (who holds it, for messages); written by the holder.
  virtual Status write_owner(std::string_view text) = 0;
};

// Asked while a lock is waited for: ok to go on waiting.
using StillWanted = std::function<Status()>;

struct FileInfo {
  uint64_t size = 0;
  bool is_directory = false;
  uint64_t inode = 0;
  int64_t modified_ns = 0;
  uint64_t device = 0;  // an inode is one of its device
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<FileInfo> stat(const std::string& path) const = 0;
  // Names (not paths) in a directory, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& path) const = 0;
  virtual Status make_directories(const std::string& path, uint32_t mode = 0700) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  // A second name for a file (a hard link). Errors besides: already_exists; unsupported where the file
  // system has none, or not between these two directories: copy then.
  virtual Status link(const std::string& from, const std::string& to);
  virtual Status remove(const std::string& path) = 0;
  // Makes renames, creations and removals in the directory durable.
  virtual Status sync_directory(const std::string& path) = 0;
  // Takes the exclusive lock on path (created if absent). Waits at most wait_ns, in the order of
  // coming, then unavailable. Who waits is asked at once and then some ten times a second whether it
  // still has to; an error of its own ends the waiting. Whoever gave up may hold the lock for a
  // moment yet when the turn comes. Two calls in one process exclude each other as two processes do.
  virtual Result<std::unique_ptr<FileLock>> lock_while(const std::string& path, int64_t wait_ns,
                                                       const StillWanted& still) = 0;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, int64_t wait_ns) {
    return lock_while(path, wait_ns, nullptr);
  }
  // A word for file systems that cannot be trusted with locks and syncs ("nfs"), or empty.
  virtual std::string network_type(const std::string& path) const = 0;

  bool exists(const std::string& path) const { return stat(path).ok(); }
  Result<std::string> read_file(const std::string& path);
  // Writes to a temporary name beside path, syncs it, renames it over path, syncs the directory.
  Status write_file_atomically(const std::string& path, std::string_view data);

 protected:
  // A name beside path that no other writer uses: path + ".tmp-" + something.
  virtual std::string temporary_path(const std::string& path);
};

// The operating system's. Lives for ever.
FileSystem& real_file_system();

// Path helpers; no I/O.
// An absolute name is returned as it is.
std::string join_path(std::string_view directory, std::string_view name);
// "." for a bare name; "/" is its own parent, and so is ".".
std::string parent_path(std::string_view path);

}  // namespace contextcore
