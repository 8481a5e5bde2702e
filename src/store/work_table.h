#pragma once
// The work index as a table: an immutable base file plus the rows that changed since, as one value.
//
// A WorkTable never changes. with() makes the next version and shares everything that stayed the
// same (the base, and the untouched parts of a persistent search tree), in O(changed rows * log n);
// readers keep the version that they hold. Thread-safe.
//
// The base is read lazily, in blocks of some 4 KiB that are checked when they are first needed. The
// look-ups of WorkIndexView cannot return an error, so a block that cannot be read is remembered:
// whoever decides something from a table asks status() afterwards and throws its decision away when
// it is not ok. Layout of the file: docs/store-format.md, "Work table".

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "store/work_index.h"

namespace contextcore::store {

class WorkTable : public WorkIndexView {
 public:
  static std::shared_ptr<const WorkTable> empty();
  // Reads the header and the block directory only. Errors: not_found, corruption, unsupported (a
  // newer format), io_error.
  static Result<std::shared_ptr<const WorkTable>> open(FileSystem& files, const std::string& path);

  // This table with rows added or replaced (identity: span_id; the last one of an id wins).
  virtual std::shared_ptr<const WorkTable> with(std::vector<WorkRow> changed) const = 0;
  // Writes every row as a base file and syncs it (the directory is the caller's to sync). path is
  // created or overwritten.
  virtual Status write(FileSystem& files, const std::string& path) const = 0;
  // The first error that a look-up met in the base file; sticky, shared by all versions over it.
  virtual Status status() const = 0;
  // Reads and checks every block.
  virtual Status verify() const = 0;
  // Rows that are not as the base file has them; a reason to write a new base.
  virtual size_t changed_count() const = 0;
};

}  // namespace contextcore::store
