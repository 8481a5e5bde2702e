#include "api/tempo.h"
#include "api/tempo_json.h"
#include "base/json.h"

namespace contextcore::api {

namespace {

constexpr std::string_view kNoRoot = "<root span not yet received>";

// Trace ids in search results have no leading zeros.
std::string short_trace_id(const otlp::TraceId& id) {
  std::string hex = otlp::to_hex(id);
  size_t first = hex.find_first_not_of('0');
  return first == std::string::npos ? "0" : hex.substr(first);
}

void write_span(const traceql::MatchedSpan& span, JsonWriter& writer) {
  writer.begin_object();
  writer.field("spanID", otlp::to_hex(span.span_id));
  if (!span.name.empty()) writer.field("name", span.name);
  writer.field("startTimeUnixNano", std::to_string(span.start_ns));
  writer.field("durationNanos", std::to_string(span.duration_ns));
  write_attributes("attributes", span.attributes, writer);
  writer.end_object();
}

void write_spanset(const traceql::MatchedSpanset& spanset, JsonWriter& writer) {
  writer.begin_object();
  writer.key("spans");
  writer.begin_array();
  for (const traceql::MatchedSpan& span : spanset.spans) write_span(span, writer);
  writer.end_array();
  writer.field("matched", uint64_t{spanset.matched});
  write_attributes("attributes", spanset.attributes, writer);
  writer.end_object();
}

void write_service_stats(const std::vector<traceql::ServiceStats>& services, JsonWriter& writer) {
  writer.key("serviceStats");
  writer.begin_object();
  for (const traceql::ServiceStats& service : services) {
    writer.key(service.service);
    writer.begin_object();
    writer.field("spanCount", uint64_t{service.spans});
    if (service.errors > 0) writer.field("errorCount", uint64_t{service.errors});
    writer.end_object();
  }
  writer.end_object();
}

void write_trace(const traceql::MatchedTrace& trace, JsonWriter& writer) {
  writer.begin_object();
  writer.field("traceID", short_trace_id(trace.trace_id));
  writer.field("rootServiceName", trace.has_root ? std::string_view(trace.root_service) : kNoRoot);
  if (trace.has_root && !trace.root_name.empty()) writer.field("rootTraceName", trace.root_name);
  writer.field("startTimeUnixNano", std::to_string(trace.start_ns));
  if (int64_t ms = trace.duration_ns / 1'000'000; ms > 0) writer.field("durationMs", ms);
  if (!trace.spansets.empty()) {
    writer.key("spanSet");  // older clients read only this one
    write_spanset(trace.spansets.front(), writer);
    writer.key("spanSets");
    writer.begin_array();
    for (const traceql::MatchedSpanset& spanset : trace.spansets) write_spanset(spanset, writer);
    writer.end_array();
  }
  write_service_stats(trace.services, writer);
  writer.end_object();
}

}  // namespace

std::string encode_tempo_search(const traceql::SearchResult& result) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("traces");
  writer.begin_array();
  for (const traceql::MatchedTrace& trace : result.traces) write_trace(trace, writer);
  writer.end_array();
  writer.key("metrics");
  writer.begin_object();
  writer.field("inspectedTraces", result.inspected_traces);
  writer.field("inspectedSpans", std::to_string(result.inspected_spans));
  writer.field("completedJobs", 1);
  writer.field("totalJobs", 1);
  writer.end_object();
  writer.end_object();
  return out;
}

}  // namespace contextcore::api
