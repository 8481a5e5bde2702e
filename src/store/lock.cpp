#include "store/lock.h"

#include <algorithm>
#include <utility>

#include "store/manifest.h"
#include "store/store.h"

namespace contextcore::store {
namespace {

// How long to wait before looking again whether a server has come up.
constexpr int64_t kSliceNs = 100'000'000;

}  // namespace

Result<std::unique_ptr<FileLock>> acquire_write_lock(FileSystem& files, Clock& clock,
                                                     const std::string& directory, int64_t wait_ns,
                                                     const std::string& owner) {
  const std::string path = lock_path(directory);
  int64_t slice_ns = 0;
  int64_t left_ns = wait_ns;
  for (;;) {
    auto lock = files.lock(path, slice_ns);
    if (lock.ok()) {
      CC_TRY((*lock)->write_owner(owner));
      return lock;
    }
    if (lock.error().code != Code::unavailable) return lock;
    CC_ASSIGN(const auto server, find_server(files, clock, directory));
    if (server) {
      return Error{Code::unavailable,
                   "the store " + directory + " is served by process " +
                       std::to_string(server->pid) + " at " + server->address,
                   "server",
                   {},
                   {}};
    }
    // Counted and not measured: a clock that stands still must not make us wait for ever.
    left_ns -= slice_ns;
    if (left_ns <= 0) {
      Error error = std::move(lock).error();
      error.message = "the store " + directory +
                      " is being written by somebody else: " + error.message + " (gave up after " +
                      std::to_string(wait_ns / 1'000'000) + " ms)";
      return error;
    }
    slice_ns = std::min(left_ns, kSliceNs);
  }
}

}  // namespace contextcore::store
