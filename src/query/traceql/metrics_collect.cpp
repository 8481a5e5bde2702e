// From the spans of a pipeline to series.

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "query/traceql/exemplar_picker.h"
#include "query/traceql/metrics_vector.h"
#include "query/traceql/plan.h"
#include "query/traceql/printer.h"
#include "query/traceql/pushdown.h"
#include "query/vector/numbers.h"

namespace contextcore::traceql {

namespace {

using query::LabelPairs;
using query::Point;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kQuantileLabel = "p";
constexpr std::string_view kBucketLabel = "__bucket";

bool counts_spans(MetricsFunction function) {
  return function == MetricsFunction::rate || function == MetricsFunction::count_over_time ||
         function == MetricsFunction::histogram_over_time;
}

// The least power of two that is not below the number; 0 for what is not above 0.
double power_of_two(double number) {
  if (!(number > 0)) return 0;
  int exponent = 0;
  return std::frexp(number, &exponent) == 0.5 ? number : std::ldexp(1.0, exponent);
}

// Powers of two of nanoseconds for durations, else of the number itself.
std::optional<double> bucket_of(const Value& value) {
  const auto number = number_of(value);
  if (!number) return std::nullopt;
  return value.type == Value::Type::duration ? power_of_two(value.number()) / 1e9
                                             : power_of_two(*number);
}

struct Cell {
  double count = 0;
  double least = std::numeric_limits<double>::infinity();
  double greatest = -std::numeric_limits<double>::infinity();
  query::Average average;
  std::vector<double> values;  // for quantiles only
};

struct Group {
  LabelPairs labels;
  std::unordered_map<size_t, Cell> cells;  // by interval
  std::vector<Exemplar> exemplars;
};

bool is_of_the_span(const FieldRef& field) {
  switch (field.attribute.intrinsic) {
    case Intrinsic::root_name:
    case Intrinsic::root_service:
    case Intrinsic::trace_duration:
    case Intrinsic::child_count:
    case Intrinsic::nested_set_left:
    case Intrinsic::nested_set_right:
    case Intrinsic::nested_set_parent:
      return false;
    default:
      return !field.attribute.of_parent;
  }
}

bool is_of_the_span(const CompiledExpr& expr) {
  if (expr.field && !is_of_the_span(*expr.field)) return false;
  return std::all_of(expr.operands.begin(), expr.operands.end(),
                     [](const CompiledExpr& operand) { return is_of_the_span(operand); });
}

// Whether no other span of its trace has a say in whether and how a span counts.
bool looks_at_spans_alone(const Pipeline& pipeline, const std::vector<FieldRef>& touched,
                          const std::vector<FieldRef>& by,
                          const std::optional<CompiledExpr>& argument) {
  const auto is_local = [](const Stage& stage) {
    if (std::holds_alternative<Select>(stage)) return true;
    const auto* spanset = std::get_if<SpansetExpr>(&stage);
    return spanset != nullptr && spanset->filter.has_value();
  };
  const auto of_the_span = [](const FieldRef& field) { return is_of_the_span(field); };
  return std::all_of(pipeline.stages.begin(), pipeline.stages.end(), is_local) &&
         std::all_of(touched.begin(), touched.end(), of_the_span) &&
         std::all_of(by.begin(), by.end(), of_the_span) && (!argument || is_of_the_span(*argument));
}

class Collector {
 public:
  Collector(MetricsRun& run, const MetricsCall& call)
      : run_(run), call_(call), picker_(run.grid(), run.exemplars_max) {}

  Result<MetricsVector> collect(const Pipeline& pipeline) {
    CC_ASSIGN(const Plan plan, make_plan(pipeline, columns_, touched_));
    if (call_.argument) {
      CC_ASSIGN(argument_, compile(*call_.argument, columns_));
    }
    for (const Attribute& attribute : call_.by) {
      run_.labels.note_name(to_string(attribute));
      by_.push_back(columns_.resolve(attribute));
    }
    if (call_.function == MetricsFunction::histogram_over_time) run_.labels.note_name(kBucketLabel);
    const size_t service = columns_.add(store::ColumnScope::resource, "service.name");
    store::FetchRequest request;
    if (!push_down(pipeline, request)) return finish();
    request.range = {run_.grid().start_ns, run_.grid().end_ns};
    request.columns = columns_.columns();
    request.with_events = columns_.with_events;
    request.with_links = columns_.with_links;
    const bool alone = looks_at_spans_alone(pipeline, touched_, by_, argument_);
    CC_ASSIGN(const auto traces,
              alone ? run_.source.fetch_spans(request) : run_.source.fetch(request));
    for (;;) {
      if (run_.options.checkpoint) CC_TRY(run_.options.checkpoint());
      CC_ASSIGN(const store::TraceView* view, traces->next());
      if (view == nullptr) break;
      if (!alone) ++run_.inspected_traces;
      run_.inspected_spans += view->span_count();
      const TraceContext trace(*view, columns_.with_tree, service);
      CC_ASSIGN(const std::vector<Spanset> spansets, traceql::run(plan, trace));
      CC_TRY(observe(trace, spansets));
    }
    return finish();
  }

 private:
  Status observe(const TraceContext& trace, const std::vector<Spanset>& spansets) {
    Evaluator evaluator(trace);
    picker_.begin_trace(trace.view().trace_id());
    for (const Spanset& spanset : spansets) {
      for (const uint32_t span : spanset.spans) {
        const int64_t start_ns = trace.view().core(span).start_ns;
        const auto interval = run_.grid().interval(start_ns);
        if (interval) CC_TRY(observe(trace, evaluator, span, *interval));
      }
    }
    return {};
  }

  Status observe(const TraceContext& trace, Evaluator& evaluator, uint32_t span, size_t interval) {
    std::optional<double> number;
    if (argument_) {
      const Value value = evaluator.value(*argument_, span);
      number = call_.function == MetricsFunction::histogram_over_time ? bucket_of(value)
                                                                      : number_of(value);
      if (!number) return {};
    }
    Group& group = group_of(evaluator, span, number);
    const auto [at, added] = group.cells.try_emplace(interval);
    if (added && ++cells_ > kMetricsCellsMax) return too_many_series();
    CC_TRY(add(at->second, number));
    const int64_t start_ns = trace.view().core(span).start_ns;
    if (picker_.take(start_ns)) {
      const bool own = argument_ && call_.function != MetricsFunction::histogram_over_time;
      group.exemplars.push_back({start_ns, own ? *number : kNaN, describe(trace, evaluator, span)});
    }
    return {};
  }

  Status add(Cell& cell, std::optional<double> number) {
    ++cell.count;
    if (counts_spans(call_.function) || !number) return {};
    cell.least = std::min(cell.least, *number);
    cell.greatest = std::max(cell.greatest, *number);
    if (call_.function != MetricsFunction::quantile_over_time) {
      cell.average.add(*number, 1);
    } else {
      cell.values.push_back(*number);
      if (++values_ > kValuesMax) return too_many_series();
    }
    return {};
  }

  Group& group_of(Evaluator& evaluator, uint32_t span, std::optional<double> number) {
    key_.clear();
    values_of_by_.clear();
    for (const FieldRef& field : by_) {
      values_of_by_.push_back(group_key(evaluator.value(field, span)));
      key_ += std::to_string(values_of_by_.back().size()) + ":" + values_of_by_.back();
    }
    const bool histogram = call_.function == MetricsFunction::histogram_over_time;
    if (histogram) key_ += group_key(make_real(*number));
    const auto [at, added] = index_.try_emplace(key_, groups_.size());
    if (!added) return groups_[at->second];
    Group group;
    for (const FieldRef& field : by_) {
      const Value value = evaluator.value(field, span);
      if (!value.is_nil()) set(group.labels, to_string(field.attribute), value);
    }
    if (histogram) set(group.labels, kBucketLabel, make_real(*number));
    // Some label has to be there, so that the spans without any value are seen.
    if (group.labels.empty() && !by_.empty()) {
      set(group.labels, to_string(by_.front().attribute), Value());
    }
    groups_.push_back(std::move(group));
    return groups_.back();
  }

  void set(LabelPairs& labels, std::string_view name, const Value& value) {
    query::set_label(labels, name, run_.labels.text_of(value));
  }

  otlp::Attributes describe(const TraceContext& trace, Evaluator& evaluator, uint32_t span) const {
    otlp::Attributes labels;
    labels.push_back({"trace:id", std::string(trace.trace_id())});
    const auto show = [&](const FieldRef& field) {
      const std::string name = to_string(field.attribute);
      for (const otlp::KeyValue& known : labels) {
        if (known.key == name) return;
      }
      const Value value = evaluator.value(field, span);
      if (!value.is_nil()) labels.push_back({name, to_otlp(value)});
    };
    for (const FieldRef& field : touched_) show(field);
    for (const FieldRef& field : by_) show(field);
    if (argument_ && argument_->field) show(*argument_->field);
    return labels;
  }

  Result<MetricsVector> finish() {
    MetricsVector out;
    const bool fills = counts_spans(call_.function);
    // Nothing matched: that is 0 of them, where nothing else tells the series apart.
    if (groups_.empty() && fills && by_.empty() &&
        call_.function != MetricsFunction::histogram_over_time) {
      groups_.emplace_back();
    }
    if (fills && groups_.size() > kMetricsCellsMax / run_.grid().points()) return too_many_series();
    if (by_.empty()) out.name = call_.name;
    for (Group& group : groups_) {
      if (call_.function == MetricsFunction::quantile_over_time) {
        emit_quantiles(group, out);
      } else {
        std::vector<Point> points = points_of(group);
        emit(std::move(group.labels), std::move(points), std::move(group.exemplars), out);
      }
    }
    if (out.series.size() != 1 || !out.series[0].labels.empty()) out.name.reset();
    query::sort_by_labels(out.series);
    return out;
  }

  static void emit(LabelPairs labels, std::vector<Point> points, std::vector<Exemplar> exemplars,
                   MetricsVector& out) {
    if (!exemplars.empty()) out.exemplars.emplace(query::key_of(labels), std::move(exemplars));
    out.series.push_back({std::move(labels), std::move(points)});
  }

  double value_of(const Cell& cell) const {
    switch (call_.function) {
      case MetricsFunction::rate:
        return cell.count / run_.grid().step_seconds();
      case MetricsFunction::min_over_time:
        return cell.least;
      case MetricsFunction::max_over_time:
        return cell.greatest;
      case MetricsFunction::avg_over_time:
        return cell.average.mean();
      case MetricsFunction::sum_over_time:
        return cell.average.sum();
      default:
        return cell.count;
    }
  }

  std::vector<Point> points_of(Group& group) const {
    std::vector<Point> points;
    if (counts_spans(call_.function)) {
      points.resize(run_.grid().points());
      for (size_t step = 0; step < points.size(); ++step) points[step].step = step;
      for (const auto& [step, cell] : group.cells) points[step].value = value_of(cell);
    } else {
      for (const auto& [step, cell] : group.cells) points.push_back({step, value_of(cell)});
      std::sort(points.begin(), points.end(),
                [](const Point& a, const Point& b) { return a.step < b.step; });
    }
    for (Exemplar& exemplar : group.exemplars) {
      if (!std::isnan(exemplar.value)) continue;
      // It shows at the value of its interval.
      const auto step = run_.grid().interval(exemplar.time_ns);
      if (step) exemplar.value = value_of(group.cells[*step]);
    }
    return points;
  }

  void emit_quantiles(Group& group, MetricsVector& out) {
    std::vector<size_t> steps;
    for (const auto& [step, cell] : group.cells) steps.push_back(step);
    std::sort(steps.begin(), steps.end());
    run_.labels.note_name(kQuantileLabel);
    for (const double q : call_.quantiles) {
      std::vector<Point> points;
      for (const size_t step : steps) {
        points.push_back({step, query::quantile(q, group.cells[step].values)});
      }
      // Each exemplar goes where it is nearest to the line of its quantile.
      std::vector<Exemplar> exemplars;
      for (const Exemplar& exemplar : group.exemplars) {
        if (nearest_quantile(group, exemplar) == q) exemplars.push_back(exemplar);
      }
      LabelPairs labels = group.labels;
      set(labels, kQuantileLabel, make_real(q));
      emit(std::move(labels), std::move(points), std::move(exemplars), out);
    }
  }

  double nearest_quantile(Group& group, const Exemplar& exemplar) const {
    std::vector<double>& values = group.cells[*run_.grid().interval(exemplar.time_ns)].values;
    double best = call_.quantiles.front();
    double distance = std::numeric_limits<double>::infinity();
    for (const double q : call_.quantiles) {
      const double away = std::abs(query::quantile(q, values) - exemplar.value);
      if (away < distance) best = q, distance = away;
    }
    return best;
  }

  static constexpr size_t kValuesMax = 50'000'000;

  MetricsRun& run_;
  const MetricsCall& call_;
  ExemplarPicker picker_;
  ColumnSet columns_;
  std::vector<FieldRef> touched_, by_;
  std::optional<CompiledExpr> argument_;
  std::vector<Group> groups_;
  std::unordered_map<std::string, size_t> index_;
  size_t cells_ = 0, values_ = 0;
  std::string key_;                        // of the span at hand
  std::vector<std::string> values_of_by_;  // likewise
};

}  // namespace

std::optional<double> number_of(const Value& value) {
  if (!value.is_numeric()) return std::nullopt;
  const double number = value.number();
  if (std::isnan(number)) return std::nullopt;
  return value.type == Value::Type::duration ? number / 1e9 : number;
}

Error too_many_series() {
  return {Code::resource_exhausted,
          "the query has too many series or values",
          "group by fewer attributes, take a longer step or a shorter range",
          {},
          {}};
}

Result<MetricsVector> collect(MetricsRun& run, const Pipeline& pipeline, const MetricsCall& call) {
  return Collector(run, call).collect(pipeline);
}

}  // namespace contextcore::traceql
