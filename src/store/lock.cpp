#include "store/lock.h"

#include <utility>

#include "store/manifest.h"
#include "store/store.h"

namespace contextcore::store {

Result<std::unique_ptr<FileLock>> acquire_write_lock(FileSystem& files, Clock& clock,
                                                     const std::string& directory, int64_t wait_ns,
                                                     const std::string& owner) {
  bool served = false;
  const auto no_server = [&]() -> Status {
    CC_ASSIGN(const auto server, find_server(files, clock, directory));
    served = server.has_value();
    if (!served) return {};
    return Error{Code::unavailable,
                 "the store " + directory + " is served by process " + std::to_string(server->pid) +
                     " at " + server->address,
                 "server",
                 {},
                 {}};
  };
  auto lock = files.lock_while(lock_path(directory), wait_ns, no_server);
  if (lock.ok()) {
    CC_TRY((*lock)->write_owner(owner));
    return lock;
  }
  if (lock.error().code != Code::unavailable || served) return lock;
  CC_TRY(no_server());  // one may have come up just now
  Error error = std::move(lock).error();
  error.message = "the store " + directory +
                  " is being written by somebody else: " + error.message + " (gave up after " +
                  std::to_string(wait_ns / 1'000'000) + " ms)";
  return error;
}

}  // namespace contextcore::store
