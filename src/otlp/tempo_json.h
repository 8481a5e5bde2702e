#pragma once
// A trace as Tempo answers it. Its JSON is not OTLP/JSON: ids are base64, enums are names, 64-bit
// integers are strings, defaults are left out but `resource`, `scope` and `status` always stand.
// Its protobuf is tempopb.Trace (the wire of TracesData) and tempopb.TraceByIDResponse.

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "otlp/model.h"

namespace contextcore::otlp {

// What /api/v2/traces/{id} says besides the trace.
struct TempoTraceByIdInfo {
  uint64_t inspected_bytes = 0;
  bool partial = false;
  std::string message;
};

// Appends `[ResourceSpans…]` as one value.
void write_tempo_resource_spans(const std::vector<ResourceSpans>& resource_spans,
                                JsonWriter& writer);
// /api/traces/{id}: {"batches":[…]}
std::string encode_tempo_trace_json(const TracesData& trace);
// /api/v2/traces/{id}: {"trace":{"resourceSpans":[…]},"metrics":{…}}
std::string encode_tempo_trace_by_id_json(const TracesData& trace, const TempoTraceByIdInfo& info);

// tempopb.Trace and tempopb.TraceByIDResponse.
std::string encode_tempo_trace_protobuf(const TracesData& trace);
std::string encode_tempo_trace_by_id_protobuf(const TracesData& trace,
                                              const TempoTraceByIdInfo& info);

}  // namespace contextcore::otlp
