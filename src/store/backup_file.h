#pragma once
// The file BACKUP in a folder that holds a backup: which states were written into it. It tells a
// backup that may be added to from one that somebody has opened and written to since, and says how
// much of the log there has to be, since a backup has no commit mark.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "store/manifest.h"

namespace contextcore::store {

struct BackupState {
  uint64_t manifest = 0;  // XXH3-64 of the manifest record
  uint64_t epoch = 0, log_bytes = 0;
  bool operator==(const BackupState&) const = default;
};

struct BackupFile {
  std::string store_id, source;
  int64_t time_ns = 0;
  std::vector<BackupState> states;  // the one that is being written or was last, and the one before
};

std::string backup_path(const std::string& directory);
uint64_t digest_of(const Manifest& manifest);
// nullopt: there is none, or it does not parse.
std::optional<BackupFile> read_backup_file(FileSystem& files, const std::string& directory);
Status write_backup_file(FileSystem& files, const std::string& directory, const BackupFile& file);
// The state whose manifest this is.
std::optional<BackupState> backup_state(FileSystem& files, const std::string& directory,
                                        const Manifest& manifest);

}  // namespace contextcore::store
