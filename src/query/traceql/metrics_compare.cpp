// compare({filter}): how often each value of each attribute occurs among the spans that the filter
// selects, and among the others, interval by interval.

#include <algorithm>
#include <array>
#include <unordered_map>

#include "query/traceql/metrics_vector.h"
#include "query/traceql/plan.h"
#include "query/traceql/printer.h"
#include "query/traceql/pushdown.h"

namespace contextcore::traceql {

namespace {

constexpr std::string_view kMetaType = "__meta_type";

using Counts = std::unordered_map<size_t, double>;  // by interval

struct Counted {
  std::string text;  // of the value, for labels
  double total = 0;
  Counts counts;
};

// One attribute among the selected spans, or among the others.
struct Side {
  std::unordered_map<std::string, Counted> values;
  Counts totals;
};

// Fields that every span has and that tell spans apart; ids and durations do not.
constexpr std::array<Intrinsic, 9> kIntrinsics = {Intrinsic::name,
                                                  Intrinsic::status,
                                                  Intrinsic::status_message,
                                                  Intrinsic::kind,
                                                  Intrinsic::root_name,
                                                  Intrinsic::root_service,
                                                  Intrinsic::instrumentation_name,
                                                  Intrinsic::instrumentation_version,
                                                  Intrinsic::child_count};

std::optional<Scope> scope_of(store::ColumnScope scope) {
  switch (scope) {
    case store::ColumnScope::span:
      return Scope::span;
    case store::ColumnScope::resource:
      return Scope::resource;
    case store::ColumnScope::instrumentation:
      return Scope::instrumentation;
    case store::ColumnScope::event:
    case store::ColumnScope::link:
      break;  // a span may have many
  }
  return std::nullopt;
}

class Comparison {
 public:
  Comparison(MetricsRun& run, const Metrics& compare) : run_(run), compare_(compare) {}

  Result<MetricsVector> evaluate(const Pipeline& pipeline) {
    std::vector<FieldRef> touched;
    CC_ASSIGN(const Plan plan, make_plan(pipeline, columns_, touched));
    CC_ASSIGN(selection_, compile(*compare_.selection->filter, columns_));
    store::FetchRequest request;
    if (!push_down(pipeline, request)) return MetricsVector{};
    request.range = {run_.grid().start_ns, run_.grid().end_ns};
    CC_TRY(find_fields(request.range));
    const size_t service = columns_.add(store::ColumnScope::resource, "service.name");
    request.columns = columns_.columns();
    request.with_events = columns_.with_events;
    request.with_links = columns_.with_links;
    CC_ASSIGN(const auto traces, run_.source.fetch(request));
    for (;;) {
      if (run_.options.checkpoint) CC_TRY(run_.options.checkpoint());
      CC_ASSIGN(const store::TraceView* view, traces->next());
      if (view == nullptr) return finish();
      ++run_.inspected_traces;
      run_.inspected_spans += view->span_count();
      const TraceContext trace(*view, columns_.with_tree, service);
      CC_ASSIGN(const std::vector<Spanset> spansets, traceql::run(plan, trace));
      Evaluator evaluator(trace);
      for (const Spanset& spanset : spansets) {
        for (const uint32_t span : spanset.spans) {
          CC_TRY(observe(evaluator, view->core(span).start_ns, span));
        }
      }
    }
  }

 private:
  Status find_fields(const store::TimeRange& range) {
    CC_ASSIGN(const std::vector<store::Column> columns, run_.source.attributes({range, {}}));
    std::vector<Attribute> attributes;
    for (const Intrinsic intrinsic : kIntrinsics) {
      Attribute attribute;
      attribute.intrinsic = intrinsic;
      attributes.push_back(std::move(attribute));
    }
    for (const store::Column& column : columns) {
      const auto scope = scope_of(column.scope);
      if (!scope) continue;
      Attribute attribute;
      attribute.scope = *scope;
      attribute.name = column.key;
      attributes.push_back(std::move(attribute));
    }
    run_.labels.note_name(kMetaType);
    for (const Attribute& attribute : attributes) {
      names_.push_back(to_string(attribute));
      run_.labels.note_name(names_.back());
      fields_.push_back(columns_.resolve(attribute));
    }
    baseline_.resize(fields_.size());
    selected_.resize(fields_.size());
    return {};
  }

  Status observe(Evaluator& evaluator, int64_t start_ns, uint32_t span) {
    const auto interval = run_.grid().interval(start_ns);
    if (!interval) return {};
    const bool timed = compare_.start_ns != 0 || compare_.end_ns != 0;
    const bool within = !timed || (start_ns > compare_.start_ns && start_ns <= compare_.end_ns);
    const bool selected = within && (selection_.is_constant() ? selection_.constant.is_true()
                                                              : evaluator.test(selection_, span));
    std::vector<Side>& sides = selected ? selected_ : baseline_;
    for (size_t i = 0; i < fields_.size(); ++i) {
      const Value value = evaluator.value(fields_[i], span);
      const bool countable = !value.is_nil() && value.type != Value::Type::duration &&
                             value.type != Value::Type::other;
      if (!countable) continue;
      Side& side = sides[i];
      const auto [at, added] = side.values.try_emplace(group_key(value));
      if (added) at->second.text = run_.labels.text_of(value);
      ++at->second.total;
      if (++at->second.counts[*interval] == 1 && ++cells_ > kMetricsCellsMax)
        return too_many_series();
      ++side.totals[*interval];
    }
    return {};
  }

  Result<MetricsVector> finish() {
    for (size_t i = 0; i < fields_.size(); ++i) {
      add_values("baseline", i, baseline_[i]);
      add_values("selection", i, selected_[i]);
      add_total("baseline_total", i, baseline_[i]);
      add_total("selection_total", i, selected_[i]);
      if (out_.series.size() > kMetricsCellsMax / run_.grid().points()) return too_many_series();
    }
    query::sort_by_labels(out_.series);
    return std::move(out_);
  }

  void add(std::string_view type, size_t field, const std::string& text, const Counts& counts) {
    query::GridSeries series;
    query::set_label(series.labels, kMetaType, run_.labels.text_of(make_string(type)));
    query::set_label(series.labels, names_[field], text);
    series.points.resize(run_.grid().points());
    for (size_t step = 0; step < series.points.size(); ++step) series.points[step].step = step;
    for (const auto& [step, count] : counts) series.points[step].value = count;
    out_.series.push_back(std::move(series));
  }

  void add_values(std::string_view type, size_t field, const Side& side) {
    std::vector<const Counted*> best;
    for (const auto& [key, counted] : side.values) best.push_back(&counted);
    std::sort(best.begin(), best.end(), [](const Counted* a, const Counted* b) {
      return a->total != b->total ? a->total > b->total : a->text < b->text;
    });
    if (best.size() > static_cast<size_t>(compare_.top))
      best.resize(static_cast<size_t>(compare_.top));
    for (const Counted* counted : best) add(type, field, counted->text, counted->counts);
  }

  void add_total(std::string_view type, size_t field, const Side& side) {
    if (side.totals.empty()) return;
    add(type, field, run_.labels.text_of(Value()), side.totals);
  }

  MetricsRun& run_;
  const Metrics& compare_;
  ColumnSet columns_;
  CompiledExpr selection_;
  std::vector<FieldRef> fields_;
  std::vector<std::string> names_;
  std::vector<Side> baseline_, selected_;  // by field
  size_t cells_ = 0;
  MetricsVector out_;
};

}  // namespace

Result<MetricsVector> collect_comparison(MetricsRun& run, const Pipeline& pipeline,
                                         const Metrics& compare) {
  return Comparison(run, compare).evaluate(pipeline);
}

}  // namespace contextcore::traceql
