#include "store/segment_order.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/sort.h"
#include "store/store_version.h"

namespace contextcore::store {
namespace {

struct SpanOrder {
  std::string_view project;
  int64_t trace_start_ns = 0;
  otlp::TraceId trace_id;
  int64_t start_ns = 0;
  otlp::SpanId span_id;
  RowRef<SpanRows> ref;
};

struct LogOrder {
  uint32_t stream = 0;  // rank among the streams of all sources
  int64_t time_ns = 0;
  uint64_t sequence = 0;
  RowRef<LogRows> ref;
};

using TraceStarts = std::unordered_map<otlp::TraceId, int64_t, IdHash>;

TraceStarts first_starts(const std::vector<RowRef<SpanRows>>& rows) {
  TraceStarts starts;
  for (const RowRef<SpanRows>& ref : rows) {
    const int64_t start_ns = ref.rows->start_ns(ref.row);
    const auto [it, added] = starts.try_emplace(ref.rows->trace_id(ref.row), start_ns);
    it->second = std::min(it->second, start_ns);
  }
  return starts;
}

// ---- windows

constexpr int64_t kDayNs = 86'400'000'000'000;
constexpr int64_t kWindowsNs[] = {kDayNs, 7 * kDayNs, 28 * kDayNs, 364 * kDayNs};
constexpr size_t kWindowRowsMin = 16 * 1024;

int64_t window_of(int64_t time_ns, int64_t length_ns) {
  const int64_t window = time_ns / length_ns;
  return time_ns % length_ns < 0 ? window - 1 : window;
}

template <typename Rows>
std::vector<std::vector<RowRef<Rows>>> deal(std::vector<RowRef<Rows>> rows,
                                            const std::vector<int64_t>& times_ns,
                                            size_t windows_max) {
  windows_max = std::min(windows_max, rows.size() / kWindowRowsMin);
  for (const int64_t length_ns : kWindowsNs) {
    if (windows_max < 2) break;
    std::map<int64_t, std::vector<RowRef<Rows>>> windows;
    for (size_t i = 0; i < rows.size() && windows.size() <= windows_max; ++i) {
      windows[window_of(times_ns[i], length_ns)].push_back(rows[i]);
    }
    if (windows.size() > windows_max) continue;
    std::vector<std::vector<RowRef<Rows>>> out;
    for (auto& [window, refs] : windows) out.push_back(std::move(refs));
    return out;
  }
  std::vector<std::vector<RowRef<Rows>>> whole;
  if (!rows.empty()) whole.push_back(std::move(rows));
  return whole;
}

}  // namespace

TimeBounds sort_spans(std::vector<RowRef<SpanRows>>& rows, const WorkIndexView* index) {
  const TraceStarts starts = index == nullptr ? first_starts(rows) : TraceStarts();
  TimeBounds bounds;
  std::vector<SpanOrder> order;
  order.reserve(rows.size());
  for (const RowRef<SpanRows>& ref : rows) {
    SpanOrder& entry = order.emplace_back();
    entry.trace_id = ref.rows->trace_id(ref.row);
    entry.start_ns = ref.rows->start_ns(ref.row);
    entry.span_id = ref.rows->span_id(ref.row);
    entry.ref = ref;
    bounds.add(entry.start_ns);
    if (index == nullptr) {
      entry.trace_start_ns = starts.at(entry.trace_id);
    } else if (const WorkRow* row = index->find(entry.span_id)) {
      entry.project = row->project;
    }
  }
  std::sort(order.begin(), order.end(), [](const SpanOrder& a, const SpanOrder& b) {
    return std::tie(a.project, a.trace_start_ns, a.trace_id, a.start_ns, a.span_id) <
           std::tie(b.project, b.trace_start_ns, b.trace_id, b.start_ns, b.span_id);
  });
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = order[i].ref;
  return bounds;
}

TimeBounds sort_logs(std::vector<RowRef<LogRows>>& rows) {
  std::map<LabelPairs, uint32_t> ranks;
  std::map<const LogRows*, std::vector<uint32_t>> rank_of;
  for (const RowRef<LogRows>& ref : rows) {
    if (!rank_of.try_emplace(ref.rows).second) continue;
    for (const LabelPairs& labels : ref.rows->streams()) ranks.try_emplace(labels, 0);
  }
  uint32_t rank = 0;
  for (auto& [labels, number] : ranks) number = rank++;
  for (auto& [source, numbers] : rank_of) {
    for (const LabelPairs& labels : source->streams()) numbers.push_back(ranks.at(labels));
  }
  TimeBounds bounds;
  std::vector<LogOrder> order;
  order.reserve(rows.size());
  for (const RowRef<LogRows>& ref : rows) {
    order.push_back({rank_of.at(ref.rows)[ref.rows->stream(ref.row)], ref.rows->time_ns(ref.row),
                     ref.rows->meta(ref.row).sequence, ref});
    bounds.add(order.back().time_ns);
  }
  sort_stably(order, [](const LogOrder& a, const LogOrder& b) {
    return std::tie(a.stream, a.time_ns, a.sequence) < std::tie(b.stream, b.time_ns, b.sequence);
  });
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = order[i].ref;
  return bounds;
}

std::vector<std::vector<RowRef<SpanRows>>> by_window(std::vector<RowRef<SpanRows>> rows,
                                                     size_t windows_max) {
  std::vector<int64_t> times;
  const TraceStarts starts = first_starts(rows);
  times.reserve(rows.size());
  for (const RowRef<SpanRows>& ref : rows) times.push_back(starts.at(ref.rows->trace_id(ref.row)));
  return deal(std::move(rows), times, windows_max);
}

std::vector<std::vector<RowRef<LogRows>>> by_window(std::vector<RowRef<LogRows>> rows,
                                                    size_t windows_max) {
  std::vector<int64_t> times;
  times.reserve(rows.size());
  for (const RowRef<LogRows>& ref : rows) times.push_back(ref.rows->time_ns(ref.row));
  return deal(std::move(rows), times, windows_max);
}

}  // namespace contextcore::store
