#pragma once
// Answers about the past and about many tasks as text for people.

#include <cstdint>
#include <string>

#include "base/json.h"
#include "cli/output.h"

namespace contextcore::cli {

std::string history_text(const Json& answer, const Terminal& terminal, int64_t now_ns);
std::string diff_text(const Json& answer, const Terminal& terminal, int64_t now_ns);
std::string tree_text(const Json& answer, const Terminal& terminal, int64_t now_ns);
std::string critical_path_text(const Json& answer, const Terminal& terminal, int64_t now_ns);
std::string workload_text(const Json& answer, const Terminal& terminal, int64_t now_ns);
std::string search_text(const Json& answer, const Terminal& terminal, int64_t now_ns);
std::string foreign_text(const Json& answer, const Terminal& terminal, int64_t now_ns);
std::string projects_text(const Json& answer, const Terminal& terminal, int64_t now_ns);

}  // namespace contextcore::cli
