#pragma once
// The words of the history: projects, people, titles, what people and agents say. All made up.

#include <cstdint>
#include <string>
#include <string_view>

#include "demo/history.h"

namespace contextcore::demo {

uint32_t domain_count();
// Different for every number.
std::string project_name(uint32_t project_number);
std::string project_prefix(uint32_t project_number);

std::string person_name(const History& history, uint32_t worker);
std::string agent_name(const History& history, uint32_t worker);

// Texts of item or step n; which words is chosen by a hash of what they are about.
std::string item_title(const History& history, uint32_t item);
std::string item_description(const History& history, uint32_t item);
std::string sprint_goal(const History& history, uint32_t number);
std::string_view block_reason(uint32_t text);
std::string_view block_resolution(uint32_t text);
std::string_view comment_text(uint32_t text);
std::string_view fail_reason(uint32_t text);
std::string_view cancel_reason(uint32_t text);
std::string_view reopen_reason(uint32_t text);
std::string commit_message(const History& history, uint32_t item, uint32_t text);

struct InsightText {
  std::string_view type, category, summary, rationale;
};
const InsightText& insight_text(uint32_t text);

}  // namespace contextcore::demo
