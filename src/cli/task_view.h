#pragma once
// Answers about tasks as text for people.

#include <cstdint>
#include <span>
#include <string>

#include "base/json.h"
#include "cli/output.h"

namespace contextcore::cli {

// One or two lines: what the task is now, and the token where there is one.
std::string task_change_text(const std::string& op, const Json& answer, const Terminal& terminal);
// The members of a task that the next one shows.
std::span<const std::string_view> task_list_members();
std::string task_list_text(const Json& answer, const Terminal& terminal, int64_t now_ns);
std::string task_details_text(const Json& answer, const Terminal& terminal, int64_t now_ns);
std::string why_text(const Json& answer, const Terminal& terminal);
// Mine, ready, blocked, overdue.
std::string overview_text(const Json& answer, const Terminal& terminal, int64_t now_ns);

// Small helpers shared with the other views.
const JsonArray& items_of(const Json& answer);
std::string text_of(const Json& object,
                    std::string_view key);  // scalars as text, lists joined by ", "
// "3d 4h ago", "in 2d".
std::string age_text(std::string_view rfc3339, int64_t now_ns);

}  // namespace contextcore::cli
