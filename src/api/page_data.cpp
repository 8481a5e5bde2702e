#include "api/page_data.h"

#include <algorithm>

#include "base/sort.h"
#include "api/target.h"
#include "base/time.h"
#include "query/common/lexing.h"
#include "query/logql/engine.h"
#include "query/logql/text.h"
#include "query/traceql/engine.h"

namespace contextcore::api {

const char* const kTaskSelect =
    "select(span.project.id, span.task.id, span.task.title, span.task.status, span.task.type, "
    "span.task.priority, span.task.assignee, span.task.blocked_reason, "
    "span.task.percent_complete)";
const char* const kInsightSelect =
    "select(span.project.id, span.insight.type, span.insight.summary, span.insight.confidence, "
    "span.insight.status, span.insight.task_id, span.agent.id)";

namespace {

struct TextOf {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return logql::format_number(value); }
  std::string operator()(const otlp::Array& values) const {
    std::string out;
    for (const otlp::Value& value : values) {
      if (!out.empty()) out += ", ";
      out += std::visit(*this, value.data);
    }
    return out;
  }
  std::string operator()(const otlp::KeyValueList& values) const {
    return std::to_string(values.size()) + " values";
  }
  std::string operator()(const otlp::Bytes& value) const {
    return std::to_string(value.data.size()) + " bytes";
  }
};

}  // namespace

std::string PageSpan::text(std::string_view key) const {
  const otlp::Value* value = otlp::find(attributes, key);
  return value == nullptr ? std::string() : std::visit(TextOf{}, value->data);
}

std::string_view LogLine::label(std::string_view name) const {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return {};
}

Result<SpanAnswer> run_traceql(const store::Store::Read& read, std::string query,
                               const SpanLimits& limits) {
  traceql::SearchOptions options;
  options.traces_max = limits.traces_max;
  options.spans_per_spanset = limits.spans_max;
  CC_ASSIGN(traceql::SearchResult result, traceql::search(*read.source, query, options));
  SpanAnswer answer;
  answer.query = std::move(query);
  answer.cut = result.traces.size() >= limits.traces_max;
  for (traceql::MatchedTrace& trace : result.traces) {
    for (traceql::MatchedSpanset& set : trace.spansets) {
      if (set.spans.size() < set.matched) answer.cut = true;
      for (traceql::MatchedSpan& span : set.spans) {
        answer.spans.push_back(PageSpan{trace.trace_id, span.span_id, std::move(span.name),
                                        span.start_ns, span.duration_ns,
                                        std::move(span.attributes)});
      }
    }
  }
  return answer;
}

Result<LogAnswer> run_logql(const store::Store::Read& read, std::string query, int64_t start_ns,
                            int64_t end_ns, int64_t limit) {
  logql::RangeParams params;
  params.start_ns = start_ns;
  params.end_ns = end_ns;
  params.step_ns = kMinuteNs;
  params.limit = limit;
  CC_ASSIGN(logql::QueryResult result, logql::query_range(*read.source, query, params));
  LogAnswer answer;
  answer.query = std::move(query);
  auto* streams = std::get_if<logql::Streams>(&result.data);
  if (streams == nullptr) {
    return Error{Code::internal, "a log query of the page gave no lines", {}, {}, {}};
  }
  for (logql::ResultStream& stream : *streams) {
    for (logql::ResultEntry& entry : stream.entries) {
      LogLine line{entry.time_ns, {}};
      line.labels.assign(stream.labels.begin(), stream.labels.end());
      answer.lines.push_back(std::move(line));
    }
  }
  // Streams come sorted by label; one moment's events keep the order of their revision.
  sort_stably(answer.lines, [](const auto& a, const auto& b) {
    if (a.time_ns != b.time_ns) return a.time_ns > b.time_ns;
    return a.label("event_seq") > b.label("event_seq");
  });
  return answer;
}

void keep_journal_spans(const store::Store::Read& read, store::WorkKind kind, SpanAnswer& answer) {
  size_t before = answer.spans.size();
  std::erase_if(answer.spans, [&](const PageSpan& span) {
    const store::WorkRow* row = read.work->index().find(span.span_id);
    return row == nullptr || row->kind != kind || row->trace_id != span.trace_id;
  });
  answer.foreign += before - answer.spans.size();
}

std::string quoted(std::string_view text) { return query::quote_string(text); }

std::string format_minute(int64_t wall_ns) {
  std::string text = format_rfc3339(wall_ns);  // 2026-11-22T15:24:29.123Z
  return text.size() < 16 ? text : text.substr(0, 10) + " " + text.substr(11, 5) + " UTC";
}

std::string task_path(std::string_view project, std::string_view id) {
  return "/task/" + percent_encode(project) + "/" + percent_encode(id);
}

}  // namespace contextcore::api
