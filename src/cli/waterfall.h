#pragma once
// One trace as a tree with time bars.

#include <cstdint>
#include <string>

#include "cli/output.h"
#include "otlp/model.h"

namespace contextcore::cli {

// Spans in tree order (children by start, orphans under a line that says so), each with a bar over
// the trace's time, its duration and, for work, its status. Ends in a line feed.
std::string render_waterfall(const otlp::TracesData& trace, const Terminal& terminal,
                             int64_t now_ns);

}  // namespace contextcore::cli
