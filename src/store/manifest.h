#pragma once
// The manifest: which files make up the store, and where the log behind them starts. An append-only
// file of records, each with a checksum and each saying the whole of it; the last valid one counts.
// CURRENT names the file (atomic rename). A writer appends only to a manifest file that it began
// itself and starts a new one at 1 MiB: what an earlier process may have failed to sync is never
// built upon.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"

namespace contextcore::store {

enum class RowsKind : uint8_t { spans = 1, logs = 2, metrics = 3 };
enum class SegmentClass : uint8_t { work = 1, runtime = 2 };  // of the journal; received

// Least and greatest time in a segment: starts of spans, times of log records and samples.
struct TimeBounds {
  int64_t least_ns = INT64_MAX, greatest_ns = INT64_MIN;
  void add(int64_t time_ns) {
    least_ns = least_ns < time_ns ? least_ns : time_ns;
    greatest_ns = greatest_ns > time_ns ? greatest_ns : time_ns;
  }
  bool known() const { return least_ns <= greatest_ns; }
  bool operator==(const TimeBounds&) const = default;
};

struct SegmentInfo {
  uint64_t number = 0;
  RowsKind kind = RowsKind::spans;
  SegmentClass segment_class = SegmentClass::work;
  uint64_t rows = 0;  // of metrics: samples
  uint64_t bytes = 0;
  uint64_t mask_number = 0;  // 0: no row is masked
  uint64_t masked_rows = 0;
  TimeBounds bounds;  // not known: written by a version that did not say
  bool kept = false;  // what retention leaves of segments that it took
  uint64_t run_number = 0;  // of received spans: the trace run that lists it; 0: none
  // Of received spans and logs: whose rows it has, ascending; none: the default tenant's alone.
  std::vector<uint32_t> tenants;
  bool operator==(const SegmentInfo&) const = default;
};

struct CommandFileInfo {
  uint64_t number = 0;
  uint64_t commands = 0;
  int64_t newest_ns = 0;
  bool operator==(const CommandFileInfo&) const = default;
};

struct DigestFileInfo {
  uint64_t number = 0;
  uint64_t digests = 0;
  int64_t newest_ns = 0;  // of its newest run
  bool operator==(const DigestFileInfo&) const = default;
};

struct Manifest {
  std::string store_id;
  int64_t created_ns = 0;
  uint64_t edit = 0;         // counts records
  uint64_t wal_epoch = 0;    // the live log
  uint64_t sequence = 0;     // everything up to this is in files
  uint64_t next_number = 1;  // of the next file
  std::vector<uint64_t> work_numbers;  // files of the work table, newest first
  uint64_t forwards_number = 0;
  std::vector<SegmentInfo> segments;
  std::vector<CommandFileInfo> commands;
  std::vector<DigestFileInfo> digests;  // oldest first
  std::vector<std::string> tenants;  // index = number; 0 is the default tenant
  bool operator==(const Manifest&) const = default;
};

std::string encode_manifest(const Manifest& manifest);
Result<Manifest> decode_manifest(std::string_view bytes);
// A manifest file that holds this one record.
std::string manifest_file_bytes(const Manifest& manifest);
// The last record of a manifest file that is valid, with nothing invalid before it. valid_bytes: where
// the valid records end; corruption: there is none, or the file is none of ours. path: for messages.
Result<Manifest> read_manifest_bytes(std::string_view bytes, const std::string& path,
                                     uint64_t& valid_bytes);

// Where things are. `directory` is the store's.
std::string current_path(const std::string& directory);
std::string lock_path(const std::string& directory);
std::string mark_path(const std::string& directory);
std::string server_path(const std::string& directory);
std::string wal_directory(const std::string& directory);
std::string wal_path(const std::string& directory, uint64_t epoch);
std::string wal_spare_path(const std::string& directory);
std::string data_directory(const std::string& directory);
// extension: spans logs metrics mask traces work commands digests forwards
std::string data_path(const std::string& directory, uint64_t number, std::string_view extension);
std::string_view extension_of(RowsKind kind);

// What a manifest says of a file that was just written, without rows, times and masks.
Result<SegmentInfo> written_segment(FileSystem& files, const std::string& directory, RowsKind kind,
                                    SegmentClass segment_class, uint64_t number);

class ManifestFile {
 public:
  ManifestFile(FileSystem& files, std::string directory);
  // The last valid record of the file that CURRENT names. not_found: this is no store (yet).
  Result<Manifest> read();
  // Durable when it returns ok. After an error nobody knows which one the disk has; in_doubt, if
  // given, says false when it certainly still is the one before.
  Status write(const Manifest& manifest, bool* in_doubt = nullptr);
  // False: it certainly still is the one that was read or written last, and that is `known`. Costs
  // no reading of records.
  Result<bool> changed(const Manifest& known) const;
  // The next write begins a new file.
  void restart() { file_ = nullptr; }

 private:
  Result<std::string> read_live(std::string& path);
  Status make_current(const std::string& name, bool& in_doubt);

  FileSystem& files_;
  std::string directory_;
  std::unique_ptr<File> file_;  // begun by us
  std::string name_;            // its name
  uint64_t size_ = 0;
  void remember(const std::string& name, uint64_t size, uint64_t edit);
  std::string read_name_;  // what was read or written last
  uint64_t read_size_ = 0, read_edit_ = 0;
};

}  // namespace contextcore::store
