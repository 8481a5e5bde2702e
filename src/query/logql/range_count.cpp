#include "query/logql/range_count.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"
#include "query/logql/member_line.h"
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
  Counter(const RangeAggregation& aggregation, const Grouping& grouping, const EvalContext& context,
          const Pipeline& pipeline, const std::vector<std::string>& names, MemberLines& lines)
      : aggregation_(aggregation), grouping_(grouping), grid_(context.grid), limits_(context.limits),
        pipeline_(pipeline), names_(names), lines_(lines), now_ns_(context.source.now_ns()) {
    labels_.take_only(&names_);
  }

  // False: an entry has an error.
  Result<bool> add(const store::LogBatch& batch, bool fields) {
    known_.clear();
    stream_ = nullptr;
    Key key, last{nullptr, {}};
    Counts* counts = nullptr;
    const bool one_label = !fields && batch.metadata.size() == 1;
    for (size_t i = 0; i < batch.size; ++i) {
      if (one_label) {
        CC_ASSIGN(counts, find_by_value(batch, i));
        CC_ASSIGN(const bool more, count(batch, i, counts));
        if (!more) return false;
        continue;
      }
      key.first = batch.streams[i];
      key.second.clear();
      for (const store::TextColumn& column : batch.metadata) key.second.push_back(column.ids[i]);
      bool alike = true;
      if (fields) {
        CC_ASSIGN(alike, lines_.ids_of(i, key.second));
      }
      if (!alike) {
        CC_ASSIGN(counts, find(batch, i, false));
        last.first = nullptr;
      } else if (key != last) {
        const auto [at, is_new] = known_.try_emplace(key, nullptr);
        if (is_new) {
          CC_ASSIGN(at->second, find(batch, i, fields));
        }
        counts = at->second;
        std::swap(last, key);
      }
      CC_ASSIGN(const bool more, count(batch, i, counts));
      if (!more) return false;
    }
    return true;
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

  bool aggregates_bytes() const {
    return aggregation_.op == RangeOp::bytes || aggregation_.op == RangeOp::bytes_rate;
  }

  // counts: of the entry, nullptr where it is not wanted. False: it has an error.
  Result<bool> count(const store::LogBatch& batch, size_t entry, Counts* counts) {
    if (failed_) return false;
    if (counts == nullptr) return true;
    if (++samples_ > limits_.samples_max) {
      return Error{Code::resource_exhausted,
                   "query reads more than " + std::to_string(limits_.samples_max) + " entries",
                   "narrow the selector or the time range",
                   {},
                   {}};
    }
    add(batch.times_ns[entry], aggregates_bytes() ? static_cast<int64_t>(batch.lines[entry].size()) : 1, *counts);
    return true;
  }

  // Where one label is all that matters beside the stream, which seldom changes: the number of its value leads there.
  Result<Counts*> find_by_value(const store::LogBatch& batch, size_t entry) {
    if (batch.streams[entry] != stream_) {
      stream_ = batch.streams[entry];
      by_value_.assign(batch.metadata[0].values.size(), std::nullopt);
    }
    std::optional<Counts*>& known = by_value_[batch.metadata[0].ids[entry]];
    if (!known) {
      CC_ASSIGN(known, find(batch, entry, false));
    }
    return *known;
  }

  // nullptr: the selector does not want the stream (the store may give more than was asked for), or a stage the entry.
  Result<Counts*> find(const store::LogBatch& batch, size_t entry, bool fields) {
    const LabelPairs& stream = *batch.streams[entry];
    if (!pipeline_.selects(stream)) return nullptr;
    LabelPairs metadata;
    for (size_t name = 0; name < names_.size(); ++name) {
      const std::string_view value = batch.metadata[name].at(entry);
      if (!value.empty()) metadata.emplace_back(names_[name], value);
    }
    labels_.reset(stream, &metadata);
    labels_.set_times(batch.times_ns[entry], now_ns_);
    std::string_view line;
    if (fields) {
      line_.clear();
      lines_.append(entry, line_);
      line = line_;
    } else if (!batch.lines.empty()) {
      CC_ASSIGN(line, lines_.whole(entry, line_));
    }
    if (!pipeline_.process(labels_, line, buffer_)) return nullptr;
    failed_ = labels_.has_error();
    if (failed_) return nullptr;
    LabelPairs group = group_labels(labels_.merged(), grouping_);
    const auto [series, added] = series_.try_emplace(std::move(group));
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
    return &series->second;
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
  const Pipeline& pipeline_;
  const std::vector<std::string>& names_;
  MemberLines& lines_;
  const int64_t now_ns_;
  EntryLabels labels_;
  std::string line_, buffer_;
  bool failed_ = false;
  std::map<LabelPairs, Counts> series_;  // node-based: pointers stay
  std::map<Key, Counts*> known_;         // of the batch
  const LabelPairs* stream_ = nullptr;   // of by_value_
  std::vector<std::optional<Counts*>> by_value_;
  size_t samples_ = 0;
};

}  // namespace

Result<std::optional<GridValue>> count_range(const RangeAggregation& aggregation, const std::optional<Grouping>& grouping,
                                             const Pipeline& pipeline, int64_t start_ns, int64_t end_ns,
                                             EvalContext& context) {
  const bool bytes = aggregation.op == RangeOp::bytes || aggregation.op == RangeOp::bytes_rate;
  const bool counts = bytes || aggregation.op == RangeOp::count || aggregation.op == RangeOp::rate;
  const auto names = needed_labels(aggregation.range, grouping);
  if (!counts || !names || aggregation.range.unwrap) return std::optional<GridValue>();
  const auto members = needed_members(aggregation.range, *names);
  if (!members || (bytes && !members->empty())) return std::optional<GridValue>();
  store::LogFetchRequest fetch;
  fetch.start_ns = start_ns;
  fetch.end_ns = end_ns;
  pipeline.push_down(fetch);
  store::LogProjection projection;
  projection.line = bytes;
  projection.fields = !members->empty();
  projection.metadata = *names;
  CC_ASSIGN(const auto batches, store::scan_logs(context.source, fetch, projection));
  MemberLines lines(*members);
  Counter counter(aggregation, *grouping, context, pipeline, *names, lines);
  Statistics statistics = context.statistics;
  for (store::LogBatch batch;;) {
    if (context.cancelled && context.cancelled()) return Error{Code::cancelled, "query was cancelled", {}, {}, {}};
    CC_ASSIGN(const bool more, batches->next(batch));
    if (!more) break;
    statistics.entries_read += batch.size;
    for (const std::string_view line : batch.lines) statistics.bytes_read += line.size();
    CC_TRY(lines.begin(batch));
    CC_ASSIGN(const bool counted, counter.add(batch, projection.fields));
    if (!counted) return std::optional<GridValue>();
  }
  context.statistics = statistics;
  return std::optional(counter.take());
}

}  // namespace contextcore::logql
