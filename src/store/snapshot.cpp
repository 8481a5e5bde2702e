#include "store/snapshot.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/sort.h"
#include "store/log_parts.h"
#include "store/snapshot_conditions.h"
#include "store/trace_assembly.h"
#include "store/trace_reader.h"

namespace contextcore::store {
namespace {

using TraceIds = std::unordered_set<otlp::TraceId, IdHash>;
// Traces with the least start of those of their rows that have been looked at.
using TraceStarts = std::unordered_map<otlp::TraceId, int64_t, IdHash>;

int64_t end_of(const SpanRows& rows, uint32_t row, bool journal) {
  const int64_t end_ns = rows.end_ns(row);
  if (journal && end_ns == 0) return INT64_MAX;
  return std::max(end_ns, rows.start_ns(row));
}

// The traces with a row that may satisfy the request's conditions.
Result<TraceStarts> matching_traces(const Snapshot& snapshot, const FetchRequest& request) {
  TraceStarts traces;
  const auto add = [&traces](const SpanRows& rows, uint32_t row) {
    const int64_t start_ns = rows.start_ns(row);
    const auto [known, added] = traces.try_emplace(rows.trace_id(row), start_ns);
    if (!added) known->second = std::min(known->second, start_ns);
  };
  const Head& head = snapshot.head();
  const WorkHooks& hooks = head.hooks();
  for (const SpanSegment& segment : snapshot.version().spans) {
    if (!snapshot.sees(segment.info)) continue;
    CC_ASSIGN(RowSet rows, match_conditions(*segment.rows, segment.journal(), hooks, request));
    CC_TRY(snapshot.keep_visible(segment, rows));
    rows.for_each([&](size_t row) { add(*segment.rows, static_cast<uint32_t>(row)); });
    CC_TRY(segment.rows->status());  // ids of a damaged page are zeros
  }
  const auto lock = head.read_lock();
  for (const bool journal : {true, false}) {
    if (!snapshot.sees(journal)) continue;
    const SpanRows& spans = head.spans(journal);
    CC_ASSIGN(RowSet rows, match_conditions(spans, journal, hooks, request));
    CC_TRY(snapshot.keep_visible_in_head(journal, rows));
    rows.for_each([&](size_t row) { add(spans, static_cast<uint32_t>(row)); });
  }
  return traces;
}

struct Bound {
  int64_t start_ns = INT64_MAX;
  bool overlaps = false;  // some span of the trace overlaps the range
  void add(const SpanRows& rows, uint32_t row, bool journal, const TimeRange& range) {
    const int64_t start = rows.start_ns(row);
    start_ns = std::min(start_ns, start);
    overlaps = overlaps || (start <= range.end_ns && end_of(rows, row, journal) >= range.start_ns);
  }
};
using TraceBounds = std::unordered_map<otlp::TraceId, Bound, IdHash>;

// Looking a trace up costs about as much as passing over so many rows.
constexpr size_t kRowsPerLookUp = 64;

// One pass over every visible row: for answers that are a good part of the store.
Result<TraceBounds> bounds_by_scan(const Snapshot& snapshot, const TraceIds& traces,
                                   const TimeRange& range) {
  TraceBounds bounds;
  bounds.reserve(traces.size());
  const Head& head = snapshot.head();
  const auto add = [&](const SpanRows& rows, uint32_t row, bool journal) {
    const otlp::TraceId id = rows.trace_id(row);
    if (traces.contains(id)) bounds[id].add(rows, row, journal, range);
  };
  for (const SpanSegment& segment : snapshot.version().spans) {
    if (!snapshot.sees(segment.info)) continue;
    RowSet rows(segment.rows->size(), true);
    CC_TRY(snapshot.keep_visible(segment, rows));
    rows.for_each(
        [&](size_t row) { add(*segment.rows, static_cast<uint32_t>(row), segment.journal()); });
    CC_TRY(segment.rows->status());
  }
  const auto lock = head.read_lock();
  for (const bool journal : {true, false}) {
    if (!snapshot.sees(journal)) continue;
    const SpanRows& spans = head.spans(journal);
    RowSet rows(spans.size(), true);
    CC_TRY(snapshot.keep_visible_in_head(journal, rows));
    rows.for_each([&](size_t row) { add(spans, static_cast<uint32_t>(row), journal); });
  }
  return bounds;
}

Result<Bound> bound_of(const Snapshot& snapshot, const std::vector<TraceRow>& rows, const TimeRange& range) {
  Bound bound;
  std::shared_lock<std::shared_mutex> lock;
  for (const TraceRow& row : rows) {
    if (row.in_head && !lock.owns_lock()) lock = snapshot.head().read_lock();
    bound.add(*row.rows, row.row, row.journal, range);
  }
  for (size_t i = 0; i < rows.size(); ++i) {  // what lies on a damaged page reads as zeros
    if (i == 0 || rows[i].rows != rows[i - 1].rows) CC_TRY(rows[i].rows->status());
  }
  return bound;
}

Result<TraceBounds> bounds_of(const Snapshot& snapshot, const TraceIds& traces,
                              const TimeRange& range) {
  size_t rows = 0;
  for (const SpanSegment& segment : snapshot.version().spans) rows += snapshot.sees(segment.info) ? segment.info.rows : 0;
  if (traces.size() > rows / kRowsPerLookUp) return bounds_by_scan(snapshot, traces, range);
  TraceBounds bounds;
  // In the order in which an index has them.
  std::vector<otlp::TraceId> in_order(traces.begin(), traces.end());
  std::sort(in_order.begin(), in_order.end());
  for (const otlp::TraceId& id : in_order) {
    CC_ASSIGN(const std::vector<TraceRow> found, snapshot.rows_of(id));
    CC_ASSIGN(const Bound bound, bound_of(snapshot, found, range));
    bounds.emplace(id, bound);
  }
  return bounds;
}

// The latest trace first. Where a trace starts is looked up when its turn may have come: it starts no
// later than the rows that made it a candidate, so a search for a few leaves most of them alone.
class Traces : public TraceIterator {
 public:
  Traces(const Snapshot& snapshot, FetchRequest request, const TraceStarts& traces)
      : snapshot_(snapshot),
        request_(std::move(request)),
        reader_(snapshot_, request_),
        unknown_(traces.size()) {
    candidates_.reserve(traces.size());
    for (const auto& [id, start_ns] : traces) candidates_.push_back({start_ns, false, id});
    std::make_heap(candidates_.begin(), candidates_.end(), later);
  }

  Result<const TraceView*> next() override {
    CC_TRY(reader_.status());
    while (!candidates_.empty()) {
      std::pop_heap(candidates_.begin(), candidates_.end(), later);
      const Candidate candidate = candidates_.back();
      candidates_.pop_back();
      if (!candidate.known) {
        CC_TRY(look_up(candidate));
        continue;
      }
      CC_ASSIGN(const TraceView* view, read(candidate.id));
      if (view != nullptr) return view;
    }
    return static_cast<const TraceView*>(nullptr);
  }

 private:
  struct Candidate {
    int64_t start_ns = 0;  // known: of the trace; else not before that
    bool known = false;
    otlp::TraceId id;
  };
  // A heap's order: its front is the latest, of equal ones what is not known, then the least id.
  static bool later(const Candidate& a, const Candidate& b) {
    if (a.start_ns != b.start_ns) return a.start_ns < b.start_ns;
    if (a.known != b.known) return a.known;
    return b.id < a.id;
  }
  void push(const otlp::TraceId& id, const Bound& bound) {
    if (bound.overlaps) candidates_.push_back({bound.start_ns, true, id});
  }
  // nullptr: nothing of it is shown.
  Result<const TraceView*> read(const otlp::TraceId& id) {
    if (!request_.with_events && !request_.with_links) {
      std::vector<TraceRow> rows;
      if (const auto known = rows_.find(id); known != rows_.end()) {
        rows = std::move(known->second);
        rows_.erase(known);
      } else {
        CC_ASSIGN(rows, snapshot_.rows_of(id));
      }
      return reader_.read(id, rows);
    }
    CC_ASSIGN(AssembledTrace trace, assemble_trace(snapshot_, id, request_.with_events));
    if (trace.spans.empty()) return static_cast<const TraceView*>(nullptr);
    view_ = make_trace_view(std::move(trace), request_);
    return static_cast<const TraceView*>(view_.get());
  }
  Status look_up(const Candidate& candidate) {
    if (looked_up_++ >= kLookUpsOneByOne) return look_up_all(candidate);
    --unknown_;
    CC_ASSIGN(std::vector<TraceRow> rows, snapshot_.rows_of(candidate.id));
    CC_ASSIGN(const Bound bound, bound_of(snapshot_, rows, request_.range));
    if (!bound.overlaps) return {};
    rows_.emplace(candidate.id, std::move(rows));
    push(candidate.id, bound);
    std::push_heap(candidates_.begin(), candidates_.end(), later);
    return {};
  }
  // Whoever takes so many takes them all, and together they are cheaper.
  Status look_up_all(const Candidate& candidate) {
    TraceIds ids{candidate.id};
    ids.reserve(unknown_);
    std::erase_if(candidates_, [&](const Candidate& one) {
      if (!one.known) ids.insert(one.id);
      return !one.known;
    });
    unknown_ = 0;
    CC_ASSIGN(const TraceBounds bounds, bounds_of(snapshot_, ids, request_.range));
    for (const auto& [id, bound] : bounds) push(id, bound);
    std::make_heap(candidates_.begin(), candidates_.end(), later);
    return {};
  }

  static constexpr size_t kLookUpsOneByOne = 256;
  const Snapshot& snapshot_;
  FetchRequest request_;
  TraceReader reader_;
  std::vector<Candidate> candidates_;  // a heap
  size_t unknown_;                     // of them
  size_t looked_up_ = 0;
  std::unordered_map<otlp::TraceId, std::vector<TraceRow>, IdHash> rows_;  // of those that were looked up one by one
  std::unique_ptr<TraceView> view_;
};

}  // namespace

Snapshot::Snapshot(std::shared_ptr<const Head> head, uint64_t visible, int64_t now_ns,
                   TenantSet tenants)
    : head_(std::move(head)),
      version_(head_->shared_version()),
      visible_(visible),
      now_ns_(now_ns),
      table_(head_->table(visible)),
      tenants_(std::move(tenants)) {}

Snapshot::Snapshot(const Snapshot& other, TenantSet tenants)
    : Source(other),
      WorkView(other),
      head_(other.head_),
      version_(other.version_),
      visible_(other.visible_),
      now_ns_(other.now_ns_),
      table_(other.table_),
      tenants_(std::move(tenants)) {}

Status Snapshot::keep_visible(const SpanSegment& segment, RowSet& rows) const {
  if (segment.mask != nullptr) rows.subtract(*segment.mask);
  head_->hide_superseded(segment.info.number, visible_, rows);
  if (segment.journal() || tenants_.contains_all(segment.info.tenants)) return {};
  return segment.rows->keep_tenants(tenants_, rows);
}

Status Snapshot::keep_visible_in_head(bool journal, RowSet& rows) const {
  head_->hide_invisible(journal, visible_, rows);
  return journal ? Status() : head_->spans(false).keep_tenants(tenants_, rows);
}

Result<std::vector<TraceRow>> Snapshot::rows_of(const otlp::TraceId& id) const {
  CC_TRY(head_->settle());
  std::vector<TraceRow> found;
  std::vector<std::pair<uint64_t, TraceRow>> in_segments;
  const std::vector<uint32_t> received = version_->traces.segments_of(id);
  for (uint32_t i = 0; i < version_->spans.size(); ++i) {
    const SpanSegment& segment = version_->spans[i];
    if (!segment.journal() && !std::binary_search(received.begin(), received.end(), i)) continue;
    if (!sees(segment.info)) continue;
    CC_ASSIGN(const std::vector<uint32_t> rows, segment.rows->rows_of_trace(id));
    const bool shared = !segment.journal() && !tenants_.contains_all(segment.info.tenants);
    for (const uint32_t row : rows) {
      if (segment.masked(row)) continue;
      if (shared && !tenants_.contains(segment.rows->tenant(row))) continue;
      in_segments.emplace_back(segment.info.number,
                               TraceRow{segment.rows.get(), row, segment.journal(), false});
    }
    if (!rows.empty()) CC_TRY(segment.rows->status());
  }
  const auto lock = head_->read_lock();
  for (const auto& [number, row] : in_segments) {
    if (!head_->superseded(number, row.row, visible_)) found.push_back(row);
  }
  for (const bool journal : {true, false}) {
    if (!sees(journal)) continue;
    const SpanRows& spans = head_->spans(journal);
    CC_ASSIGN(const std::vector<uint32_t> rows, spans.rows_of_trace(id));
    for (const uint32_t row : rows) {
      if (!head_->visible(journal, row, visible_)) continue;
      if (journal || tenants_.contains(spans.tenant(row))) found.push_back({&spans, row, journal, true});
    }
  }
  return found;
}

Result<std::unique_ptr<TraceIterator>> Snapshot::fetch(const FetchRequest& request) const {
  CC_TRY(head_->settle());
  CC_ASSIGN(const TraceStarts traces, matching_traces(*this, request));
  return std::unique_ptr<TraceIterator>(std::make_unique<Traces>(*this, request, traces));
}

Result<std::optional<otlp::TracesData>> Snapshot::trace(const otlp::TraceId& id) const {
  otlp::TraceId at = id;
  // A trace may have moved more than once; a ring of forwards must not hang us.
  for (int hops = 0; hops < 64; ++hops) {
    CC_ASSIGN(AssembledTrace trace, assemble_trace(*this, at, true));
    if (!trace.spans.empty()) return std::optional(group_trace(std::move(trace)));
    const std::optional<otlp::TraceId> next = forward(at);
    if (!next) break;
    at = *next;
  }
  return std::optional<otlp::TracesData>();
}

std::optional<otlp::TraceId> Snapshot::forward(const otlp::TraceId& id) const {
  return tenants_.has_default() ? head_->forward(id, visible_) : std::nullopt;
}

Result<std::optional<JournalSpan>> Snapshot::span(const otlp::SpanId& id) const {
  return head_->journal_span(id, visible_, *table_);
}

Result<std::vector<otlp::LogRecord>> Snapshot::events(const otlp::SpanId& id) const {
  CC_TRY(head_->settle_logs());
  std::vector<LogFact> found;
  const auto collect = [&](const LogRows& rows) -> Status {
    CC_ASSIGN(std::vector<LogFact> facts, LogParts::of(rows).records_of_span(id));
    for (LogFact& fact : facts) {
      if (fact.sequence <= visible_) found.push_back(std::move(fact));
    }
    return rows.status();
  };
  for (const LogSegment& segment : version_->logs) {
    if (segment.journal()) CC_TRY(collect(*segment.rows));
  }
  {
    const auto lock = head_->read_lock();
    CC_TRY(collect(head_->logs(true)));
  }
  // One frame is one command and one revision; within it rows keep their order.
  sort_stably(found, [](const LogFact& a, const LogFact& b) { return a.sequence < b.sequence; });
  std::vector<otlp::LogRecord> records;
  records.reserve(found.size());
  for (LogFact& entry : found) records.push_back(std::move(entry.record));
  return records;
}

}  // namespace contextcore::store
