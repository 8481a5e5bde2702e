#pragma once
// The work index as a table: immutable files, of which a newer one hides rows of older ones, plus the rows that changed
// since, as one value.
//
// A WorkTable never changes. with() makes the next version and shares everything that stayed the
// same (the files, and the untouched parts of a persistent search tree), in O(changed rows * log n);
// readers keep the version that they hold. Thread-safe.
//
// A cut writes the changed rows, together with those of the newest files whose size does not dwarf them: each file left
// behind is more than twice as large as all that is newer, so there are few files, and a row is written again only
// some log2(rows / changed rows) times, however small the cuts are.
//
// Files are read lazily, in blocks of some 16 KiB that are checked when they are first needed. The
// look-ups of WorkIndexView cannot return an error, so a block that cannot be read is remembered:
// whoever decides something from a table asks status() afterwards and throws its decision away when
// it is not ok. Layout of the file: docs/store-format.md, "Work table".

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/work_index.h"

namespace contextcore::store {

// Span ids as numbers. They are hashes already.
struct ScatteredId {
  size_t operator()(uint64_t id) const { return id; }
};
using WorkIds = std::unordered_set<uint64_t, ScatteredId>;

class WorkTable : public WorkIndexView {
 public:
  static std::shared_ptr<const WorkTable> empty();
  // Newest first. Reads the headers and the block directories only. Errors: not_found, corruption, unsupported (a
  // newer format), io_error.
  static Result<std::shared_ptr<const WorkTable>> open(FileSystem& files,
                                                       const std::vector<std::string>& paths);

  // This table with rows added or replaced (identity: span_id; the last one of an id wins).
  virtual std::shared_ptr<const WorkTable> with(std::vector<WorkRow> changed) const = 0;
  // What has changed since `since`, over `base`: the same table with the files of base, which says what `since` does.
  // REQUIRES: this came from `since` by with(), or says everything itself
  virtual std::shared_ptr<const WorkTable> onto(const WorkTable& since,
                                                const std::shared_ptr<const WorkTable>& base) const = 0;
  // The same with the files opened again that could not be read (read_failures.h).
  virtual Result<std::shared_ptr<const WorkTable>> reopened(FileSystem& files) const = 0;
  // How many of the oldest files the next write had better leave as they are.
  virtual size_t files_to_keep() const = 0;
  // Writes what the `keep` oldest files do not say as one file, newer than these, and syncs it (the directory is the
  // caller's to sync). path is created or overwritten. REQUIRES: keep ≤ file_count()
  virtual Status write(FileSystem& files, const std::string& path, size_t keep) const = 0;
  virtual size_t file_count() const = 0;
  // The ids of all rows with keys that `hides` accepts (WorkHooks::hides), and maybe of some that have changed since.
  // REQUIRES: always the same function; the files keep what it said of them
  virtual WorkIds hiding(const std::function<bool(const WorkKey&)>& hides) const = 0;
  // The first error that a look-up met in a file; sticky, shared by all versions over it.
  Status status() const override = 0;
  // Reads and checks every block.
  virtual Status verify() const = 0;
  // Rows that are not as the files have them; a reason to write.
  virtual size_t changed_count() const = 0;
};

}  // namespace contextcore::store
