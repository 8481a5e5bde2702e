#pragma once
// What `contextcore export status` and `retry` print.

#include <string>

#include "base/json.h"
#include "cli/output.h"

namespace contextcore::cli {

std::string export_status_text(const Json& status, const Terminal& terminal);
std::string export_retry_text(const Json& answer);

}  // namespace contextcore::cli
