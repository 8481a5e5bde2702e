#pragma once
// Looks at what a task is to deliver. Only the caller's machine can: paths are relative to the
// folder that the program runs in.

#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/json.h"

namespace contextcore::sdk {

// One result for each deliverable of a task (as task.get tells it): [{type, path, verified,
// detail}]. Files are looked for; of all else somebody has to say that it is good (`passed`) or not
// (`failed`), by its path.
JsonArray look_at_deliverables(const FileSystem& files, const Json& task,
                               const std::vector<std::string>& passed,
                               const std::vector<std::string>& failed);

}  // namespace contextcore::sdk
