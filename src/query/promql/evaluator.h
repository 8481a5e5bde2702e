#pragma once
// Expressions on a grid of steps. Private to this folder.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/promql/engine.h"
#include "query/promql/window.h"
#include "query/vector/aggregate.h"
#include "query/vector/match.h"

namespace contextcore::promql {

inline constexpr query::MatchRules kMatchRules = {.metric_names = true, .zero_division_is_nan = false};

struct Steps {
  int64_t start_ms = 0;
  int64_t step_ms = 1;
  size_t count = 1;
  int64_t time_ms(size_t step) const { return start_ms + static_cast<int64_t>(step) * step_ms; }
};

// Of an expression at all steps. Which member holds it follows from the expression's type.
struct Value {
  query::StepNumbers numbers;
  query::GridVector vector;  // distinct labels
  std::string text;
  bool ordered = false;  // sort, topk ...: the order of series is part of the answer
};

// What a selector gives, in the order of labels.
class SelectedSeries {
 public:
  SelectedSeries() = default;
  explicit SelectedSeries(std::unique_ptr<store::SeriesSet> set);
  size_t size() const { return order_.size(); }
  const store::LabelPairs& labels(size_t series) const { return set_->labels(order_[series]); }
  // Borrowed until the next call.
  const std::vector<store::SampleRun>& runs(size_t series) { return set_->runs(order_[series]); }

 private:
  std::unique_ptr<store::SeriesSet> set_;
  std::vector<uint32_t> order_;
};

// Series for windows that end at steps.
struct RangeInput {
  SelectedSeries series;
  TimeShift shift;
  int64_t range_ms = 0;
};

// A function over a range, of series that have been selected. Their values are made one series after the other.
struct RangeCall {
  const RangeEntry* entry = nullptr;
  query::StepNumbers numbers{{0}};  // the scalar argument
  RangeInput input;
  std::vector<int64_t> ends_ms;  // of the windows, by step
  WindowCursor cursor;
};

// Refuses what is not built.
Status check_supported(const Expr& expr);
// Every label that the query names, sorted.
std::vector<std::string> labels_named(const Expr& expr);

class Evaluator {
 public:
  // start and end: of the query, for @ start() and @ end().
  Evaluator(const store::MetricSource& source, const QueryOptions& options, std::string_view query, int64_t start_ms,
            int64_t end_ms, std::vector<std::string> named_labels)
      : source_(source),
        options_(options),
        query_(query),
        start_ms_(start_ms),
        end_ms_(end_ms),
        named_labels_(std::move(named_labels)) {}

  Result<Value> evaluate(const Expr& expr, const Steps& steps);
  // REQUIRES: a range vector
  Result<RangeInput> evaluate_range(const Expr& expr, const Steps& steps);
  // What a window that ends at the step sees as its end.
  int64_t reference_ms(const TimeShift& shift, int64_t time_ms) const;

  std::vector<std::string> warnings, infos;

 private:
  using Arguments = std::vector<Value>;

  // ---- nodes ----
  Result<Value> node_value(const NumberLiteral& number, const Expr& expr, const Steps& steps);
  Result<Value> node_value(const StringLiteral& literal, const Expr& expr, const Steps& steps);
  Result<Value> node_value(const VectorSelector& selector, const Expr& expr, const Steps& steps);
  Result<Value> node_value(const MatrixSelector& matrix, const Expr& expr, const Steps& steps);
  Result<Value> node_value(const Subquery& subquery, const Expr& expr, const Steps& steps);
  Result<Value> node_value(const Call& call, const Expr& expr, const Steps& steps);
  Result<Value> node_value(const Aggregation& aggregation, const Expr& expr, const Steps& steps);
  Result<Value> node_value(const BinaryOperation& binary, const Expr& expr, const Steps& steps);
  Result<Value> node_value(const Unary& unary, const Expr& expr, const Steps& steps);
  Result<Value> node_value(const Parentheses& parentheses, const Expr& expr, const Steps& steps);

  // ---- selectors (select.cpp) ----
  Result<SelectedSeries> select(const VectorSelector& selector, int64_t before_ms, const Steps& steps);
  Result<Value> select_instant(const VectorSelector& selector, const Steps& steps, bool sample_times);
  Result<RangeInput> run_subquery(const Subquery& subquery, const Steps& steps);
  Status count_samples(int64_t samples);
  Status check_cancelled() const;

  // ---- functions over ranges (range_call.cpp) ----
  // REQUIRES: find_range_function(call.function->name) != nullptr
  Result<RangeCall> begin_range_call(const Call& call, const Steps& steps);
  // What it gives of one series.
  Status fill_points(RangeCall& call, size_t series, const Steps& steps, std::vector<query::Point>& out);
  Result<Value> values_of(RangeCall call, const Steps& steps);
  void check_counter(const Call& call, const SelectedSeries& series);
  friend class RangeCallSeries;

  // ---- calls (calls.cpp) ----
  Result<Value> call_over_vector(const Call& call, const Steps& steps);
  Result<Value> call_absent(const Call& call, const Steps& steps);
  Result<Value> call_label_join(Arguments arguments);
  Result<Value> call_label_replace(Arguments arguments);
  Result<Value> call_timestamp(const Call& call, const Steps& steps);
  Result<Value> call_clamp(std::string_view name, Arguments arguments) const;
  Value call_scalar(const Value& vector, const Steps& steps) const;
  Value call_histogram_quantile(const Call& call, Arguments arguments, const Steps& steps);
  // The whole of what is applied to each value of a vector; the name goes.
  Result<Value> map_values(Value vector, const std::function<double(double value, size_t step)>& fn) const;

  // ---- aggregation (aggregation.cpp) ----
  Result<Value> one_of_each_group(const Aggregation& aggregation, query::StepNumbers number, const Steps& steps);
  Result<Value> count_values(const Aggregation& aggregation, const std::string& label, Value operand,
                             const Steps& steps) const;
  Result<Value> best(const Aggregation& aggregation, const query::StepNumbers& k, Value operand, const Steps& steps);

  void warn(const std::string& text, const Expr& at);
  void inform(const std::string& text, const Expr& at);
  void check_quantile(const query::StepNumbers& q, const Expr& at);

  const store::MetricSource& source_;
  const QueryOptions& options_;
  const std::string_view query_;
  const int64_t start_ms_, end_ms_;
  const std::vector<std::string> named_labels_;
  int64_t samples_ = 0;
};

// The series of a call, for an aggregation that needs their points one series after the other.
class RangeCallSeries final : public query::SeriesOnDemand {
 public:
  // Keeps references. Its labels are those of the selected series: with the name, also where the answer has none.
  RangeCallSeries(Evaluator& evaluator, RangeCall& call, const Steps& steps)
      : evaluator_(evaluator), call_(call), steps_(steps) {}
  size_t size() const override { return call_.input.series.size(); }
  const query::LabelPairs& labels(size_t series) const override { return call_.input.series.labels(series); }
  Result<const std::vector<query::Point>*> points(size_t series) override {
    points_.clear();
    CC_TRY(evaluator_.fill_points(call_, series, steps_, points_));
    return &points_;
  }

 private:
  Evaluator& evaluator_;
  RangeCall& call_;
  const Steps& steps_;
  std::vector<query::Point> points_;
};

// Merges series that became one; they must not have values at the same step.
Result<Value> merged(query::GridVector vector);
// An error of evaluation, not of the query's text.
Error execution_error(std::string message);

}  // namespace contextcore::promql
