#pragma once
// The operating system's file locks (flock), waited for in turn.

#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"

namespace contextcore {

// FileSystem::lock of the real file system.
Result<std::unique_ptr<FileLock>> lock_file(const std::string& path, int64_t wait_ns,
                                            const StillWanted& still);

}  // namespace contextcore
