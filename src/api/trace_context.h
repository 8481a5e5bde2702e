#pragma once
// W3C Trace Context: what a caller says of the trace that its request belongs to.

#include <cstdint>
#include <optional>
#include <string_view>

#include "otlp/model.h"

namespace contextcore::api {

struct TraceParent {
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  bool sampled = false;
};

// The header traceparent of version 00, or of a later one as far as it is known; nullopt: it counts
// as not sent.
std::optional<TraceParent> parse_traceparent(std::string_view text);

}  // namespace contextcore::api
