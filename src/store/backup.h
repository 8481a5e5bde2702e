#pragma once
// Copies of a whole store. A backup is a store of its own that opens: the files of one moment
// (pinned_files.h), linked where the file system allows and copied else, and the log up to the commit
// mark. It takes no lock of the source and works beside writers.

#include <cstdint>
#include <functional>
#include <string>

#include "store/verify.h"

namespace contextcore::store {

struct CopyOptions {
  std::string source, destination;
  FileSystem* file_system = nullptr;  // defaults: the real ones
  Clock* clock = nullptr;
  std::function<void(double share, const std::string& file)> progress;
  // restore: also when the source is damaged; what is readable is worth having.
  bool even_if_damaged = false;
  WorkHooks hooks;  // restore, for verify
};

struct CopyReport {
  std::string store_id;
  uint64_t edit = 0, sequence = 0;  // of the manifest; of the last transaction
  uint64_t files = 0, bytes = 0;    // that the copy consists of
  uint64_t linked = 0, copied = 0, kept = 0, removed = 0;  // files; kept: were there already
  uint64_t copied_bytes = 0;
  bool added_to = false;  // the destination held an older backup
  VerifyReport verified;  // restore: of the source, and when that is sound, of the copy
};

// Makes the destination, or brings a backup of the same store there up to date: the one that is there
// stays whole until the new one is durable. Errors: not_found, corruption (the source lacks files or
// log: verify it), failed_precondition (the destination holds something else, another store, or a
// backup that has been written to), unavailable, resource_exhausted, io_error.
Result<CopyReport> backup_store(const CopyOptions& options);

// Copies a store, usually a backup, to a folder that does not exist or is empty, and checks all of
// source and copy before it returns. The store keeps its id. A report whose verified is not sound: the
// source is damaged and nothing was written, unless even_if_damaged.
Result<CopyReport> restore_store(const CopyOptions& options);

}  // namespace contextcore::store
