// Functions over ranges: rate, max_over_time ...

#include "query/common/text.h"
#include "query/promql/evaluator.h"
#include "query/promql/functions.h"
#include "query/vector/relabel.h"

namespace contextcore::promql {
namespace {

// A counter's name, or that of one of its parts.
bool is_counter_name(std::string_view name) {
  for (const std::string_view suffix : {"_total", "_sum", "_count", "_bucket"}) {
    if (name.ends_with(suffix)) return true;
  }
  return name.empty();
}

}  // namespace

void Evaluator::check_counter(const Call& call, const SelectedSeries& series) {
  std::string_view checked;
  for (size_t i = 0; i < series.size(); ++i) {
    const std::string_view name = query::label_of(series.labels(i), query::kNameLabel);
    if (i > 0 && name == checked) continue;
    checked = name;
    if (is_counter_name(name)) continue;
    inform("metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " + query::quote(name),
           call.arguments[0]);
  }
}

Result<RangeCall> Evaluator::begin_range_call(const Call& call, const Steps& steps) {
  RangeCall out;
  out.entry = find_range_function(call.function->name);
  const Expr* range = nullptr;
  for (const Expr& argument : call.arguments) {
    if (type_of(argument) == ValueType::matrix) {
      range = &argument;
    } else {
      CC_ASSIGN(Value value, evaluate(argument, steps));
      out.numbers = std::move(value.numbers);
      if (out.entry->name == "quantile_over_time") check_quantile(out.numbers, argument);
    }
  }
  CC_ASSIGN(out.input, evaluate_range(*range, steps));
  for (size_t step = 0; step < steps.count; ++step) {
    out.ends_ms.push_back(reference_ms(out.input.shift, steps.time_ms(step)));
  }
  if (out.entry->counter) check_counter(call, out.input.series);
  return out;
}

Status Evaluator::fill_points(RangeCall& call, size_t series, const Steps& steps, std::vector<query::Point>& out) {
  CC_TRY(check_cancelled());
  const RangeEntry& entry = *call.entry;
  Window window;
  window.range_ms = call.input.range_ms;
  const std::vector<store::SampleRun>& runs = call.input.series.runs(series);
  CC_TRY(count_samples(static_cast<int64_t>(runs.size())));
  WindowCursor& cursor = call.cursor;
  cursor.begin(runs);
  for (size_t step = 0; step < steps.count; ++step) {
    window.step_ms = steps.time_ms(step);
    window.end_ms = call.ends_ms[step];
    window.start_ms = window.end_ms - call.input.range_ms;
    if (entry.of_rise != nullptr) {
      if (const auto rise = cursor.rise(window.start_ms, window.end_ms)) {
        if (const auto value = entry.of_rise(window, *rise)) out.push_back({step, *value});
        continue;
      }
    }
    cursor.cut(window.start_ms, window.end_ms, window);
    if (window.runs.empty()) continue;
    if (const auto value = entry.function(window, call.numbers.at(step))) out.push_back({step, *value});
  }
  return count_samples(static_cast<int64_t>(out.size()));
}

Result<Value> Evaluator::values_of(RangeCall call, const Steps& steps) {
  query::GridVector vector;
  std::vector<query::Point> points;
  for (size_t i = 0; i < call.input.series.size(); ++i) {
    points.clear();
    CC_TRY(fill_points(call, i, steps, points));
    if (points.empty()) continue;
    query::LabelPairs labels = call.input.series.labels(i);
    if (!call.entry->keeps_name) query::drop_metric_labels(labels);
    vector.push_back({std::move(labels), points});
  }
  return merged(std::move(vector));
}

}  // namespace contextcore::promql
