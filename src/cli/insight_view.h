#pragma once
// Answers about insights as text for people.

#include <cstdint>
#include <string>

#include "base/json.h"
#include "cli/output.h"

namespace contextcore::cli {

std::string insight_change_text(const std::string& op, const Json& answer,
                                const Terminal& terminal);
std::string insight_list_text(const Json& answer, const Terminal& terminal, int64_t now_ns);
std::string insight_details_text(const Json& answer, const Terminal& terminal);

}  // namespace contextcore::cli
