#pragma once
// What the files with task verbs share.

#include <functional>
#include <string>
#include <vector>

#include "cli/arguments.h"

namespace contextcore::cli {

// Sends `op` with what was given and prints the task as it is now.
int run_task_command(Context& context, const Arguments& arguments, const std::string& op);
int run_task_command(Context& context, const Arguments& arguments, const std::string& op,
                     JsonObject given);
// A verb of `task` that is one operation.
void add_simple(CLI::App& task, Action& chosen, const std::string& name, const std::string& op,
                const std::string& help, const std::function<void(Arguments&)>& describe,
                const std::vector<std::string>& aliases = {});

// edit, reopen, delete, link, undo, apply …, below `task`.
void add_change_commands(CLI::App& task, Action& chosen);

}  // namespace contextcore::cli
