#include "store/span_order.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "base/sort.h"
#include "store/segment_order.h"
#include "store/trace_run.h"

namespace contextcore::store {
namespace {

// The columns that say where a row belongs.
struct OrderColumns {
  GatherColumn *trace = nullptr, *start = nullptr, *span = nullptr, *tenant = nullptr;
  static Result<OrderColumns> of(GatherSource& source) {
    OrderColumns columns;
    for (const auto& [column, at] : {std::pair{SpanColumn::trace_id, &columns.trace},
                                     std::pair{SpanColumn::start, &columns.start},
                                     std::pair{SpanColumn::span_id, &columns.span},
                                     std::pair{SpanColumn::tenant, &columns.tenant}}) {
      *at = &source.fixed[static_cast<size_t>(column)];
      if (!(*at)->loaded()) CC_TRY((*at)->load(source.columns->fixed(static_cast<size_t>(column))));
    }
    return columns;
  }
  static uint64_t number(const GatherColumn& column, size_t row) {
    const size_t at = column.find(row);
    return at == ColumnView::npos ? 0 : column.view().numbers[at];
  }
  // Starts compare as int64.
  int64_t start_of(size_t row) const { return static_cast<int64_t>(number(*start, row)); }
  uint64_t span_of(size_t row) const { return number(*span, row); }
  uint32_t tenant_of(size_t row) const { return static_cast<uint32_t>(number(*tenant, row)); }
  bool has_tenants() const { return tenant->view().count > 0; }
};

}  // namespace

uint32_t SpanOrder::trace_of(const otlp::TraceId& id, uint32_t tenant) {
  const uint64_t hash = mix(hash_id(id, secret_), secret_.second + tenant);
  const uint32_t number =
      table_.find_or_add(hash, static_cast<uint32_t>(traces_.size()), [&](uint32_t known) {
        return traces_[known].id == id && traces_[known].tenant == tenant;
      });
  if (number == traces_.size()) {
    traces_.emplace_back().id = id;
    traces_.back().tenant = tenant;
  }
  return number;
}

Status SpanOrder::add(const SpanRows& rows, const RowSet& wanted) {
  const auto source_number = static_cast<uint32_t>(sources_.size());
  sources_.push_back(&rows);
  GatherSource* source = nullptr;
  OrderColumns columns;
  std::vector<uint32_t> trace_numbers;  // by string of the trace column
  Run run;
  int64_t last_start = 0;
  uint64_t last_span = 0;
  const auto end_run = [&] {
    if (run.count > 0) runs_.push_back(run);
    run = {};
  };
  for (uint32_t row = 0; row < rows.size(); ++row) {
    if (!wanted.test(row)) continue;
    if (source == nullptr || row >= source->end) {
      CC_ASSIGN(source, columns_.of(rows, row));
      CC_ASSIGN(columns, OrderColumns::of(*source));
      trace_numbers.assign(columns.trace->view().strings.count, IdTable::kNone);
    }
    const size_t at = columns.trace->find(row - source->first);
    if (at == ColumnView::npos) return source->columns->damaged("a row without a trace id");
    const size_t string = columns.trace->string_of(at);
    const uint32_t tenant = columns.has_tenants() ? columns.tenant_of(row - source->first) : kDefaultTenant;
    uint32_t& trace = trace_numbers[string];
    if (trace == IdTable::kNone || traces_[trace].tenant != tenant)
      trace = trace_of(trace_id_of(columns.trace->view().strings.at(string)), tenant);
    const int64_t start = columns.start_of(row - source->first);
    const uint64_t span = columns.span_of(row - source->first);
    const bool goes_on = run.count > 0 && run.trace == trace && run.first + run.count == row &&
                         std::tie(last_start, last_span) <= std::tie(start, span);
    if (!goes_on) {
      end_run();
      run = {trace, source_number, row, 0, start, span};
    }
    ++run.count;
    last_start = start;
    last_span = span;
    Trace& of = traces_[trace];
    of.first_ns = std::min(of.first_ns, start);
    of.last_ns = std::max(of.last_ns, start);
    ++of.rows;
  }
  end_run();
  return {};
}

void SpanOrder::sort_runs() {
  for (const Run& run : runs_) ++traces_[run.trace].runs_end;
  uint32_t sum = 0;
  for (Trace& trace : traces_) sum += std::exchange(trace.runs_end, sum);
  std::vector<Run> sorted(runs_.size());
  for (const Run& run : runs_) sorted[traces_[run.trace].runs_end++] = run;
  runs_ = std::move(sorted);
}

std::vector<SpanOrder::Window> SpanOrder::windows(size_t windows_max, const TenantGroups& groups) {
  sort_runs();
  TenantRows rows;
  for (const Trace& trace : traces_) rows[trace.tenant] += trace.rows;
  std::map<TenantGroups::Group, std::vector<uint32_t>> dealt;
  for (uint32_t i = 0; i < traces_.size(); ++i) {
    const uint32_t tenant = traces_[i].tenant;
    dealt[groups.of(tenant, rows[tenant])].push_back(i);
  }
  std::vector<Window> windows;
  for (auto& [group, traces] : dealt) add_windows(std::move(traces), windows_max, windows);
  return windows;
}

// Of one group.
void SpanOrder::add_windows(std::vector<uint32_t> traces, size_t windows_max,
                            std::vector<Window>& windows) const {
  std::sort(traces.begin(), traces.end(), [this](uint32_t a, uint32_t b) {
    return std::tie(traces_[a].first_ns, traces_[a].id) < std::tie(traces_[b].first_ns, traces_[b].id);
  });
  std::vector<int64_t> times;
  uint64_t rows = 0;
  for (const uint32_t trace : traces) {
    times.push_back(traces_[trace].first_ns);
    rows += traces_[trace].rows;
  }
  const int64_t length_ns = window_length(times, rows, windows_max);
  const size_t before = windows.size();
  for (size_t i = 0; i < traces.size(); ++i) {
    if (i == 0 || window_of(times[i], length_ns) != window_of(times[i - 1], length_ns)) {
      windows.emplace_back();
    }
    const Trace& trace = traces_[traces[i]];
    Window& window = windows.back();
    window.traces.push_back(traces[i]);
    window.rows += trace.rows;
    window.bounds.add(trace.first_ns);
    window.bounds.add(trace.last_ns);
  }
  for (size_t i = before; i < windows.size(); ++i) {
    Window& window = windows[i];
    TenantRows tenants;
    for (const uint32_t trace : window.traces) tenants[traces_[trace].tenant] += traces_[trace].rows;
    window.tenants = tenants_of(tenants);
    if (tenants.size() < 2) continue;
    sort_stably(window.traces, [this](uint32_t a, uint32_t b) { return traces_[a].tenant < traces_[b].tenant; });
  }
}

Status SpanOrder::merge_runs(uint32_t trace) {
  merged_.clear();
  const uint32_t begin = trace == 0 ? 0 : traces_[trace - 1].runs_end;
  for (uint32_t i = begin; i < traces_[trace].runs_end; ++i) {
    const Run& run = runs_[i];
    const SpanRows& rows = *sources_[run.source];
    merged_.push_back({run.start, run.span, {&rows, run.first}});
    for (uint32_t row = run.first + 1; row < run.first + run.count; ++row) {
      CC_ASSIGN(GatherSource* const source, columns_.of(rows, row));
      CC_ASSIGN(const OrderColumns columns, OrderColumns::of(*source));
      merged_.push_back({columns.start_of(row - source->first), columns.span_of(row - source->first),
                         {&rows, row}});
    }
  }
  std::sort(merged_.begin(), merged_.end(), [](const Row& a, const Row& b) {
    return std::tie(a.start, a.span) < std::tie(b.start, b.span);
  });
  return {};
}

std::vector<uint64_t> SpanOrder::fingerprints(const Window& window) const {
  std::vector<uint64_t> out;
  out.reserve(window.traces.size());
  for (const uint32_t trace : window.traces) out.push_back(trace_fingerprint(traces_[trace].id));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Status SpanOrder::for_each(const Window& window, const std::function<Status(const SpanRun&)>& fn) {
  for (const uint32_t trace : window.traces) {
    const uint32_t begin = trace == 0 ? 0 : traces_[trace - 1].runs_end;
    if (traces_[trace].runs_end - begin == 1) {
      const Run& run = runs_[begin];
      CC_TRY(fn({sources_[run.source], run.first, run.count, traces_[trace].id}));
      continue;
    }
    CC_TRY(merge_runs(trace));
    for (const Row& row : merged_) CC_TRY(fn({row.ref.rows, row.ref.row, 1, traces_[trace].id}));
  }
  return {};
}

}  // namespace contextcore::store
