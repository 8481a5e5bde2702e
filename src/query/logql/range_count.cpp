#include "query/logql/range_count.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "query/logql/needed_labels.h"
#include "store/log_batch.h"

namespace contextcore::logql {
namespace {

// One series: at each step, by how much count and sum rise or fall against the step before.
struct Counts {
  LabelPairs labels;
  std::vector<int64_t> entries, sums;
};

class Counter {
 public:
  Counter(const RangeAggregation& aggregation, const Grouping& grouping, const EvalContext& context)
      : aggregation_(aggregation), grouping_(grouping), grid_(context.grid), limits_(context.limits) {}

  Status add(const store::LogBatch& batch, const std::vector<std::string>& names, const Pipeline& pipeline) {
    known_.clear();
    std::vector<uint32_t> key(names.size());
    std::pair<const LabelPairs*, std::vector<uint32_t>> last{nullptr, {}};
    Counts* counts = nullptr;
    for (size_t i = 0; i < batch.size; ++i) {
      for (size_t name = 0; name < names.size(); ++name) key[name] = batch.metadata[name].ids[i];
      if (batch.streams[i] != last.first || key != last.second) {
        last = {batch.streams[i], key};
        CC_ASSIGN(counts, find(last, batch, i, names, pipeline));
      }
      if (counts == nullptr) continue;
      if (++samples_ > limits_.samples_max) {
        return Error{Code::resource_exhausted,
                     "query reads more than " + std::to_string(limits_.samples_max) + " entries",
                     "narrow the selector or the time range",
                     {},
                     {}};
      }
      add(batch.times_ns[i], batch.lines.empty() ? 1 : static_cast<int64_t>(batch.lines[i].size()), *counts);
    }
    return {};
  }

  GridValue take() {
    const bool per_second = aggregation_.op == RangeOp::rate || aggregation_.op == RangeOp::bytes_rate;
    const double seconds = static_cast<double>(aggregation_.range.range_ns) / static_cast<double>(kSecondNs);
    GridValue out;
    for (auto& [labels, counts] : series_) {
      GridSeries series;
      int64_t entries = 0, sum = 0;
      for (size_t step = 0; step < grid_.points; ++step) {
        entries += counts.entries[step];
        sum += counts.sums[step];
        const auto value = static_cast<double>(sum);
        if (entries > 0) series.points.push_back({step, per_second ? value / seconds : value});
      }
      if (series.points.empty()) continue;
      series.labels = labels;
      out.series.push_back(std::move(series));
    }
    return out;
  }

 private:
  using Key = std::pair<const LabelPairs*, std::vector<uint32_t>>;

  // nullptr: the selector does not want the stream. The store may give more than was asked for.
  Result<Counts*> find(const Key& key, const store::LogBatch& batch, size_t entry,
                       const std::vector<std::string>& names, const Pipeline& pipeline) {
    const auto [at, is_new] = known_.try_emplace(key, nullptr);
    if (!is_new || !pipeline.selects(*key.first)) return at->second;
    LabelPairs metadata;
    for (size_t name = 0; name < names.size(); ++name) {
      const std::string_view value = batch.metadata[name].at(entry);
      if (!value.empty()) metadata.emplace_back(names[name], value);
    }
    EntryLabels labels;
    labels.reset(*key.first, &metadata);
    const auto [series, added] = series_.try_emplace(group_labels(labels.merged(), grouping_));
    if (added) {
      if (series_.size() > limits_.series_max) {
        return Error{Code::invalid_argument,
                     "maximum number of series (" + std::to_string(limits_.series_max) +
                         ") reached for a single query; consider reducing query cardinality by "
                         "adding more specific "
                         "stream selectors, reducing the time range, or aggregating results",
                     {},
                     {},
                     {}};
      }
      series->second.entries.resize(grid_.points + 1);
      series->second.sums.resize(grid_.points + 1);
    }
    return at->second = &series->second;
  }

  // To the steps t with t - range < time + offset ≤ t. What lies too far off for a difference is in no window.
  void add(int64_t time_ns, int64_t value, Counts& counts) const {
    int64_t begin = 0, after_begin = 0, last_seen = 0;
    if (__builtin_sub_overflow(grid_.start_ns, aggregation_.range.offset_ns, &begin) ||
        __builtin_sub_overflow(time_ns, begin, &after_begin)) {
      return;
    }
    if (__builtin_add_overflow(after_begin, aggregation_.range.range_ns - 1, &last_seen)) last_seen = INT64_MAX;
    if (last_seen < 0) return;
    const int64_t step = grid_.step_ns;
    const int64_t first = after_begin <= 0 ? 0 : after_begin / step + (after_begin % step != 0 ? 1 : 0);
    const int64_t behind = std::min(last_seen / step, static_cast<int64_t>(grid_.points) - 1) + 1;
    if (first >= behind) return;
    counts.entries[static_cast<size_t>(first)] += 1;
    counts.entries[static_cast<size_t>(behind)] -= 1;
    counts.sums[static_cast<size_t>(first)] += value;
    counts.sums[static_cast<size_t>(behind)] -= value;
  }

  const RangeAggregation& aggregation_;
  const Grouping& grouping_;
  const Grid grid_;
  const Limits limits_;
  std::map<LabelPairs, Counts> series_;  // node-based: pointers stay
  std::map<Key, Counts*> known_;         // of the batch
  size_t samples_ = 0;
};

}  // namespace

Result<std::optional<GridValue>> count_range(const RangeAggregation& aggregation, const std::optional<Grouping>& grouping,
                                             const Pipeline& pipeline, int64_t start_ns, int64_t end_ns,
                                             EvalContext& context) {
  const bool bytes = aggregation.op == RangeOp::bytes || aggregation.op == RangeOp::bytes_rate;
  const bool counts = bytes || aggregation.op == RangeOp::count || aggregation.op == RangeOp::rate;
  const auto names = needed_labels(aggregation.range, grouping);
  if (!counts || !names || aggregation.range.unwrap || !aggregation.range.selector.stages.empty()) {
    return std::optional<GridValue>();
  }
  store::LogFetchRequest fetch;
  fetch.start_ns = start_ns;
  fetch.end_ns = end_ns;
  pipeline.push_down(fetch);
  store::LogProjection projection;
  projection.line = bytes;
  projection.metadata = *names;
  CC_ASSIGN(const auto batches, store::scan_logs(context.source, fetch, projection));
  Counter counter(aggregation, *grouping, context);
  for (store::LogBatch batch;;) {
    if (context.cancelled && context.cancelled()) return Error{Code::cancelled, "query was cancelled", {}, {}, {}};
    CC_ASSIGN(const bool more, batches->next(batch));
    if (!more) break;
    context.statistics.entries_read += batch.size;
    for (const std::string_view line : batch.lines) context.statistics.bytes_read += line.size();
    CC_TRY(counter.add(batch, *names, pipeline));
  }
  return std::optional(counter.take());
}

}  // namespace contextcore::logql
