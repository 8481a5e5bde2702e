#pragma once
// Identity is computed (docs/semantic-conventions.md, identity; test vectors in semconv/ids.json).

#include <string_view>

#include "otlp/model.h"

namespace contextcore::work {

// kind: task sprint phase insight handoff guidance session run. suffix: "" or "\0<ordinal>" parts
// appended by the callers below.
otlp::SpanId span_id(std::string_view kind, std::string_view project, std::string_view id);
otlp::SpanId phase_span_id(std::string_view project, std::string_view task_id, int64_t ordinal);
// A later life (≥ 2) of an exported span.
otlp::SpanId life_span_id(std::string_view kind, std::string_view project, std::string_view id,
                          int64_t life);
// The small span of a later fact (superseded, retracted, resolved) about an insight.
otlp::SpanId fact_span_id(std::string_view project, std::string_view insight_id,
                          std::string_view fact);
otlp::TraceId trace_id(std::string_view kind, std::string_view project, std::string_view root_id);

}  // namespace contextcore::work
