#pragma once
// Runs search queries over one snapshot of the store (metrics.h: queries for numbers over time).
// Whole traces are evaluated, however many days and files they lie in; results come newest trace
// start first, ties by ascending trace id.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "otlp/model.h"
#include "query/traceql/ast.h"
#include "store/fetch.h"

namespace contextcore::traceql {

struct SearchOptions {
  store::TimeRange range;  // a trace counts when a span of the answer overlaps it
  size_t traces_max = 20;
  size_t spans_per_spanset = 3;
  // Called before each trace; an error ends the search with it (cancelled, deadline_exceeded).
  std::function<Status()> checkpoint;
};

struct MatchedSpan {
  otlp::SpanId span_id;
  int64_t start_ns = 0;
  int64_t duration_ns = 0;
  std::string name;
  // What the query touches or selects and the span has: bare names ("s" for span.s), intrinsics by
  // name, durations, statuses and kinds as words. Left out are fields that the answer has anyway.
  otlp::Attributes attributes;
};

struct MatchedSpanset {
  size_t matched = 0;              // all of them
  std::vector<MatchedSpan> spans;  // the first ones by start
  otlp::Attributes attributes;     // "by(span.x)", "count()"
};

struct ServiceStats {
  std::string service;
  uint32_t spans = 0;
  uint32_t errors = 0;
};

struct MatchedTrace {
  otlp::TraceId trace_id;
  bool has_root = false;
  std::string root_service, root_name;  // empty without a root
  int64_t start_ns = 0;
  int64_t duration_ns = 0;
  std::vector<MatchedSpanset> spansets;
  std::vector<ServiceStats> services;  // of the whole trace, by name
};

struct SearchResult {
  std::vector<MatchedTrace> traces;
  uint64_t inspected_traces = 0;
  uint64_t inspected_spans = 0;
};

// REQUIRES: query went through validate().
Result<SearchResult> search(const store::Source& source, const Query& query,
                            const SearchOptions& options = {});
// Parses and validates first.
Result<SearchResult> search(const store::Source& source, std::string_view text,
                            const SearchOptions& options = {});

}  // namespace contextcore::traceql
