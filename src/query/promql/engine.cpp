#include "query/promql/engine.h"

#include <algorithm>

#include "query/promql/calls.h"
#include "query/promql/evaluator.h"
#include "query/promql/functions.h"
#include "query/promql/parser.h"

namespace contextcore::promql {
namespace {

constexpr int64_t kFarMs = 9'000'000'000'000;  // year 2255: still fits nanoseconds

Error bad(std::string message) { return Error{Code::invalid_argument, std::move(message), {}, {}, {}}; }

void add_labels(const Expr& expr, std::vector<std::string>& out) {
  const auto add = [&](const std::vector<std::string>& names) { out.insert(out.end(), names.begin(), names.end()); };
  const auto add_matchers = [&](const VectorSelector& selector) {
    for (const Matcher& matcher : selector.matchers) out.push_back(matcher.name);
  };
  if (const auto* selector = std::get_if<VectorSelector>(&expr.node)) add_matchers(*selector);
  if (const auto* matrix = std::get_if<MatrixSelector>(&expr.node)) add_matchers(matrix->selector);
  if (const auto* aggregation = std::get_if<Aggregation>(&expr.node)) add(aggregation->grouping.labels);
  // Labels of label_replace and its kin.
  if (const auto* literal = std::get_if<StringLiteral>(&expr.node)) out.push_back(literal->value);
  if (const auto* binary = std::get_if<BinaryOperation>(&expr.node); binary != nullptr && binary->matching) {
    add(binary->matching->labels);
    add(binary->matching->include);
  }
  for (const Expr* child : children_of(expr)) add_labels(*child, out);
}

std::vector<Series> to_series(Value value, const Steps& steps) {
  if (!value.ordered) query::sort_by_labels(value.vector);
  std::vector<Series> out;
  for (query::GridSeries& series : value.vector) {
    Series one;
    one.labels = std::move(series.labels);
    for (const query::Point& point : series.points) one.samples.push_back({steps.time_ms(point.step), point.value});
    out.push_back(std::move(one));
  }
  return out;
}

Result<Steps> steps_of(const RangeParams& params, const Limits& limits) {
  if (params.end_ms < params.start_ms) return bad("end timestamp must not be before start time");
  if (params.step_ms <= 0) {
    return bad("zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (params.start_ms < -kFarMs || params.end_ms > kFarMs) return bad("the query's range is too far from now");
  Steps steps;
  steps.start_ms = params.start_ms;
  steps.step_ms = params.step_ms;
  const int64_t count = (params.end_ms - params.start_ms) / params.step_ms + 1;
  if (count > limits.points_max + 1) {
    return bad(
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)");
  }
  steps.count = static_cast<size_t>(count);
  return steps;
}

// What cannot be carried out is not the fault of the query's text.
Error as_execution_error(Error error) {
  if (error.code == Code::invalid_argument) error.code = Code::failed_precondition;
  return error;
}

// Every sample of a range vector.
Result<Matrix> raw_samples(Evaluator& evaluator, const Expr& expr, const Steps& steps, const Limits& limits) {
  auto input = evaluator.evaluate_range(expr, steps);
  if (!input.ok()) return as_execution_error(input.error());
  Matrix out;
  int64_t total = 0;
  const int64_t end_ms = evaluator.reference_ms(input->shift, steps.time_ms(0));
  Window window;
  WindowCursor cursor;
  for (size_t i = 0; i < input->series.size(); ++i) {
    cursor.begin(input->series.runs(i));
    cursor.cut(end_ms - input->range_ms, end_ms, window);
    if (window.runs.empty()) continue;
    total += window.count();
    if (total > limits.samples_max) {
      return Error{Code::resource_exhausted,
                   "query processing would load too many samples into memory in query execution",
                   {},
                   {},
                   {}};
    }
    Series one;
    one.labels = input->series.labels(i);
    for (const store::SampleRun& run : window.runs) {
      for (int64_t n = 0; n < run.count; ++n) one.samples.push_back({run.start_ms + n * run.step_ms, run.value});
    }
    out.series.push_back(std::move(one));
  }
  return out;
}

}  // namespace

Error execution_error(std::string message) { return Error{Code::failed_precondition, std::move(message), {}, {}, {}}; }

Status check_supported(const Expr& expr) {
  if (const auto* call = std::get_if<Call>(&expr.node); call != nullptr && !is_built(call->function->name)) {
    return Error{Code::unsupported,
                 "function " + std::string(call->function->name) + " is not yet supported",
                 "histograms here are classic ones: histogram_quantile over _bucket series",
                 {},
                 static_cast<int64_t>(expr.start)};
  }
  for (const Expr* child : children_of(expr)) CC_TRY(check_supported(*child));
  return {};
}

std::vector<std::string> labels_named(const Expr& expr) {
  std::vector<std::string> out;
  add_labels(expr, out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// ---- the evaluator's small nodes ----

Result<Value> Evaluator::evaluate(const Expr& expr, const Steps& steps) {
  return std::visit([&](const auto& node) { return node_value(node, expr, steps); }, expr.node);
}

Result<Value> Evaluator::node_value(const NumberLiteral& number, const Expr&, const Steps&) {
  Value out;
  out.numbers.values = {number.value};
  return out;
}

Result<Value> Evaluator::node_value(const StringLiteral& literal, const Expr&, const Steps&) {
  Value out;
  out.text = literal.value;
  return out;
}

Result<Value> Evaluator::node_value(const VectorSelector& selector, const Expr&, const Steps& steps) {
  return select_instant(selector, steps, false);
}

Result<Value> Evaluator::node_value(const MatrixSelector&, const Expr&, const Steps&) {
  return Error{Code::internal, "a range vector has no value at a step", {}, {}, {}};
}

Result<Value> Evaluator::node_value(const Subquery&, const Expr&, const Steps&) {
  return Error{Code::internal, "a subquery has no value at a step", {}, {}, {}};
}

Result<Value> Evaluator::node_value(const Parentheses& parentheses, const Expr&, const Steps& steps) {
  return evaluate(parentheses.operand[0], steps);
}

Result<Value> Evaluator::node_value(const Unary& unary, const Expr& expr, const Steps& steps) {
  CC_ASSIGN(Value value, evaluate(unary.operand[0], steps));
  if (!unary.negative) return value;
  if (type_of(expr) == ValueType::vector) {
    return map_values(std::move(value), [](double v, size_t) { return -v; });
  }
  for (double& number : value.numbers.values) number = -number;
  return value;
}

Result<Value> Evaluator::node_value(const BinaryOperation& binary, const Expr&, const Steps& steps) {
  CC_ASSIGN(Value left, evaluate(binary.operands[0], steps));
  CC_ASSIGN(Value right, evaluate(binary.operands[1], steps));
  const bool left_scalar = type_of(binary.operands[0]) == ValueType::scalar;
  const bool right_scalar = type_of(binary.operands[1]) == ValueType::scalar;
  const query::BinaryCall call{binary.op, binary.return_bool, binary.matching, kMatchRules};
  Value out;
  if (left_scalar && right_scalar) {
    const size_t count = std::max(left.numbers.values.size(), right.numbers.values.size());
    for (size_t step = 0; step < count; ++step) {
      out.numbers.values.push_back(query::calculate(call, left.numbers.at(step), right.numbers.at(step)));
    }
  } else if (left_scalar) {
    CC_ASSIGN(out.vector, query::combine(call, left.numbers, std::move(right.vector)));
  } else if (right_scalar) {
    CC_ASSIGN(out.vector, query::combine(call, std::move(left.vector), right.numbers));
  } else {
    CC_ASSIGN(out.vector, query::combine(call, left.vector, right.vector, steps.count));
  }
  return out;
}

void Evaluator::warn(const std::string& text, const Expr& at) {
  const std::string message = parse_error(query_, at.start, {}).message;
  const std::string whole = "PromQL warning: " + text + " (" + message.substr(0, message.find(": ")) + ")";
  if (std::find(warnings.begin(), warnings.end(), whole) == warnings.end()) warnings.push_back(whole);
}

void Evaluator::inform(const std::string& text, const Expr& at) {
  const std::string message = parse_error(query_, at.start, {}).message;
  const std::string whole = "PromQL info: " + text + " (" + message.substr(0, message.find(": ")) + ")";
  if (std::find(infos.begin(), infos.end(), whole) == infos.end()) infos.push_back(whole);
}

// ---- queries ----

Result<QueryResult> query_range(const store::MetricSource& source, std::string_view query, const RangeParams& params,
                                const QueryOptions& options) {
  CC_ASSIGN(const Expr expr, parse(query));
  const ValueType type = type_of(expr);
  if (type != ValueType::scalar && type != ValueType::vector) {
    return bad("invalid expression type \"" + std::string(documented_name(type)) +
               "\" for range query, must be Scalar or instant Vector");
  }
  CC_TRY(check_supported(expr));
  CC_ASSIGN(const Steps steps, steps_of(params, options.limits));
  Evaluator evaluator(source, options, query, params.start_ms, params.end_ms, labels_named(expr));
  auto value = evaluator.evaluate(expr, steps);
  if (!value.ok()) return as_execution_error(value.error());
  if (type == ValueType::scalar) {
    query::GridSeries series;
    for (size_t step = 0; step < steps.count; ++step) series.points.push_back({step, value->numbers.at(step)});
    value->vector.push_back(std::move(series));
  }
  QueryResult out;
  value->ordered = false;
  out.data = Matrix{to_series(*std::move(value), steps)};
  out.warnings = std::move(evaluator.warnings);
  out.infos = std::move(evaluator.infos);
  return out;
}

Result<QueryResult> query_instant(const store::MetricSource& source, std::string_view query, int64_t time_ms,
                                  const QueryOptions& options) {
  CC_ASSIGN(const Expr expr, parse(query));
  CC_TRY(check_supported(expr));
  if (time_ms < -kFarMs || time_ms > kFarMs) return bad("the query's time is too far from now");
  Steps steps;
  steps.start_ms = time_ms;
  Evaluator evaluator(source, options, query, time_ms, time_ms, labels_named(expr));
  QueryResult out;
  if (type_of(expr) == ValueType::matrix) {
    CC_ASSIGN(out.data, raw_samples(evaluator, expr, steps, options.limits));
  } else {
    auto value = evaluator.evaluate(expr, steps);
    if (!value.ok()) return as_execution_error(value.error());
    if (type_of(expr) == ValueType::scalar) {
      out.data = Scalar{{time_ms, value->numbers.at(0)}};
    } else if (type_of(expr) == ValueType::string) {
      out.data = String{time_ms, std::move(value->text)};
    } else {
      out.data = Vector{to_series(*std::move(value), steps)};
    }
  }
  out.warnings = std::move(evaluator.warnings);
  out.infos = std::move(evaluator.infos);
  return out;
}

}  // namespace contextcore::promql
