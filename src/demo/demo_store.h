#pragma once
// The demo's store is one of its own, marked as such, so that nobody's work is taken for it or
// removed with it.

#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "demo/demo.h"

namespace contextcore::demo {

bool is_demo_store(FileSystem& files, const std::string& path);
// Marks the folder, making it when it is absent. already_exists: it holds a store (its hint says
// what to do).
Status begin_demo_store(FileSystem& files, const std::string& path, const DemoOptions& options);
// Removes the folder with everything in it. Errors: not_found; failed_precondition: it is no demo
// store; unavailable: a server has it open.
Status remove_demo_store(FileSystem& files, Clock& clock, const std::string& path);

}  // namespace contextcore::demo
