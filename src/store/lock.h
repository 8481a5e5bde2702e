#pragma once
// The write lock of a store among processes: held for one write by embedded ones, for life by a
// server.

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"

namespace contextcore::store {

// Waits at most wait_ns. unavailable: somebody else holds it (the message says who); with hint
// "server" as soon as it is clear that a live server does: it can be asked instead (find_server).
Result<std::unique_ptr<FileLock>> acquire_write_lock(FileSystem& files, Clock& clock,
                                                     const std::string& directory, int64_t wait_ns,
                                                     const std::string& owner);

}  // namespace contextcore::store
