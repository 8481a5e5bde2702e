#pragma once
// contextcore import --otlp: telemetry from files, on the way that OTLP over HTTP takes.

#include <string>
#include <vector>

#include "cli/context.h"

namespace contextcore::cli {

// The exit code. What stands before an error is imported.
int import_otlp(Context& context, const std::vector<std::string>& paths);

}  // namespace contextcore::cli
