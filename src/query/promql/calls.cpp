// Calls of functions.

#include "query/promql/calls.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <unordered_map>

#include "base/utf8.h"
#include "query/common/regex.h"
#include "query/common/text.h"
#include "query/promql/evaluator.h"
#include "query/promql/functions.h"
#include "query/promql/histogram.h"
#include "query/vector/aggregate.h"
#include "query/vector/relabel.h"

namespace contextcore::promql {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kBoundLabel = "le";

// What the selector demands, where it demands one value.
query::LabelPairs labels_of_absent(const Expr& expr) {
  const std::vector<Matcher>* matchers = nullptr;
  if (const auto* selector = std::get_if<VectorSelector>(&expr.node)) matchers = &selector->matchers;
  if (const auto* matrix = std::get_if<MatrixSelector>(&expr.node)) matchers = &matrix->selector.matchers;
  query::LabelPairs labels;
  if (matchers == nullptr) return labels;
  std::vector<std::string_view> seen;
  for (const Matcher& matcher : *matchers) {
    if (matcher.name == query::kNameLabel) continue;
    const bool again = std::find(seen.begin(), seen.end(), matcher.name) != seen.end();
    if (matcher.op == MatchOp::equal && !again) {
      query::set_label(labels, matcher.name, matcher.value);
      seen.push_back(matcher.name);
    } else {
      query::drop_label(labels, matcher.name);
    }
  }
  return labels;
}

Status check_destination(std::string_view function, const std::string& label) {
  if (!label.empty() && is_valid_utf8(label)) return {};
  return execution_error("invalid destination label name in " + std::string(function) + "(): " + label);
}

}  // namespace

void Evaluator::check_quantile(const query::StepNumbers& q, const Expr& at) {
  for (const double number : q.values) {
    if (number >= 0 && number <= 1) continue;
    warn("quantile value should be between 0 and 1, got " + query::format_sample(number), at);
    return;
  }
}

Result<Value> merged(query::GridVector vector) {
  query::Merger merger;
  for (query::GridSeries& series : vector) merger.add(std::move(series.labels), std::move(series.points));
  std::optional<query::GridVector> out = merger.take();
  if (!out) return execution_error("vector cannot contain metrics with the same labelset");
  Value value;
  value.vector = *std::move(out);
  return value;
}

Result<Value> Evaluator::node_value(const Call& call, const Expr& at, const Steps& steps) {
  const std::string_view name = call.function->name;
  if (steps.count > 1 && (name == "sort" || name == "sort_desc")) {
    warn("sort is ineffective for range queries since results are always ordered by labels", at);
  }
  if (find_range_function(name) != nullptr) {
    CC_ASSIGN(RangeCall over_range, begin_range_call(call, steps));
    return values_of(std::move(over_range), steps);
  }
  if (name == "absent" || name == "absent_over_time") return call_absent(call, steps);
  if (name == "timestamp") return call_timestamp(call, steps);
  return call_over_vector(call, steps);
}

Result<Value> Evaluator::call_absent(const Call& call, const Steps& steps) {
  std::vector<bool> present(steps.count, false);
  const Expr& argument = call.arguments[0];
  if (type_of(argument) == ValueType::vector) {
    CC_ASSIGN(const Value operand, evaluate(argument, steps));
    for (const query::GridSeries& series : operand.vector) {
      for (const query::Point& point : series.points) present[point.step] = true;
    }
  } else {
    CC_ASSIGN(RangeInput input, evaluate_range(argument, steps));
    Window window;
    WindowCursor cursor;
    for (size_t i = 0; i < input.series.size(); ++i) {
      const std::vector<store::SampleRun>& runs = input.series.runs(i);
      CC_TRY(count_samples(static_cast<int64_t>(runs.size())));
      cursor.begin(runs);
      for (size_t step = 0; step < steps.count; ++step) {
        const int64_t end_ms = reference_ms(input.shift, steps.time_ms(step));
        cursor.cut(end_ms - input.range_ms, end_ms, window);
        if (!window.runs.empty()) present[step] = true;
      }
    }
  }
  Value out;
  query::GridSeries series{labels_of_absent(argument), {}};
  for (size_t step = 0; step < steps.count; ++step) {
    if (!present[step]) series.points.push_back({step, 1});
  }
  if (!series.points.empty()) out.vector.push_back(std::move(series));
  return out;
}

Result<Value> Evaluator::call_timestamp(const Call& call, const Steps& steps) {
  const Expr& argument = call.arguments[0];
  if (const auto* selector = std::get_if<VectorSelector>(&without_parentheses(argument).node)) {
    CC_ASSIGN(Value times, select_instant(*selector, steps, true));
    return map_values(std::move(times), [](double seconds, size_t) { return seconds; });
  }
  CC_ASSIGN(Value operand, evaluate(argument, steps));
  return map_values(std::move(operand),
                    [&](double, size_t step) { return static_cast<double>(steps.time_ms(step)) / 1000; });
}

Result<Value> Evaluator::map_values(Value vector, const std::function<double(double, size_t)>& fn) const {
  for (query::GridSeries& series : vector.vector) {
    query::drop_metric_labels(series.labels);
    for (query::Point& point : series.points) point.value = fn(point.value, point.step);
  }
  return merged(std::move(vector.vector));
}

Value Evaluator::call_scalar(const Value& vector, const Steps& steps) const {
  std::vector<int> found(steps.count, 0);
  Value out;
  out.numbers.values.assign(steps.count, kNan);
  for (const query::GridSeries& series : vector.vector) {
    for (const query::Point& point : series.points) {
      out.numbers.values[point.step] = found[point.step]++ == 0 ? point.value : kNan;
    }
  }
  return out;
}

Value Evaluator::call_histogram_quantile(const Call& call, Arguments arguments, const Steps& steps) {
  struct Group {
    query::LabelPairs labels;
    std::vector<std::vector<Bucket>> steps;
  };
  check_quantile(arguments[0].numbers, call.arguments[0]);
  std::vector<Group> groups;
  std::unordered_map<std::string, size_t> index;
  for (query::GridSeries& series : arguments[1].vector) {
    const std::string text(query::label_of(series.labels, kBoundLabel));
    const auto bound = parse_bound(text);
    if (!bound) {
      warn("bucket label \"le\" is missing or has a malformed value of " + query::quote(text), call.arguments[1]);
      continue;
    }
    query::drop_label(series.labels, kBoundLabel);
    const auto [at, is_new] = index.try_emplace(query::key_of(series.labels), groups.size());
    if (is_new) groups.push_back({series.labels, std::vector<std::vector<Bucket>>(steps.count)});
    for (const query::Point& point : series.points) {
      groups[at->second].steps[point.step].push_back({*bound, point.value});
    }
  }
  Value out;
  bool any_forced = false;
  for (Group& group : groups) {
    query::GridSeries series;
    for (size_t step = 0; step < steps.count; ++step) {
      if (group.steps[step].empty()) continue;
      bool forced = false;
      series.points.push_back({step, bucket_quantile(arguments[0].numbers.at(step), group.steps[step], forced)});
      any_forced = any_forced || forced;
    }
    series.labels = std::move(group.labels);
    query::drop_metric_labels(series.labels);
    out.vector.push_back(std::move(series));
  }
  if (any_forced) {
    inform(
        "input to histogram_quantile needed to be fixed for monotonicity "
        "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)",
        call.arguments[1]);
  }
  return out;
}

Result<Value> Evaluator::call_label_replace(Arguments arguments) {
  const std::string& expression = arguments[4].text;
  auto regex = query::Regex::compile(expression);
  if (!regex.ok()) return execution_error("invalid regular expression in label_replace(): " + expression);
  CC_TRY(check_destination("label_replace", arguments[1].text));
  auto replaced = query::replace_label({arguments[1].text, arguments[2].text, arguments[3].text, *std::move(regex)},
                                       std::move(arguments[0].vector));
  if (!replaced.ok()) return execution_error(replaced.error().message);
  Value out;
  out.vector = *std::move(replaced);
  return out;
}

Result<Value> Evaluator::call_label_join(Arguments arguments) {
  const std::string& destination = arguments[1].text;
  CC_TRY(check_destination("label_join", destination));
  for (query::GridSeries& series : arguments[0].vector) {
    std::string joined;
    for (size_t i = 3; i < arguments.size(); ++i) {
      if (i > 3) joined += arguments[2].text;
      joined += query::label_of(series.labels, arguments[i].text);
    }
    query::set_label(series.labels, destination, std::move(joined));
  }
  return merged(std::move(arguments[0].vector));
}

// clamp, clamp_min, clamp_max
Result<Value> Evaluator::call_clamp(std::string_view name, Arguments arguments) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool low = name != "clamp_max", high = name != "clamp_min";
  Value vector = std::move(arguments[0]);
  if (low && high) {
    for (query::GridSeries& series : vector.vector) {
      std::erase_if(series.points, [&](const query::Point& point) {
        return arguments[1].numbers.at(point.step) > arguments[2].numbers.at(point.step);
      });
    }
  }
  return map_values(std::move(vector), [&](double v, size_t step) {
    const double least = low ? arguments[1].numbers.at(step) : -kInfinity;
    const double most = high ? arguments[low ? 2 : 1].numbers.at(step) : kInfinity;
    if (std::isnan(least) || std::isnan(most) || std::isnan(v)) return kNan;
    return std::max(least, std::min(most, v));
  });
}

Result<Value> Evaluator::call_over_vector(const Call& call, const Steps& steps) {
  const std::string_view name = call.function->name;
  Arguments arguments;
  for (const Expr& argument : call.arguments) {
    CC_ASSIGN(Value value, evaluate(argument, steps));
    arguments.push_back(std::move(value));
  }
  Value out;
  const auto numbers_of = [&](size_t i) -> const query::StepNumbers& { return arguments[i].numbers; };
  if (name == "time") {
    for (size_t step = 0; step < steps.count; ++step) {
      out.numbers.values.push_back(static_cast<double>(steps.time_ms(step)) / 1000);
    }
    return out;
  }
  if (name == "pi") {
    out.numbers.values = {std::numbers::pi};
    return out;
  }
  if (name == "scalar") return call_scalar(arguments[0], steps);
  if (name == "vector") {
    out.vector.emplace_back();
    for (size_t step = 0; step < steps.count; ++step) out.vector[0].points.push_back({step, numbers_of(0).at(step)});
    return out;
  }
  if (name == "histogram_quantile") {
    return merged(call_histogram_quantile(call, std::move(arguments), steps).vector);
  }
  if (name == "label_replace") return call_label_replace(std::move(arguments));
  if (name == "label_join") return call_label_join(std::move(arguments));
  if (name == "sort" || name == "sort_desc") {
    out.vector = std::move(arguments[0].vector);
    out.ordered = steps.count == 1;
    if (out.ordered) query::sort_by_value(name == "sort_desc", out.vector);
    return out;
  }
  if (const Mapping mapping = find_mapping(name)) {
    return map_values(std::move(arguments[0]), [&](double v, size_t) { return mapping(v); });
  }
  if (const Mapping date = find_date_function(name)) {
    if (arguments.empty()) {
      out.vector.emplace_back();
      for (size_t step = 0; step < steps.count; ++step) {
        out.vector[0].points.push_back({step, date(static_cast<double>(steps.time_ms(step)) / 1000)});
      }
      return out;
    }
    return map_values(std::move(arguments[0]), [&](double v, size_t) { return date(v); });
  }
  if (name == "round") {
    const query::StepNumbers nearest = arguments.size() > 1 ? numbers_of(1) : query::StepNumbers{{1}};
    return map_values(std::move(arguments[0]), [&](double v, size_t step) {
      const double inverse = 1 / nearest.at(step);
      return std::floor(v * inverse + 0.5) / inverse;
    });
  }
  return call_clamp(name, std::move(arguments));
}

}  // namespace contextcore::promql
