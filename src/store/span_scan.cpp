// Spans one at a time: rows of segments are looked at where they lie, those of the head are put
// together a few at a time.

#include <algorithm>
#include <bit>
#include <deque>
#include <utility>

#include "store/snapshot.h"
#include "store/snapshot_conditions.h"
#include "store/trace_assembly.h"

namespace contextcore::store {
namespace {

constexpr size_t kHeadRowsAtOnce = 256;

bool is_all_time(const TimeRange& range) {
  return range.start_ns == INT64_MIN && range.end_ns == INT64_MAX;
}

Result<RowSet> matching_rows(const Snapshot& snapshot, const SpanRows& rows, bool journal,
                             const FetchRequest& request) {
  CC_ASSIGN(RowSet out, match_conditions(rows, journal, snapshot.head().hooks(), request));
  if (is_all_time(request.range)) return out;
  CC_ASSIGN(const RowSet overlapping, rows.overlap(request.range));
  out &= overlapping;
  return out;
}

// The set row at or after `from`, or the number of rows.
size_t next_row(const RowSet& rows, size_t from) {
  for (size_t word = from / 64; word < rows.words().size(); ++word) {
    uint64_t bits = rows.words()[word];
    if (word == from / 64) bits &= ~uint64_t{0} << (from % 64);
    if (bits != 0) return word * 64 + static_cast<size_t>(std::countr_zero(bits));
  }
  return rows.rows();
}

// A row of a segment as a trace of one span.
class RowView : public TraceView {
 public:
  RowView(const Snapshot& snapshot, const FetchRequest& request)
      : snapshot_(snapshot), columns_(request.columns), hooks_(snapshot.head().hooks()) {
    for (const Column& column : columns_) {
      const auto& keys = hooks_.computed_keys;
      computed_.push_back(column.scope == ColumnScope::span &&
                          std::find(keys.begin(), keys.end(), column.key) != keys.end());
    }
  }

  void begin(SpanCursor& cursor, bool journal) {
    cursor_ = &cursor;
    journal_ = journal;
  }

  // The row that the cursor stands at. False: it is hidden.
  Result<bool> take() {
    id_ = cursor_->trace_id();
    core_ = cursor_->core();
    core_.journal = journal_;
    end_missing_ = !journal_ && (core_.end_ns == 0 || core_.end_ns < core_.start_ns);
    core_.open = journal_ && core_.end_ns == 0;
    stored_end_ns_ = core_.end_ns;
    if (end_missing_) core_.end_ns = core_.start_ns;
    if (core_.open) core_.end_ns = std::max(core_.start_ns, snapshot_.now_ns());
    shown_.attributes.clear();
    is_computed_ = false;
    row_ = nullptr;
    if (!journal_) return true;
    row_ = snapshot_.index().find(core_.span_id);
    if (row_ == nullptr) CC_TRY(snapshot_.table().status());
    return row_ == nullptr || !hooks_.hidden || !hooks_.hidden(*row_, snapshot_.index());
  }

  // The first error of a cell.
  const Status& status() const { return status_; }

  const otlp::TraceId& trace_id() const override { return id_; }
  size_t span_count() const override { return 1; }
  const SpanCore& core(size_t) const override { return core_; }
  Cell cell(size_t, size_t column) const override {
    const Column& wanted = columns_[column];
    if (end_missing_ && wanted.scope == ColumnScope::span && wanted.key == kEndMissingKey) {
      Cell cell;
      cell.type = Cell::Type::boolean;
      cell.boolean = true;
      return cell;
    }
    if (journal_ && computed_[column] && hooks_.compute) {
      const otlp::Value* value = otlp::find(shown().attributes, wanted.key);
      return Cell::of(value);
    }
    return stored(column);
  }
  size_t event_count(size_t) const override { return 0; }
  EventCore event(size_t, size_t) const override { return {}; }
  Cell event_cell(size_t, size_t, size_t) const override { return {}; }
  size_t link_count(size_t) const override { return 0; }
  LinkCore link(size_t, size_t) const override { return {}; }
  Cell link_cell(size_t, size_t, size_t) const override { return {}; }

 private:
  Cell stored(size_t column) const {
    Result<Cell> cell = cursor_->cell(column);
    if (cell.ok()) return *cell;
    if (status_.ok()) status_ = cell.status();
    return {};
  }

  // The attributes that compute may change, after it has.
  const otlp::Span& shown() const {
    if (is_computed_) return shown_;
    is_computed_ = true;
    shown_.span_id = core_.span_id;
    shown_.start_ns = static_cast<uint64_t>(core_.start_ns);
    shown_.end_ns = static_cast<uint64_t>(stored_end_ns_);
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!computed_[i]) continue;
      const Cell cell = stored(i);
      if (cell.type != Cell::Type::nil)
        otlp::set(shown_.attributes, columns_[i].key, value_of(cell));
    }
    if (row_ != nullptr) hooks_.compute(shown_, *row_, snapshot_.now_ns());
    return shown_;
  }

  static otlp::Value value_of(const Cell& cell) {
    switch (cell.type) {
      case Cell::Type::string:
        return std::string(cell.string);
      case Cell::Type::boolean:
        return cell.boolean;
      case Cell::Type::integer:
        return cell.integer;
      case Cell::Type::real:
        return cell.real;
      default:
        return cell.value != nullptr ? *cell.value : otlp::Value();
    }
  }

  const Snapshot& snapshot_;
  const std::vector<Column>& columns_;
  const WorkHooks& hooks_;
  std::vector<bool> computed_;  // by column
  SpanCursor* cursor_ = nullptr;
  bool journal_ = false, end_missing_ = false;
  int64_t stored_end_ns_ = 0;
  otlp::TraceId id_;
  SpanCore core_;
  const WorkRow* row_ = nullptr;
  mutable otlp::Span shown_;
  mutable bool is_computed_ = false;
  mutable Status status_;
};

class Spans : public TraceIterator {
 public:
  Spans(const Snapshot& snapshot, FetchRequest request)
      : snapshot_(snapshot), request_(std::move(request)), view_(snapshot, request_) {}

  Result<const TraceView*> next() override {
    for (;;) {
      CC_TRY(view_.status());
      if (segment_ < snapshot_.version().spans.size()) {
        CC_ASSIGN(const TraceView* view, next_of_segment());
        if (view != nullptr) return view;
      } else {
        CC_ASSIGN(const TraceView* view, next_of_head());
        if (view != nullptr || head_ > 1) return view;
      }
    }
  }

 private:
  // nullptr: the segment has no more, and the next one is at hand.
  Result<const TraceView*> next_of_segment() {
    const SpanSegment& segment = snapshot_.version().spans[segment_];
    if (!selected_) {
      CC_ASSIGN(rows_, matching_rows(snapshot_, *segment.rows, segment.journal(), request_));
      if (segment.mask != nullptr) rows_.subtract(*segment.mask);
      snapshot_.head().hide_superseded(segment.info.number, snapshot_.visible(), rows_);
      cursor_ = segment.rows->cursor(request_.columns);
      if (cursor_ != nullptr) view_.begin(*cursor_, segment.journal());
      at_ = next_row(rows_, 0);
      selected_ = true;
    }
    if (cursor_ == nullptr) {  // in memory
      while (pending_.empty() && at_ < rows_.rows()) {
        CC_ASSIGN(auto wholes, materialize(*segment.rows));
        CC_TRY(assemble(std::move(wholes), segment.journal()));
      }
      if (!pending_.empty()) return next_pending();
    }
    for (at_ = next_row(rows_, at_); at_ < rows_.rows(); at_ = next_row(rows_, at_)) {
      CC_TRY(cursor_->seek(at_++));
      CC_ASSIGN(const bool shown, view_.take());
      if (shown) return static_cast<const TraceView*>(&view_);
    }
    CC_TRY(segment.rows->status());
    cursor_.reset();
    selected_ = false;
    ++segment_;
    return static_cast<const TraceView*>(nullptr);
  }

  // nullptr while head_ < 2: one half of the head has no more.
  Result<const TraceView*> next_of_head() {
    if (head_ > 1) return static_cast<const TraceView*>(nullptr);
    const bool journal = head_ == 0;
    if (!selected_) CC_TRY(select_head(journal));
    while (pending_.empty()) {
      if (at_ >= rows_.rows()) {
        ++head_;
        selected_ = false;
        return static_cast<const TraceView*>(nullptr);
      }
      std::vector<SpanRows::Whole> wholes;
      {
        const auto lock = snapshot_.head().read_lock();
        CC_ASSIGN(wholes, materialize(snapshot_.head().spans(journal)));
      }
      CC_TRY(assemble(std::move(wholes), journal));
    }
    return next_pending();
  }

  const TraceView* next_pending() {
    AssembledSpan span = std::move(pending_.front());
    pending_.pop_front();
    AssembledTrace trace{span.span.trace_id, {}};
    trace.spans.push_back(std::move(span));
    assembled_ = make_trace_view(std::move(trace), request_);
    return assembled_.get();
  }

  Status select_head(bool journal) {
    const auto lock = snapshot_.head().read_lock();
    CC_ASSIGN(rows_, matching_rows(snapshot_, snapshot_.head().spans(journal), journal, request_));
    for (size_t row = next_row(rows_, 0); row < rows_.rows(); row = next_row(rows_, row + 1)) {
      if (!snapshot_.head().visible(journal, static_cast<uint32_t>(row), snapshot_.visible()))
        rows_.clear(row);
    }
    at_ = next_row(rows_, 0);
    selected_ = true;
    return {};
  }

  Result<std::vector<SpanRows::Whole>> materialize(const SpanRows& spans) {
    std::vector<SpanRows::Whole> wholes;
    for (size_t i = 0; i < kHeadRowsAtOnce && at_ < rows_.rows(); ++i) {
      CC_ASSIGN(SpanRows::Whole whole, spans.materialize(at_));
      wholes.push_back(std::move(whole));
      at_ = next_row(rows_, at_ + 1);
    }
    return wholes;
  }

  Status assemble(std::vector<SpanRows::Whole> wholes, bool journal) {
    for (SpanRows::Whole& whole : wholes) {
      CC_ASSIGN(std::optional<AssembledSpan> span,
                assemble_span(snapshot_, std::move(whole), journal, false));
      if (span) pending_.push_back(std::move(*span));
    }
    return {};
  }

  const Snapshot& snapshot_;
  const FetchRequest request_;
  RowView view_;
  size_t segment_ = 0;
  std::unique_ptr<SpanCursor> cursor_;
  RowSet rows_;
  size_t at_ = 0;
  size_t head_ = 0;  // work, received, no more
  bool selected_ = false;
  std::deque<AssembledSpan> pending_;
  std::unique_ptr<TraceView> assembled_;
};

}  // namespace

Result<std::unique_ptr<TraceIterator>> Snapshot::fetch_spans(const FetchRequest& request) const {
  // Events of work lie in the log, links in a table of their own: whole traces have them.
  if (request.with_events || request.with_links) return fetch(request);
  CC_TRY(head_->settle());
  return std::unique_ptr<TraceIterator>(std::make_unique<Spans>(*this, request));
}

}  // namespace contextcore::store
