#pragma once
// Steps of a history as the commands that everybody uses.

#include <cstdint>
#include <string>

#include "base/json.h"
#include "demo/history.h"

namespace contextcore::demo {

std::string item_id(const History& history, uint32_t item);
std::string sprint_id(const History& history, uint32_t number);

// Appends the commands of a step, as the batch operation takes them.
void append_commands(const History& history, const Step& step, JsonArray& out);

}  // namespace contextcore::demo
