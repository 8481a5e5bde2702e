// Selectors and subqueries: from the source to steps and windows.

#include <algorithm>

#include "base/sort_runs.h"
#include "query/common/regex.h"
#include "query/promql/evaluator.h"

namespace contextcore::promql {
namespace {

using store::MetricSeries;
using store::SampleRun;

constexpr int64_t kFarMs = INT64_MAX / 4;

// The newest sample at or before ends that do not fall.
class SampleCursor {
 public:
  explicit SampleCursor(const std::vector<SampleRun>& runs) : runs_(runs) {}

  // False when there is none after `after_ms`, or the series has ended.
  bool find(int64_t end_ms, int64_t after_ms, Sample& out) {
    while (at_ + 1 < runs_.size() && runs_[at_ + 1].start_ms <= end_ms) ++at_;
    if (at_ >= runs_.size() || runs_[at_].start_ms > end_ms) return false;
    const SampleRun& run = runs_[at_];
    out.time_ms = run.end_ms();
    if (out.time_ms > end_ms) out.time_ms = run.start_ms + (end_ms - run.start_ms) / run.step_ms * run.step_ms;
    out.value = run.value;
    return out.time_ms > after_ms && !store::is_stale_marker(run.value);
  }

 private:
  const std::vector<SampleRun>& runs_;
  size_t at_ = 0;
};

// Points of one series as runs, those of one value together.
std::vector<SampleRun> to_runs(const std::vector<query::Point>& points, const Steps& steps) {
  std::vector<SampleRun> out;
  for (const query::Point& point : points) {
    const int64_t time_ms = steps.time_ms(point.step);
    if (!out.empty() && out.back().value == point.value && out.back().end_ms() + steps.step_ms == time_ms) {
      out.back().step_ms = steps.step_ms;
      ++out.back().count;
    } else {
      out.push_back({time_ms, 0, 1, point.value});
    }
  }
  return out;
}

}  // namespace

int64_t Evaluator::reference_ms(const TimeShift& shift, int64_t time_ms) const {
  switch (shift.at) {
    case TimeShift::At::none:
      break;
    case TimeShift::At::time:
      time_ms = shift.at_ms;
      break;
    case TimeShift::At::start:
      time_ms = start_ms_;
      break;
    case TimeShift::At::end:
      time_ms = end_ms_;
      break;
  }
  return std::clamp(time_ms, -kFarMs, kFarMs) - shift.offset_ms;
}

Status Evaluator::check_cancelled() const {
  if (!options_.cancelled || !options_.cancelled()) return {};
  return Error{Code::cancelled, "query was canceled in query execution", {}, {}, {}};
}

Status Evaluator::count_samples(int64_t samples) {
  samples_ += samples;
  if (samples_ <= options_.limits.samples_max) return {};
  return Error{Code::resource_exhausted,
               "query processing would load too many samples into memory in query execution",
               "narrow the selectors or the time range",
               {},
               {}};
}

SelectedSeries::SelectedSeries(std::unique_ptr<store::SeriesSet> set) : set_(std::move(set)), order_(set_->size()) {
  for (size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<uint32_t>(i);
  // Sources give most of them in order: those of a project, of a name ...
  sort_runs(order_, [this](uint32_t a, uint32_t b) { return set_->labels(a) < set_->labels(b); });
}

Result<SelectedSeries> Evaluator::select(const VectorSelector& selector, int64_t before_ms, const Steps& steps) {
  CC_TRY(check_cancelled());
  store::MetricRequest request = request_of(selector.matchers);
  request.start_ms = reference_ms(selector.shift, steps.time_ms(0)) - before_ms + 1;
  request.end_ms = reference_ms(selector.shift, steps.time_ms(steps.count - 1));
  request.named_labels = named_labels_;
  CC_ASSIGN(std::unique_ptr<store::SeriesSet> series, source_.find(request));
  if (series->size() > options_.limits.series_max) {
    return Error{Code::resource_exhausted,
                 "a selector gives " + std::to_string(series->size()) + " series, more than " +
                     std::to_string(options_.limits.series_max),
                 "narrow it with matchers",
                 {},
                 {}};
  }
  return SelectedSeries(std::move(series));
}

Result<Value> Evaluator::select_instant(const VectorSelector& selector, const Steps& steps, bool sample_times) {
  CC_ASSIGN(SelectedSeries series, select(selector, options_.lookback_ms, steps));
  Value out;
  for (size_t i = 0; i < series.size(); ++i) {
    query::GridSeries grid;
    const std::vector<SampleRun>& runs = series.runs(i);
    CC_TRY(count_samples(static_cast<int64_t>(runs.size())));
    SampleCursor cursor(runs);
    for (size_t step = 0; step < steps.count; ++step) {
      const int64_t end_ms = reference_ms(selector.shift, steps.time_ms(step));
      Sample sample;
      if (!cursor.find(end_ms, end_ms - options_.lookback_ms, sample)) continue;
      grid.points.push_back({step, sample_times ? static_cast<double>(sample.time_ms) / 1000 : sample.value});
    }
    if (grid.points.empty()) continue;
    CC_TRY(count_samples(static_cast<int64_t>(grid.points.size())));
    grid.labels = series.labels(i);
    out.vector.push_back(std::move(grid));
  }
  return out;
}

Result<RangeInput> Evaluator::evaluate_range(const Expr& expr, const Steps& steps) {
  const Expr& inner = without_parentheses(expr);
  if (const auto* subquery = std::get_if<Subquery>(&inner.node)) return run_subquery(*subquery, steps);
  const auto& matrix = std::get<MatrixSelector>(inner.node);
  RangeInput out;
  out.shift = matrix.selector.shift;
  out.range_ms = matrix.range_ms;
  CC_ASSIGN(out.series, select(matrix.selector, matrix.range_ms, steps));
  return out;
}

Result<RangeInput> Evaluator::run_subquery(const Subquery& subquery, const Steps& steps) {
  RangeInput out;
  out.shift = subquery.shift;
  out.range_ms = subquery.range_ms;
  Steps inner;
  inner.step_ms = subquery.step_ms != 0 ? subquery.step_ms : options_.subquery_step_ms;
  const int64_t after_ms = reference_ms(subquery.shift, steps.time_ms(0)) - subquery.range_ms;
  const int64_t end_ms = reference_ms(subquery.shift, steps.time_ms(steps.count - 1));
  inner.start_ms = after_ms / inner.step_ms * inner.step_ms;
  if (inner.start_ms <= after_ms) inner.start_ms += inner.step_ms;
  if (inner.start_ms > end_ms) return out;
  const int64_t count = (end_ms - inner.start_ms) / inner.step_ms + 1;
  CC_TRY(count_samples(count));
  inner.count = static_cast<size_t>(count);
  CC_ASSIGN(Value value, evaluate(subquery.operand[0], inner));
  query::sort_by_labels(value.vector);
  std::vector<MetricSeries> series;
  for (query::GridSeries& one : value.vector) {
    series.push_back({std::move(one.labels), to_runs(one.points, inner)});
  }
  out.series = SelectedSeries(std::make_unique<store::SeriesAtHand>(std::move(series)));
  return out;
}

store::MetricRequest request_of(const std::vector<Matcher>& matchers) {
  store::MetricRequest request;
  for (const Matcher& matcher : matchers) {
    store::LabelMatcher out;
    out.name = matcher.name;
    request.named_labels.push_back(matcher.name);
    out.equals = matcher.op == MatchOp::equal;
    out.value = matcher.value;
    if (matcher.op == MatchOp::equal || matcher.op == MatchOp::not_equal) {
      out.accepts = [value = matcher.value, equal = out.equals](std::string_view text) {
        return (text == value) == equal;
      };
    } else {
      const auto regex = query::Regex::compile(matcher.value);
      const bool wanted = matcher.op == MatchOp::regex;
      if (regex.ok()) {
        out.accepts = [regex = *regex, wanted](std::string_view text) { return regex.matches(text) == wanted; };
      } else {
        out.accepts = [](std::string_view) { return false; };
      }
    }
    request.matchers.push_back(std::move(out));
  }
  return request;
}

}  // namespace contextcore::promql
