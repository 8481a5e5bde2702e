#include "query/traceql/engine.h"

#include <algorithm>
#include <map>

#include "query/traceql/parser.h"
#include "query/traceql/plan.h"
#include "query/traceql/printer.h"
#include "query/traceql/pushdown.h"

namespace contextcore::traceql {

namespace {

// What every answer carries in fields of its own, or is the same for all spans of a trace.
bool is_shown_elsewhere(Intrinsic intrinsic) {
  switch (intrinsic) {
    case Intrinsic::name:
    case Intrinsic::duration:
    case Intrinsic::span_id:
    case Intrinsic::trace_id:
    case Intrinsic::trace_duration:
    case Intrinsic::root_name:
    case Intrinsic::root_service:
      return true;
    default:
      return false;
  }
}

// The bare name, as long as it says whose it is.
std::string shown_name(const Attribute& attribute) {
  if (attribute.of_parent) return to_string(attribute);
  return attribute.intrinsic != Intrinsic::none ? std::string(word(attribute.intrinsic))
                                                : attribute.name;
}

// A search shows the spans that a metrics query counts, as Tempo's does.
Result<const Pipeline*> searchable(const Query& query) {
  const auto refuse = [](std::string what) -> Error {
    return {Code::unsupported,
            std::move(what) + " not yet supported in a search",
            "ask for its numbers: /api/metrics/query, /api/metrics/query_range",
            {},
            {}};
  };
  if (query.trailing) return refuse("trailing " + to_string(query.trailing->aggregate));
  if (!query.is_metrics()) return &query.pipeline();
  const auto& metrics = std::get<MetricsQuery>(query.body);
  const auto* single = std::get_if<MetricsPipeline>(&metrics.expr.leaf);
  if (metrics.expr.op == Operator::none && single != nullptr) return &single->pipeline;
  return refuse("metrics math");
}

class Search {
 public:
  Search(const store::Source& source, const SearchOptions& options)
      : source_(source), options_(options) {}

  Result<SearchResult> run_pipeline(const Pipeline& pipeline) {
    CC_ASSIGN(plan_, make_plan(pipeline, columns_, touched_));
    service_column_ = columns_.add(store::ColumnScope::resource, "service.name");
    store::FetchRequest request;
    if (options_.traces_max == 0 || !push_down(pipeline, request)) return std::move(result_);
    request.range = options_.range;
    request.columns = columns_.columns();
    request.with_events = columns_.with_events;
    request.with_links = columns_.with_links;
    CC_ASSIGN(const auto traces, source_.fetch(request));
    while (result_.traces.size() < options_.traces_max) {
      if (options_.checkpoint) CC_TRY(options_.checkpoint());
      CC_ASSIGN(const store::TraceView* view, traces->next());
      if (view == nullptr) break;
      CC_TRY(evaluate(*view));
    }
    return std::move(result_);
  }

 private:
  Status evaluate(const store::TraceView& view) {
    ++result_.inspected_traces;
    result_.inspected_spans += view.span_count();
    const TraceContext trace(view, columns_.with_tree, service_column_);
    CC_ASSIGN(const std::vector<Spanset> spansets, run(plan_, trace));
    if (!overlaps(view, spansets)) return {};
    MatchedTrace match;
    match.trace_id = view.trace_id();
    match.start_ns = trace.start_ns();
    match.duration_ns = trace.end_ns() - trace.start_ns();
    if (trace.root()) {
      match.has_root = true;
      match.root_service = trace.root_service();
      match.root_name = view.core(*trace.root()).name;
    }
    match.services = services(trace);
    for (const Spanset& spanset : spansets) match.spansets.push_back(describe(trace, spanset));
    result_.traces.push_back(std::move(match));
    return {};
  }

  bool overlaps(const store::TraceView& view, const std::vector<Spanset>& spansets) const {
    for (const Spanset& spanset : spansets) {
      for (const uint32_t span : spanset.spans) {
        const store::SpanCore& core = view.core(span);
        if (core.start_ns <= options_.range.end_ns && core.end_ns >= options_.range.start_ns) {
          return true;
        }
      }
    }
    return false;
  }

  static std::vector<ServiceStats> services(const TraceContext& trace) {
    std::map<std::string_view, ServiceStats> by_name;
    for (size_t span = 0; span < trace.view().span_count(); ++span) {
      ServiceStats& stats = by_name[trace.service(span)];
      ++stats.spans;
      if (trace.view().core(span).status == otlp::StatusCode::error) ++stats.errors;
    }
    std::vector<ServiceStats> result;
    for (auto& [name, stats] : by_name) {
      stats.service = name;
      result.push_back(std::move(stats));
    }
    return result;
  }

  MatchedSpanset describe(const TraceContext& trace, const Spanset& spanset) const {
    MatchedSpanset result;
    result.matched = spanset.spans.size();
    for (const auto& [key, value] : spanset.attributes) result.attributes.push_back({key, value});
    Evaluator evaluator(trace);
    // The view has spans in order of start, so the first indexes are the earliest.
    const size_t shown = std::min(spanset.spans.size(), options_.spans_per_spanset);
    for (size_t i = 0; i < shown; ++i) {
      const uint32_t span = spanset.spans[i];
      const store::SpanCore& core = trace.view().core(span);
      MatchedSpan match{
          core.span_id, core.start_ns, core.end_ns - core.start_ns, std::string(core.name), {}};
      for (const FieldRef& field : touched_) {
        if (is_shown_elsewhere(field.attribute.intrinsic)) continue;
        const Value value = evaluator.value(field, span);
        if (value.is_nil()) continue;
        match.attributes.push_back({shown_name(field.attribute), to_otlp(value)});
      }
      result.spans.push_back(std::move(match));
    }
    return result;
  }

  const store::Source& source_;
  const SearchOptions& options_;
  ColumnSet columns_;
  std::vector<FieldRef> touched_;
  Plan plan_;
  size_t service_column_ = 0;
  SearchResult result_;
};

}  // namespace

Result<SearchResult> search(const store::Source& source, const Query& query,
                            const SearchOptions& options) {
  CC_ASSIGN(const Pipeline* pipeline, searchable(query));
  return Search(source, options).run_pipeline(*pipeline);
}

Result<SearchResult> search(const store::Source& source, std::string_view text,
                            const SearchOptions& options) {
  CC_ASSIGN(const Query query, parse_and_validate(text));
  return search(source, query, options);
}

}  // namespace contextcore::traceql
