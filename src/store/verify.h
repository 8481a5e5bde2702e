#pragma once
// Reads everything that a store's manifest names and says what is damaged, as precisely as the file
// allows: a page, its rows, the tasks in them. Takes no lock and works beside writers: it looks at the
// files of one moment (pinned_files.h).

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "store/journal.h"

namespace contextcore::store {

struct Damage {
  std::string file;
  std::string part;                   // "row group 2, column name"; "" = the whole file
  std::string rows;                   // "2048 to 3071"; "" = not of rows
  std::string what;                   // what was found, or what was expected instead
  std::vector<std::string> affected;  // "task demo-1", "trace 4bf9…"; the first ones
  std::string remedy;
};

struct VerifyReport {
  std::string store_id;
  uint64_t edit = 0, sequence = 0;  // of the manifest; of the last transaction in the log
  uint64_t files = 0, bytes = 0, pages = 0;
  uint64_t span_rows = 0, log_rows = 0, masked_rows = 0, metric_samples = 0, work_rows = 0,
           commands = 0, digests = 0, frames = 0;
  std::vector<Damage> damages;  // at most kDamagesMax
  uint64_t more_damages = 0;    // beyond these
  std::vector<std::string> notes;  // worth knowing, no damage
  bool sound() const { return damages.empty(); }
};
constexpr size_t kDamagesMax = 1000, kAffectedMax = 20;

struct VerifyOptions {
  std::string path;
  WorkHooks hooks;  // of the work table's rows; without a row function it is checked but not compared
  FileSystem* file_system = nullptr;  // defaults: the real ones
  Clock* clock = nullptr;
  // How much of the bytes is done, 0 to 1, and the file that is being read.
  std::function<void(double share, const std::string& file)> progress;
};

// Damage is no error. Errors: not_found (no store there), unavailable (it changes too fast), io_error.
Result<VerifyReport> verify_store(const VerifyOptions& options);

}  // namespace contextcore::store
