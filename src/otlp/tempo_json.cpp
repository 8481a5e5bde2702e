#include "otlp/tempo_json.h"

#include "otlp/json_encoder.h"

namespace contextcore::otlp {

void write_tempo_resource_spans(const std::vector<ResourceSpans>& resource_spans,
                                JsonWriter& writer) {
  JsonEncoder encoder(JsonDialect::tempo, writer);
  writer.begin_array();
  for (const ResourceSpans& item : resource_spans) encoder.resource_spans(item);
  writer.end_array();
}

std::string encode_tempo_trace_json(const TracesData& trace) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  if (!trace.resource_spans.empty()) {
    writer.key("batches");
    write_tempo_resource_spans(trace.resource_spans, writer);
  }
  writer.end_object();
  return out;
}

std::string encode_tempo_trace_by_id_json(const TracesData& trace, const TempoTraceByIdInfo& info) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("trace");
  writer.begin_object();
  if (!trace.resource_spans.empty()) {
    writer.key("resourceSpans");
    write_tempo_resource_spans(trace.resource_spans, writer);
  }
  writer.end_object();
  writer.key("metrics");
  writer.begin_object();
  if (info.inspected_bytes != 0) {
    writer.field("inspectedBytes", std::to_string(info.inspected_bytes));
  }
  writer.end_object();
  if (info.partial) writer.field("status", "PARTIAL");
  if (!info.message.empty()) writer.field("message", info.message);
  writer.end_object();
  return out;
}

}  // namespace contextcore::otlp
