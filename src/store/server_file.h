#pragma once
// The SERVER file: who serves the store, so that others send their commands there instead of
// waiting for the lock. Written by the holder of the lock, believed as long as its process lives.

#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "store/store.h"

namespace contextcore::store {

Status write_server_file(FileSystem& files, const std::string& directory, const ServerInfo& info);
// REQUIRES: the lock is held, so no server lives. Does nothing when there is none.
Status remove_server_file(FileSystem& files, const std::string& directory);

}  // namespace contextcore::store
