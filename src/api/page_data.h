#pragma once
// What the page asks and what it gets.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "otlp/model.h"
#include "store/store.h"

namespace contextcore::api {

// A matched span, flat.
struct PageSpan {
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  std::string name;
  int64_t start_ns = 0;
  int64_t duration_ns = 0;
  otlp::Attributes attributes;

  int64_t end_ns() const { return start_ns + duration_ns; }
  // An attribute as text ("" when absent); arrays joined by ", ".
  std::string text(std::string_view key) const;
};

struct SpanAnswer {
  std::string query;  // as it was run
  std::vector<PageSpan> spans;
  bool cut = false;    // there are more than the page asked for
  size_t foreign = 0;  // left out: look like work, but the journal does not own them
};

struct LogLine {
  int64_t time_ns = 0;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string_view label(std::string_view name) const;
};
struct LogAnswer {
  std::string query;
  std::vector<LogLine> lines;
};

struct SpanLimits {
  size_t traces_max = 1000;
  size_t spans_max = 1000;  // of one trace
};
Result<SpanAnswer> run_traceql(const store::Store::Read& read, std::string query,
                               const SpanLimits& limits = {});
// Newest first.
Result<LogAnswer> run_logql(const store::Store::Read& read, std::string query, int64_t start_ns,
                            int64_t end_ns, int64_t limit);

// Drops spans that are not the journal's (or not of this kind), and counts them.
void keep_journal_spans(const store::Store::Read& read, store::WorkKind kind, SpanAnswer& answer);

// A literal for either language.
std::string quoted(std::string_view text);
// "2026-11-22 15:24 UTC"
std::string format_minute(int64_t wall_ns);
// The path of a task's page.
std::string task_path(std::string_view project, std::string_view id);

// Attributes that a list of tasks needs, as `select(…)` names them.
extern const char* const kTaskSelect;
extern const char* const kInsightSelect;

}  // namespace contextcore::api
