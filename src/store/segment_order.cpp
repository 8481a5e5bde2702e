#include "store/segment_order.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/sort.h"

namespace contextcore::store {
namespace {

struct JournalOrder {
  std::string_view project;
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

constexpr int64_t kDayNs = 86'400'000'000'000;
constexpr int64_t kWindowsNs[] = {kDayNs, 7 * kDayNs, 28 * kDayNs, 364 * kDayNs};
constexpr size_t kWindowRowsMin = 16 * 1024;

}  // namespace

int64_t window_of(int64_t time_ns, int64_t length_ns) {
  if (length_ns == 0) return 0;
  const int64_t window = time_ns / length_ns;
  return time_ns % length_ns < 0 ? window - 1 : window;
}

int64_t window_length(const std::vector<int64_t>& times_ns, size_t rows, size_t windows_max) {
  windows_max = std::min(windows_max, rows / kWindowRowsMin);
  for (const int64_t length_ns : kWindowsNs) {
    if (windows_max < 2) break;
    std::set<int64_t> windows;
    for (size_t i = 0; i < times_ns.size() && windows.size() <= windows_max; ++i) {
      windows.insert(window_of(times_ns[i], length_ns));
    }
    if (windows.size() <= windows_max) return length_ns;
  }
  return 0;
}

TimeBounds sort_journal_spans(std::vector<RowRef<SpanRows>>& rows, const WorkIndexView& index) {
  TimeBounds bounds;
  std::vector<JournalOrder> order;
  order.reserve(rows.size());
  for (const RowRef<SpanRows>& ref : rows) {
    JournalOrder& entry = order.emplace_back();
    entry.trace_id = ref.rows->trace_id(ref.row);
    entry.start_ns = ref.rows->start_ns(ref.row);
    entry.span_id = ref.rows->span_id(ref.row);
    entry.ref = ref;
    bounds.add(entry.start_ns);
    if (const WorkRow* row = index.find(entry.span_id)) entry.project = row->project;
  }
  std::sort(order.begin(), order.end(), [](const JournalOrder& a, const JournalOrder& b) {
    return std::tie(a.project, a.trace_id, a.start_ns, a.span_id) <
           std::tie(b.project, b.trace_id, b.start_ns, b.span_id);
  });
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = order[i].ref;
  return bounds;
}

TimeBounds sort_logs(std::vector<RowRef<LogRows>>& rows) {
  std::map<std::pair<uint32_t, LabelPairs>, uint32_t> ranks;
  std::map<const LogRows*, std::vector<uint32_t>> rank_of;
  for (const RowRef<LogRows>& ref : rows) {
    if (!rank_of.try_emplace(ref.rows).second) continue;
    const std::vector<LabelPairs>& streams = ref.rows->streams();
    for (size_t i = 0; i < streams.size(); ++i) ranks.try_emplace({ref.rows->tenant_of_stream(i), streams[i]}, 0);
  }
  uint32_t rank = 0;
  for (auto& [stream, number] : ranks) number = rank++;
  for (auto& [source, numbers] : rank_of) {
    const std::vector<LabelPairs>& streams = source->streams();
    for (size_t i = 0; i < streams.size(); ++i) numbers.push_back(ranks.at({source->tenant_of_stream(i), streams[i]}));
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

TenantRows tenant_rows(const std::vector<RowRef<LogRows>>& rows) {
  TenantRows counts;
  uint32_t last = kDefaultTenant;
  uint64_t same = 0;  // rows of it that are not counted yet
  for (const RowRef<LogRows>& ref : rows) {
    const uint32_t tenant = ref.rows->tenant(ref.row);
    if (tenant != last && same > 0) counts[last] += std::exchange(same, 0);
    last = tenant;
    ++same;
  }
  if (same > 0) counts[last] += same;
  return counts;
}

std::vector<std::vector<RowRef<LogRows>>> by_group(std::vector<RowRef<LogRows>> rows, const TenantGroups& groups) {
  const TenantRows counts = tenant_rows(rows);
  std::map<TenantGroups::Group, std::vector<RowRef<LogRows>>> dealt;
  for (const auto& [tenant, count] : counts) dealt[groups.of(tenant, count)];
  std::vector<std::vector<RowRef<LogRows>>> out;
  if (dealt.size() < 2) {
    if (!rows.empty()) out.push_back(std::move(rows));
    return out;
  }
  for (const RowRef<LogRows>& ref : rows) {
    const uint32_t tenant = ref.rows->tenant(ref.row);
    dealt[groups.of(tenant, counts.at(tenant))].push_back(ref);
  }
  for (auto& [group, refs] : dealt) out.push_back(std::move(refs));
  return out;
}

std::vector<std::vector<RowRef<LogRows>>> by_window(std::vector<RowRef<LogRows>> rows,
                                                    size_t windows_max) {
  std::vector<int64_t> times;
  times.reserve(rows.size());
  for (const RowRef<LogRows>& ref : rows) times.push_back(ref.rows->time_ns(ref.row));
  const int64_t length_ns = window_length(times, rows.size(), windows_max);
  std::map<int64_t, std::vector<RowRef<LogRows>>> windows;
  for (size_t i = 0; i < rows.size(); ++i) windows[window_of(times[i], length_ns)].push_back(rows[i]);
  std::vector<std::vector<RowRef<LogRows>>> out;
  for (auto& [window, refs] : windows) out.push_back(std::move(refs));
  return out;
}

}  // namespace contextcore::store
