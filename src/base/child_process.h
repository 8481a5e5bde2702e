#pragma once
// Running another program in the foreground, as env(1) or nice(1) do.

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace contextcore {

struct ChildExit {
  int code = 0;    // what a shell would say: the exit code, or 128 + the signal
  int signal = 0;  // that ended it; 0: it exited
};

// Runs command[0] (looked up in PATH) with its arguments and the environment of this process, of
// which `environment` replaces or adds variables; standard streams are shared. Signals that other
// processes send to this one are passed on; those of the terminal reach the child by themselves,
// and this process outlives them. Waits for the end. not_found, permission_denied: the program
// cannot be run. REQUIRES: command is not empty; one call at a time.
Result<ChildExit> run_program(const std::vector<std::string>& command,
                              const std::vector<std::pair<std::string, std::string>>& environment);

}  // namespace contextcore
