#include "cli/linked_traces.h"

#include <set>

namespace contextcore::cli {
namespace {

constexpr int64_t kLinkedTracesMax = 100;

void for_each_span(otlp::TracesData& trace, const auto& fn) {
  for (auto& resource : trace.resource_spans) {
    for (auto& scope : resource.scope_spans) {
      for (auto& span : scope.spans) fn(span);
    }
  }
}

// The span of `present` that one of the links names.
otlp::SpanId target_of(otlp::TracesData& linked, const std::set<otlp::SpanId>& present,
                       const otlp::SpanId& otherwise) {
  otlp::SpanId target = otherwise;
  bool found = false;
  for_each_span(linked, [&](const otlp::Span& span) {
    for (const otlp::SpanLink& link : span.links) {
      if (found || !present.contains(link.span_id)) continue;
      target = link.span_id;
      found = true;
    }
  });
  return target;
}

}  // namespace

Result<otlp::TracesData> with_linked_traces(sdk::Backend& backend, otlp::TracesData trace,
                                            const otlp::SpanId& task) {
  std::set<otlp::SpanId> present;
  otlp::TraceId id;
  for_each_span(trace, [&](const otlp::Span& span) {
    present.insert(span.span_id);
    id = span.trace_id;
  });
  // Tasks and insights have links of their own kind: dependencies and evidence are no runs.
  const std::string query = "{ (link:traceID = \"" + otlp::to_hex(id) + "\" || link:spanID = \"" +
                            otlp::to_hex(task) +
                            "\") && span.task.status = nil && span.insight.id = nil }";
  sdk::SearchOptions options;
  options.limit = kLinkedTracesMax;
  CC_ASSIGN(const std::vector<sdk::FoundTrace> found, backend.search(query, options));
  for (const sdk::FoundTrace& one : found) {
    otlp::TraceId other;
    if (!otlp::parse_hex(one.trace_id, other) || other == id) continue;
    CC_ASSIGN(std::optional<otlp::TracesData> linked, backend.trace(other));
    if (!linked) continue;
    const otlp::SpanId target = target_of(*linked, present, task);
    for_each_span(*linked, [&](otlp::Span& span) {
      if (span.parent_span_id.empty()) span.parent_span_id = target;
    });
    for (auto& resource : linked->resource_spans)
      trace.resource_spans.push_back(std::move(resource));
  }
  return trace;
}

}  // namespace contextcore::cli
