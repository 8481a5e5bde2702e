#include "query/traceql/metrics.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/sort.h"
#include "query/traceql/metrics_vector.h"
#include "query/traceql/parser.h"
#include "query/traceql/printer.h"
#include "query/vector/aggregate.h"
#include "query/vector/match.h"

namespace contextcore::traceql {

namespace {

using query::BinaryOp;
using query::GridSeries;
using query::GridVector;
using query::Point;

BinaryOp vector_op(Operator op) {
  switch (op) {
    case Operator::add:
      return BinaryOp::add;
    case Operator::subtract:
      return BinaryOp::subtract;
    case Operator::multiply:
      return BinaryOp::multiply;
    case Operator::divide:
      return BinaryOp::divide;
    case Operator::equal:
      return BinaryOp::equal;
    case Operator::not_equal:
      return BinaryOp::not_equal;
    case Operator::less:
      return BinaryOp::less;
    case Operator::less_equal:
      return BinaryOp::less_equal;
    case Operator::greater:
      return BinaryOp::greater;
    default:
      return BinaryOp::greater_equal;
  }
}

query::BinaryCall call_of(Operator op) {
  query::BinaryCall call;
  call.op = vector_op(op);
  call.rules.zero_division_is_nan = true;
  return call;
}

double scalar_of(const Static& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* duration = std::get_if<Duration>(&value)) {
    return static_cast<double>(duration->ns) / 1e9;
  }
  const auto* real = std::get_if<double>(&value);
  return real != nullptr ? *real : std::nan("");
}

// A value that is no number is no value.
void drop_nan(GridVector& series) {
  for (GridSeries& one : series) {
    std::erase_if(one.points, [](const Point& point) { return std::isnan(point.value); });
  }
  std::erase_if(series, [](const GridSeries& one) { return one.points.empty(); });
}

bool is_one_without_labels(const MetricsVector& vector) {
  return vector.series.size() == 1 && vector.series.front().labels.empty();
}

void add_exemplars(MetricsVector& from, MetricsVector& to) {
  for (auto& [key, exemplars] : from.exemplars) {
    std::vector<Exemplar>& all = to.exemplars[key];
    std::move(exemplars.begin(), exemplars.end(), std::back_inserter(all));
  }
}

// What a part of the expression is: numbers over time, or one number.
using Part = std::variant<MetricsVector, double>;

class MetricsEngine {
 public:
  explicit MetricsEngine(MetricsRun& run) : run_(run) {}

  Result<MetricsVector> evaluate(const Query& query) {
    if (query.trailing) return trailing(query.pipeline(), *query.trailing);
    const auto& metrics = std::get<MetricsQuery>(query.body);
    CC_ASSIGN(Part part, evaluate(metrics.expr));
    // The grammar has no expression without a metric in it.
    if (!std::holds_alternative<MetricsVector>(part)) return not_a_metrics_query();
    return apply(metrics.stages, std::get<MetricsVector>(std::move(part)));
  }

  static Error not_a_metrics_query() {
    return {Code::invalid_argument,
            "not a metrics query",
            "it has to end in a function over time, such as { } | rate()",
            {},
            {}};
  }

 private:
  Result<Part> evaluate(const MetricsExpr& expr) {
    if (expr.op == Operator::none) {
      if (const auto* scalar = std::get_if<Static>(&expr.leaf)) return Part(scalar_of(*scalar));
      CC_ASSIGN(MetricsVector vector, leaf(std::get<MetricsPipeline>(expr.leaf)));
      return Part(std::move(vector));
    }
    CC_ASSIGN(Part left, evaluate(expr.operands[0]));
    CC_ASSIGN(Part right, evaluate(expr.operands[1]));
    auto* a = std::get_if<MetricsVector>(&left);
    auto* b = std::get_if<MetricsVector>(&right);
    if (a == nullptr && b == nullptr) {
      return Part(
          query::calculate(call_of(expr.op), std::get<double>(left), std::get<double>(right)));
    }
    if (a == nullptr || b == nullptr) {
      CC_ASSIGN(MetricsVector vector,
                a == nullptr ? with_number(expr.op, std::get<double>(left), std::move(*b), true)
                             : with_number(expr.op, std::get<double>(right), std::move(*a), false));
      return Part(std::move(vector));
    }
    CC_ASSIGN(MetricsVector vector, combine(expr.op, std::move(*a), std::move(*b)));
    return Part(std::move(vector));
  }

  Result<MetricsVector> leaf(const MetricsPipeline& pipeline) {
    const Metrics& metrics = pipeline.metrics;
    if (metrics.function == MetricsFunction::compare) {
      return collect_comparison(run_, pipeline.pipeline, metrics);
    }
    MetricsCall call;
    call.function = metrics.function;
    if (metrics.attribute) {
      call.argument.emplace();
      call.argument->leaf = *metrics.attribute;
    }
    call.quantiles = metrics.quantiles;
    call.by = metrics.by;
    call.name = word(metrics.function);
    CC_ASSIGN(MetricsVector vector, collect(run_, pipeline.pipeline, call));
    return apply(pipeline.stages, std::move(vector));
  }

  Result<MetricsVector> trailing(const Pipeline& pipeline, const TrailingAggregate& trailing) {
    MetricsCall call;
    switch (trailing.aggregate.function) {
      case AggregateFunction::count:
        call.function = MetricsFunction::count_over_time;
        break;
      case AggregateFunction::avg:
        call.function = MetricsFunction::avg_over_time;
        break;
      case AggregateFunction::min:
        call.function = MetricsFunction::min_over_time;
        break;
      case AggregateFunction::max:
        call.function = MetricsFunction::max_over_time;
        break;
      case AggregateFunction::sum:
        call.function = MetricsFunction::sum_over_time;
        break;
    }
    call.argument = trailing.aggregate.argument;
    call.by = trailing.by;
    call.name = to_string(trailing.aggregate);
    return collect(run_, pipeline, call);
  }

  Result<MetricsVector> with_number(Operator op, double number, MetricsVector vector, bool left) {
    const query::BinaryCall call = call_of(op);
    const query::StepNumbers numbers{{number}};
    if (left) {
      CC_ASSIGN(vector.series, query::combine(call, numbers, std::move(vector.series)));
    } else {
      CC_ASSIGN(vector.series, query::combine(call, std::move(vector.series), numbers));
    }
    drop_nan(vector.series);
    for (auto& [key, exemplars] : vector.exemplars) {
      for (Exemplar& exemplar : exemplars) {
        exemplar.value = left ? query::calculate(call, number, exemplar.value)
                              : query::calculate(call, exemplar.value, number);
      }
    }
    return vector;
  }

  // Series of equal labels meet; one without labels meets all of the other side.
  Result<MetricsVector> combine(Operator op, MetricsVector left, MetricsVector right) {
    query::BinaryCall call = call_of(op);
    const bool spreads_left = is_one_without_labels(left),
               spreads_right = is_one_without_labels(right);
    if (spreads_left != spreads_right) {
      call.matching.emplace();
      call.matching->on = true;
      call.matching->cardinality = spreads_right ? query::VectorMatching::Cardinality::many_to_one
                                                 : query::VectorMatching::Cardinality::one_to_many;
    }
    MetricsVector out;
    CC_ASSIGN(out.series, query::combine(call, left.series, right.series, run_.grid().points()));
    drop_nan(out.series);
    query::sort_by_labels(out.series);
    if (left.name && right.name) {
      out.name = "(" + *left.name + " " + std::string(symbol(op)) + " " + *right.name + ")";
    }
    if (spreads_left == spreads_right || spreads_right) add_exemplars(left, out);
    if (spreads_left == spreads_right || spreads_left) add_exemplars(right, out);
    return out;
  }

  Result<MetricsVector> apply(const std::vector<SecondStage>& stages, MetricsVector vector) {
    for (const SecondStage& stage : stages) {
      if (stage.function == SecondStage::Function::filter) {
        CC_ASSIGN(vector, filter(stage, std::move(vector)));
        continue;
      }
      const auto limit = static_cast<size_t>(stage.limit);
      if (vector.series.size() <= limit) continue;
      // Of equal values topk keeps those whose labels come first, bottomk the others: as Tempo
      // does.
      const bool top = stage.function == SecondStage::Function::topk;
      if (!top) std::reverse(vector.series.begin(), vector.series.end());
      vector.series = query::select_best(top, {{static_cast<double>(limit)}}, {},
                                         std::move(vector.series), run_.grid().points());
      query::sort_by_labels(vector.series);
    }
    return vector;
  }

  Result<MetricsVector> filter(const SecondStage& stage, MetricsVector vector) {
    const query::BinaryCall call = call_of(stage.op);
    const double limit = scalar_of(stage.value);
    CC_ASSIGN(vector.series,
              query::combine(call, std::move(vector.series), query::StepNumbers{{limit}}));
    for (auto& [key, exemplars] : vector.exemplars) {
      std::erase_if(exemplars, [&](const Exemplar& exemplar) {
        return query::calculate(call.op, exemplar.value, limit) == 0;
      });
    }
    return vector;
  }

  MetricsRun& run_;
};

// with (exemplars=false), with (exemplars=20): before what the caller said.
size_t exemplars_max(const Query& query, const MetricsOptions& options) {
  for (const Hint& hint : query.hints) {
    if (hint.name != "exemplars") continue;
    if (const auto* wanted = std::get_if<bool>(&hint.value); wanted != nullptr && !*wanted)
      return 0;
    if (const auto* count = std::get_if<int64_t>(&hint.value)) {
      constexpr int64_t kMost = 100;
      return static_cast<size_t>(std::clamp<int64_t>(*count, 0, kMost));
    }
  }
  return options.exemplars_max;
}

bool comes_before(const otlp::Value& a, const otlp::Value& b) {
  const Value left = make_value(a), right = make_value(b);
  const auto ordering = order(left, right);
  if (ordering) return *ordering < 0;
  return left.type != right.type && left.type < right.type;
}

// By labels, numbers as numbers.
bool comes_before(const MetricsSeries& a, const MetricsSeries& b) {
  return std::lexicographical_compare(
      a.labels.begin(), a.labels.end(), b.labels.begin(), b.labels.end(),
      [](const otlp::KeyValue& x, const otlp::KeyValue& y) {
        return x.key != y.key ? x.key < y.key : comes_before(x.value, y.value);
      });
}

// Where the series has no value there is nothing that a span could stand for.
void drop_unseen(const MetricsGrid& grid, const std::vector<Point>& points,
                 std::vector<Exemplar>& exemplars) {
  std::erase_if(exemplars, [&](const Exemplar& exemplar) {
    const auto step = grid.interval(exemplar.time_ns);
    const auto at = std::lower_bound(points.begin(), points.end(), step.value_or(0),
                                     [](const Point& point, size_t n) { return point.step < n; });
    return std::isnan(exemplar.value) || !step || at == points.end() || at->step != *step;
  });
}

MetricsResult show(MetricsVector vector, const MetricsRun& run) {
  MetricsResult result;
  result.inspected_traces = run.inspected_traces;
  result.inspected_spans = run.inspected_spans;
  for (GridSeries& one : vector.series) {
    if (one.points.empty()) continue;
    MetricsSeries series;
    series.labels = run.labels.show(one.labels);
    if (one.labels.empty() && vector.name) series.labels.push_back({"__name__", *vector.name});
    if (const auto found = vector.exemplars.find(query::key_of(one.labels));
        found != vector.exemplars.end()) {
      series.exemplars = std::move(found->second);
      drop_unseen(run.grid(), one.points, series.exemplars);
    }
    series.points = std::move(one.points);
    result.series.push_back(std::move(series));
  }
  sort_stably(result.series,
              [](const MetricsSeries& a, const MetricsSeries& b) { return comes_before(a, b); });
  const size_t series_max = run.options.series_max;
  result.truncated = series_max != 0 && result.series.size() > series_max;
  if (result.truncated) result.series.resize(series_max);
  return result;
}

}  // namespace

std::string LabelValues::text_of(const Value& value) {
  std::string text = group_key(value);
  values_.try_emplace(text, to_otlp(value));
  return text;
}

void LabelValues::note_name(std::string_view name) {
  if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.emplace_back(name);
}

otlp::Attributes LabelValues::show(const query::LabelPairs& labels) const {
  otlp::Attributes shown;
  for (const std::string& name : names_) {
    for (const auto& [key, text] : labels) {
      if (key == name) shown.push_back({key, value_of(text)});
    }
  }
  return shown;
}

bool is_metrics_query(const Query& query) { return query.is_metrics() || query.trailing; }

Result<MetricsResult> query_metrics(const store::Source& source, const Query& query,
                                    const MetricsOptions& options) {
  if (!is_metrics_query(query)) return MetricsEngine::not_a_metrics_query();
  MetricsRun run{source, options, exemplars_max(query, options), {}, 0, 0};
  CC_ASSIGN(MetricsVector vector, MetricsEngine(run).evaluate(query));
  return show(std::move(vector), run);
}

Result<MetricsResult> query_metrics(const store::Source& source, std::string_view text,
                                    const MetricsOptions& options) {
  CC_ASSIGN(const Query query, parse_and_validate(text));
  return query_metrics(source, query, options);
}

}  // namespace contextcore::traceql
