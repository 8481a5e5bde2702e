#include "query/logql/range_eval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <unordered_map>

#include "base/sort.h"
#include "base/time.h"
#include "query/logql/counter_rate.h"
#include "query/logql/match.h"
#include "query/logql/needed_labels.h"
#include "query/logql/pipeline.h"
#include "query/logql/range_count.h"
#include "query/logql/scan.h"
#include "query/logql/text.h"
#include "query/vector/numbers.h"

namespace contextcore::logql {
namespace {

struct RawSeries {
  LabelPairs labels;
  std::vector<RawSample> samples;
  std::vector<uint64_t> sequences;  // of scans without order
};

// Into the order in which the store gives entries: of time, then of arrival.
void put_in_order(RawSeries& series) {
  struct Arrived {
    RawSample sample;
    uint64_t sequence;
  };
  std::vector<Arrived> all;
  all.reserve(series.samples.size());
  for (size_t i = 0; i < series.samples.size(); ++i) all.push_back({series.samples[i], series.sequences[i]});
  const auto earlier = [](const Arrived& a, const Arrived& b) {
    return std::tie(a.sample.time_ns, a.sequence) < std::tie(b.sample.time_ns, b.sequence);
  };
  if (std::is_sorted(all.begin(), all.end(), earlier)) return;
  sort_stably(all, earlier);
  for (size_t i = 0; i < all.size(); ++i) series.samples[i] = all[i].sample;
}

int64_t saturating_subtract(int64_t a, int64_t b) {
  int64_t out = 0;
  if (!__builtin_sub_overflow(a, b, &out)) return out;
  return b > 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

Error pipeline_error(const std::string& error, const LabelPairs& labels) {
  return Error{
      Code::invalid_argument,
      "pipeline error: '" + error + "' for series: '" + to_string(labels) +
          "'.\nUse a label filter to intentionally skip this error. (e.g | __error__!=\"" + error +
          "\").\nTo skip all potential errors you can match empty errors.(e.g __error__=\"\")\nThe "
          "label "
          "filter can also be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n",
      {},
      {},
      {}};
}

// Entries of one aggregation, by series.
class Collector {
 public:
  Collector(const RangeAggregation& aggregation,
            const std::optional<Grouping>& grouping, const Limits& limits, bool ordered)
      : aggregation_(aggregation), grouping_(grouping), limits_(limits), ordered_(ordered) {}

  Status compile() {
    if (!aggregation_.range.unwrap) return {};
    for (const LabelFilter& filter : aggregation_.range.unwrap->filters) {
      CC_ASSIGN(CompiledLabelFilter compiled, CompiledLabelFilter::compile(filter));
      filters_.push_back(std::move(compiled));
    }
    return {};
  }

  Result<bool> add(const store::LogEntry& entry, EntryLabels& labels, std::string_view line) {
    double value = 1;
    if (aggregation_.op == RangeOp::bytes || aggregation_.op == RangeOp::bytes_rate) {
      value = static_cast<double>(line.size());
    }
    if (aggregation_.range.unwrap && !unwrap(labels, value)) return true;
    if (labels.has_error()) return pipeline_error(labels.error(), labels.merged());
    if (++samples_ > limits_.samples_max) {
      return Error{Code::resource_exhausted,
                   "query reads more than " + std::to_string(limits_.samples_max) + " entries",
                   "narrow the selector or the time range",
                   {},
                   {}};
    }
    // An untouched stream is one series, unless unwrap takes a label away.
    if (labels.untouched() && !aggregation_.range.unwrap) {
      const auto [at, is_new] = by_stream_.try_emplace(entry.stream, 0);
      if (is_new) {
        CC_ASSIGN(at->second, find(series_labels(labels)));
      }
      put(at->second, entry, value);
      return true;
    }
    CC_ASSIGN(const size_t index, grouping_ && !grouping_->without ? find_by(labels) : find(series_labels(labels)));
    put(index, entry, value);
    return true;
  }

  std::vector<RawSeries>& series() { return series_; }

 private:
  // False drops the entry: the label is absent or empty, or a filter after the conversion refuses
  // it.
  bool unwrap(EntryLabels& labels, double& value) const {
    const Unwrap& unwrap = *aggregation_.range.unwrap;
    const std::string_view text = labels.get(unwrap.label);
    if (text.empty()) return false;
    if (!convert(unwrap.conversion, text, value)) {
      const bool time = unwrap.conversion == Conversion::duration ||
                        unwrap.conversion == Conversion::duration_seconds;
      labels.set_error("SampleExtractionErr", time ? no_duration(text) : no_number(text));
      value = 0;
    }
    return std::all_of(filters_.begin(), filters_.end(),
                       [&](const CompiledLabelFilter& filter) { return filter.matches(labels); });
  }

  static bool convert(Conversion conversion, std::string_view text, double& value) {
    if (conversion == Conversion::none) return parse_number(text, value);
    if (conversion == Conversion::bytes) {
      uint64_t bytes = 0;
      if (!parse_bytes(text, bytes)) return false;
      value = static_cast<double>(bytes);
      return true;
    }
    auto duration = parse_go_duration(text);
    if (!duration.ok()) return false;
    value = static_cast<double>(*duration) / static_cast<double>(kSecondNs);
    return true;
  }

  void put(size_t series, const store::LogEntry& entry, double value) {
    series_[series].samples.push_back({entry.time_ns, value});
    if (!ordered_) series_[series].sequences.push_back(entry.sequence);
  }

  // Of few labels that make a series, without putting all of them together.
  Result<size_t> find_by(const EntryLabels& labels) {
    key_.clear();
    for (const std::string& name : grouping_->labels) {
      EntryLabels::Found found;
      const bool there = labels.find(name, found);
      key_ += there ? '+' : '-';
      if (!there) continue;
      key_ += std::to_string(found.value.size());
      key_ += ':';
      key_ += found.value;
    }
    if (const auto known = by_values_.find(key_); known != by_values_.end()) return known->second;
    CC_ASSIGN(const size_t index, find(series_labels(labels)));
    by_values_.emplace(key_, index);
    return index;
  }

  LabelPairs series_labels(const EntryLabels& labels) const {
    LabelPairs all = labels.merged();
    if (aggregation_.range.unwrap && (!grouping_ || grouping_->without)) {
      std::erase_if(
          all, [&](const auto& label) { return label.first == aggregation_.range.unwrap->label; });
    }
    return grouping_ ? group_labels(all, *grouping_) : all;
  }

  Result<size_t> find(LabelPairs labels) {
    const auto [at, is_new] = index_.try_emplace(key_of(labels), series_.size());
    if (!is_new) return at->second;
    if (series_.size() >= limits_.series_max) {
      return Error{Code::invalid_argument,
                   "maximum number of series (" + std::to_string(limits_.series_max) +
                       ") reached for a single query; consider reducing query cardinality by "
                       "adding more specific "
                       "stream selectors, reducing the time range, or aggregating results",
                   {},
                   {},
                   {}};
    }
    series_.push_back({std::move(labels), {}, {}});
    return series_.size() - 1;
  }

  const RangeAggregation& aggregation_;
  const std::optional<Grouping>& grouping_;
  const Limits& limits_;
  const bool ordered_;
  std::vector<CompiledLabelFilter> filters_;
  std::vector<RawSeries> series_;
  std::unordered_map<std::string, size_t> index_;
  std::unordered_map<const LabelPairs*, size_t> by_stream_;
  std::unordered_map<std::string, size_t> by_values_;
  std::string key_;
  size_t samples_ = 0;
};

double variance(const RawSample* first, const RawSample* last) {
  query::Variance out;
  for (; first != last; ++first) out.add(first->value, 1);
  return out.value();
}

// REQUIRES: first != last
double reduce_window(const RangeAggregation& aggregation, const RawSample* first,
                     const RawSample* last, int64_t end_ns) {
  const double seconds =
      static_cast<double>(aggregation.range.range_ns) / static_cast<double>(kSecondNs);
  const auto count = static_cast<double>(last - first);
  auto sum = [&] {
    double out = 0;
    for (const RawSample* at = first; at != last; ++at) out += at->value;
    return out;
  };
  auto best = [&](auto is_better) {
    double out = first->value;
    for (const RawSample* at = first; at != last; ++at) {
      if (is_better(at->value, out) || std::isnan(out)) out = at->value;
    }
    return out;
  };
  switch (aggregation.op) {
    case RangeOp::count:
      return count;
    case RangeOp::rate:
      return sum() / seconds;
    case RangeOp::bytes:
    case RangeOp::sum:
      return sum();
    case RangeOp::bytes_rate:
      return sum() / seconds;
    case RangeOp::avg:
      return sum() / count;
    case RangeOp::max:
      return best([](double a, double b) { return a > b; });
    case RangeOp::min:
      return best([](double a, double b) { return a < b; });
    case RangeOp::first:
      return first->value;
    case RangeOp::last:
      return (last - 1)->value;
    case RangeOp::stdvar:
      return variance(first, last);
    case RangeOp::stddev:
      return std::sqrt(variance(first, last));
    case RangeOp::quantile: {
      std::vector<double> values;
      for (const RawSample* at = first; at != last; ++at) values.push_back(at->value);
      return query::quantile(aggregation.parameter.value_or(0), values);
    }
    case RangeOp::absent:
      return 1;
    case RangeOp::rate_counter:
      return counter_rate(first, last, aggregation.range.range_ns, end_ns);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

// The store gives entries in order of time.
GridSeries slide(const RangeAggregation& aggregation, RawSeries& raw, const Grid& grid) {
  GridSeries out;
  out.labels = std::move(raw.labels);
  const RawSample* first = raw.samples.data();
  const RawSample* last = first;
  const RawSample* const end = first + raw.samples.size();
  for (size_t step = 0; step < grid.points; ++step) {
    const int64_t high = saturating_subtract(grid.time_ns(step), aggregation.range.offset_ns);
    const int64_t low = saturating_subtract(high, aggregation.range.range_ns);
    while (last != end && last->time_ns <= high) ++last;
    while (first != last && first->time_ns <= low) ++first;
    if (first != last) out.points.push_back({step, reduce_window(aggregation, first, last, high)});
  }
  return out;
}

// One series of 1 where nothing was found; its labels are what the selector demands.
GridValue invert(const RangeAggregation& aggregation, const std::vector<GridSeries>& found,
                 const Grid& grid) {
  std::vector<bool> present(grid.points, false);
  for (const GridSeries& series : found) {
    for (const Point& point : series.points) present[point.step] = true;
  }
  GridSeries out;
  for (const Matcher& matcher : aggregation.range.selector.matchers) {
    if (matcher.op == MatchOp::equal && !matcher.value.empty())
      out.labels.emplace_back(matcher.name, matcher.value);
  }
  std::sort(out.labels.begin(), out.labels.end());
  for (size_t step = 0; step < grid.points; ++step) {
    if (!present[step]) out.points.push_back({step, 1});
  }
  GridValue value;
  if (!out.points.empty()) value.series.push_back(std::move(out));
  return value;
}

// What of a line nothing looks at is not read.
std::optional<std::vector<std::string>> read_members(const RangeAggregation& aggregation,
                                                     const std::vector<std::string>& names) {
  if (aggregation.op == RangeOp::bytes || aggregation.op == RangeOp::bytes_rate) return std::nullopt;
  return needed_members(aggregation.range, names);
}

// The entries of each series, in order.
Result<std::vector<RawSeries>> read_series(const RangeAggregation& aggregation, const std::optional<Grouping>& grouping,
                                           const Pipeline& pipeline, const ScanRequest& request, EvalContext& context) {
  if (const auto names = needed_labels(aggregation.range, grouping)) {
    Statistics statistics = context.statistics;
    Collector collector(aggregation, grouping, context.limits, false);
    CC_TRY(collector.compile());
    bool failed = false;
    CC_TRY(scan_needed(context.source, pipeline, request, *names, read_members(aggregation, *names), context.cancelled, statistics,
                       [&](const store::LogEntry& entry, EntryLabels& labels, std::string_view line) -> Result<bool> {
                         Result<bool> added = collector.add(entry, labels, line);
                         // The message names every label: the plain way finds it again.
                         failed = !added.ok() && added.error().code == Code::invalid_argument;
                         if (failed) return false;
                         return added;
                       }));
    if (!failed) {
      context.statistics = statistics;
      for (RawSeries& series : collector.series()) put_in_order(series);
      return std::move(collector.series());
    }
  }
  Collector collector(aggregation, grouping, context.limits, true);
  CC_TRY(collector.compile());
  CC_TRY(scan(context.source, pipeline, request, context.cancelled, context.statistics,
              [&](const store::LogEntry& entry, EntryLabels& labels, std::string_view line) {
                return collector.add(entry, labels, line);
              }));
  return std::move(collector.series());
}

}  // namespace

bool is_additive(RangeOp op) {
  return op == RangeOp::count || op == RangeOp::rate || op == RangeOp::bytes ||
         op == RangeOp::bytes_rate || op == RangeOp::sum;
}

Status check_pipelines(const RangeAggregation& aggregation) {
  return Pipeline::compile(aggregation.range.selector).status();
}

Result<GridValue> evaluate(const RangeAggregation& aggregation,
                           const std::optional<std::optional<Grouping>>& reduce,
                           EvalContext& context) {
  CC_ASSIGN(const Pipeline pipeline, Pipeline::compile(aggregation.range.selector));
  const Grid& grid = context.grid;
  const int64_t offset = aggregation.range.offset_ns;
  // The windows are open at their start and closed at their end.
  ScanRequest request;
  request.start_ns = saturating_subtract(saturating_subtract(grid.start_ns, offset),
                                         saturating_subtract(aggregation.range.range_ns, 1));
  request.end_ns =
      saturating_subtract(saturating_subtract(grid.time_ns(grid.points - 1), offset), -1);
  std::optional<Grouping> grouping = aggregation.grouping;
  if (reduce) grouping = reduce->value_or(Grouping{});
  CC_ASSIGN(std::optional<GridValue> counted,
            count_range(aggregation, grouping, pipeline, request.start_ns, request.end_ns, context));
  if (counted) return *std::move(counted);
  CC_ASSIGN(std::vector<RawSeries> found, read_series(aggregation, grouping, pipeline, request, context));
  GridValue out;
  for (RawSeries& raw : found) {
    GridSeries series = slide(aggregation, raw, grid);
    if (!series.points.empty()) out.series.push_back(std::move(series));
  }
  if (aggregation.op == RangeOp::absent) return invert(aggregation, out.series, grid);
  return out;
}

}  // namespace contextcore::logql
