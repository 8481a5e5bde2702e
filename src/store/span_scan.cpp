// Spans one at a time: rows of segments are looked at where they lie, those of the head are put
// together a few at a time.

#include <algorithm>
#include <bit>
#include <deque>
#include <utility>

#include "store/row_span.h"
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
class RowView : public PlainTraceView {
 public:
  RowView(const Snapshot& snapshot, const FetchRequest& request) : context_(snapshot, request.columns) {}

  // False: the row is hidden.
  Result<bool> take(const SpanGroup& group, size_t row, bool journal) {
    id_ = group.trace_id(row);
    values_.clear();
    return span_.take(context_, group, row, journal);
  }
  // The first error of a cell.
  const Status& status() const { return context_.status(); }

  const otlp::TraceId& trace_id() const override { return id_; }
  size_t span_count() const override { return 1; }
  const SpanCore& core(size_t) const override { return span_.core(); }
  Cell cell(size_t, size_t column) const override { return span_.cell(context_, column, values_); }

 private:
  mutable RowContext context_;
  otlp::TraceId id_;
  RowSpan span_;
  mutable std::deque<otlp::Value> values_;  // that cells borrow from
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
    if (!snapshot_.sees(segment.info)) {
      ++segment_;
      return static_cast<const TraceView*>(nullptr);
    }
    if (!selected_) {
      CC_ASSIGN(rows_, matching_rows(snapshot_, *segment.rows, segment.journal(), request_));
      CC_TRY(snapshot_.keep_visible(segment, rows_));
      at_ = next_row(rows_, 0);
      selected_ = true;
      in_memory_ = false;
      group_.reset();
      if (at_ < rows_.rows()) CC_TRY(load_group(*segment.rows));
    }
    if (in_memory_) {
      while (pending_.empty() && at_ < rows_.rows()) {
        CC_ASSIGN(auto wholes, materialize(*segment.rows));
        CC_TRY(assemble(std::move(wholes), segment.journal()));
      }
      if (!pending_.empty()) return next_pending();
    }
    for (at_ = next_row(rows_, at_); at_ < rows_.rows(); at_ = next_row(rows_, at_)) {
      if (at_ >= group_->end()) CC_TRY(load_group(*segment.rows));
      CC_ASSIGN(const bool shown, view_.take(*group_, at_++, segment.journal()));
      if (shown) return static_cast<const TraceView*>(&view_);
    }
    CC_TRY(segment.rows->status());
    group_.reset();
    selected_ = false;
    ++segment_;
    return static_cast<const TraceView*>(nullptr);
  }

  // The rows around the one at hand.
  Status load_group(const SpanRows& rows) {
    CC_ASSIGN(group_, rows.group(at_, request_.columns));
    in_memory_ = group_ == nullptr;
    return {};
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
    rows_ = RowSet();
    if (snapshot_.sees(journal)) {
      const auto lock = snapshot_.head().read_lock();
      CC_ASSIGN(rows_, matching_rows(snapshot_, snapshot_.head().spans(journal), journal, request_));
      CC_TRY(snapshot_.keep_visible_in_head(journal, rows_));
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
  std::shared_ptr<const SpanGroup> group_;  // of the segment at hand
  bool in_memory_ = false;                  // that segment's rows are
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
