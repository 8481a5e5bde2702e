#pragma once
// What backup and restore share: the steps that make one folder a copy of the files of one moment.
// Each leaves what the destination was before readable until its CURRENT is replaced.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/backup.h"
#include "store/backup_file.h"
#include "store/pinned_files.h"

namespace contextcore::store {

class StoreCopy {
 public:
  StoreCopy(FileSystem& files, const CopyOptions& options, PinnedFiles& pinned)
      : files_(files), options_(options), pinned_(pinned) {}

  // The destination with its folders; durable.
  Status make_folders();
  // Files in data/. known: what the destination's manifest names, which must not be replaced.
  Status copy_data(bool link, const std::optional<Manifest>& known);
  Status copy_log();
  // The manifest, then CURRENT: from here on the destination is the copy.
  Status commit();
  // Removes what the copy does not consist of. What cannot be removed stays.
  void remove_rest();
  CopyReport& report() { return report_; }

 private:
  std::string at_destination(const std::string& path) const;
  Result<bool> is_same(const std::string& source, const std::string& copy) const;
  Status copy_file(const std::string& source, const std::string& copy);
  Status write_file(const std::string& path, std::string_view bytes);
  void show(const std::string& path);

  FileSystem& files_;
  const CopyOptions& options_;
  PinnedFiles& pinned_;
  CopyReport report_;
  uint64_t done_ = 0;
};

// Files of a store that are not the engine's (the places of exports), by name below the store.
using OtherFiles = std::vector<std::pair<std::string, std::string>>;
// To be read before the store is pinned: a place of an export may lag behind the data, never run
// ahead of it.
Result<OtherFiles> read_other_files(FileSystem& files, const std::string& directory);
Status write_other_files(FileSystem& files, const std::string& directory, const OtherFiles& others);

}  // namespace contextcore::store
