#pragma once
// What a process knows about itself and its surroundings.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace contextcore {

// nullopt: not set. An empty variable counts as not set.
std::optional<std::string> environment(const char* name);
Result<std::string> current_directory();
int64_t process_id();
// The login name ($USER, else the password database, else "uid-N").
std::string user_name();
std::string home_directory();
// The folder of the running executable, "" if unknown.
std::string executable_directory();
bool is_terminal(int descriptor);
// As many open files as the system lets this process have.
void raise_open_file_limit();
// Few heaps for many threads, and large blocks given back when they are freed: for a program that
// lives long. Before threads begin.
void keep_heap_small();
// Replaces the process; returns only on failure.
Status exec_program(const std::string& path, const std::vector<std::string>& arguments);

}  // namespace contextcore
