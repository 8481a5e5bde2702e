#pragma once
// Spans as bars on one time axis. Pure.

#include <string>
#include <vector>

#include "otlp/model.h"

namespace contextcore::api {

struct WaterfallSpan {
  otlp::SpanId id, parent_id;
  std::string label;  // text, escaped when drawn
  std::string css;    // class of the bar: a status, "telemetry", "insight"
  int64_t start_ns = 0, end_ns = 0;
  bool open = false;
};

// First the task's own tree, then telemetry, each in tree order (children below their parent, by
// start); a span whose parent is not there, or only by way of a circle, counts as a root.
std::string render_waterfall(const std::vector<WaterfallSpan>& own,
                             const std::vector<WaterfallSpan>& telemetry);

}  // namespace contextcore::api
