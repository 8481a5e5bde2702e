#include "store/trace_reader.h"

#include <algorithm>
#include <deque>
#include <tuple>
#include <utility>

namespace contextcore::store {
namespace {

// Groups that are kept at hand from trace to trace.
constexpr size_t kGroupsKept = 16;

}  // namespace

class TraceReader::View : public PlainTraceView {
 public:
  View(RowContext& context, const FetchRequest& request) : context_(context), request_(request) {}

  void begin(const otlp::TraceId& id) {
    id_ = id;
    spans_.clear();
    assembled_.clear();
    order_.clear();
    values_.clear();
  }
  // False: the row is hidden, nothing is added.
  Result<bool> add_row(const SpanGroup& group, const TraceRow& row) {
    CC_ASSIGN(const bool shown, spans_.emplace_back().take(context_, group, row.row, row.journal));
    if (!shown) spans_.pop_back();
    return shown;
  }
  void add_assembled(AssembledSpan span) {
    AssembledTrace trace{id_, {}};
    trace.spans.push_back(std::move(span));
    assembled_.push_back(make_trace_view(std::move(trace), request_));
  }
  void finish() {
    order_.reserve(spans_.size() + assembled_.size());
    for (const RowSpan& span : spans_) order_.push_back({&span.core(), &span, nullptr});
    for (const auto& view : assembled_) order_.push_back({&view->core(0), nullptr, view.get()});
    std::sort(order_.begin(), order_.end(), [](const Place& a, const Place& b) {
      return std::tie(a.core->start_ns, a.core->span_id, a.core->kind) <
             std::tie(b.core->start_ns, b.core->span_id, b.core->kind);
    });
  }

  const otlp::TraceId& trace_id() const override { return id_; }
  size_t span_count() const override { return order_.size(); }
  const SpanCore& core(size_t span) const override { return *order_[span].core; }
  Cell cell(size_t span, size_t column) const override {
    const Place& at = order_[span];
    return at.row != nullptr ? at.row->cell(context_, column, values_) : at.assembled->cell(0, column);
  }

 private:
  struct Place {
    const SpanCore* core = nullptr;
    const RowSpan* row = nullptr;          // in a segment
    const TraceView* assembled = nullptr;  // in the head
  };
  RowContext& context_;
  const FetchRequest& request_;
  otlp::TraceId id_;
  std::deque<RowSpan> spans_;
  std::vector<std::unique_ptr<TraceView>> assembled_;
  std::vector<Place> order_;                 // by (start, span id)
  mutable std::deque<otlp::Value> values_;  // that cells borrow from
};

TraceReader::TraceReader(const Snapshot& snapshot, const FetchRequest& request)
    : request_(request),
      context_(snapshot, request.columns),
      view_(std::make_unique<View>(context_, request)) {}

TraceReader::~TraceReader() = default;

// nullptr: the row lies in memory.
Result<const SpanGroup*> TraceReader::group_of(const TraceRow& row) {
  const auto holds = [&row](const auto& known) {
    return known.first == row.rows && known.second->first() <= row.row && row.row < known.second->end();
  };
  const auto known = std::find_if(groups_.rbegin(), groups_.rend(), holds);
  if (known != groups_.rend()) return known->second.get();
  CC_ASSIGN(auto group, row.rows->group(row.row, context_.columns()));
  if (group == nullptr) return static_cast<const SpanGroup*>(nullptr);
  groups_.emplace_back(row.rows, std::move(group));
  return groups_.back().second.get();
}

Result<const TraceView*> TraceReader::read(const otlp::TraceId& id, const std::vector<TraceRow>& rows) {
  if (groups_.size() > kGroupsKept)
    groups_.erase(groups_.begin(), groups_.end() - static_cast<std::ptrdiff_t>(kGroupsKept));
  view_->begin(id);
  std::vector<TraceRow> in_memory;
  for (const TraceRow& row : rows) {
    CC_ASSIGN(const SpanGroup* group, row.in_head ? nullptr : group_of(row));
    if (group == nullptr) {
      in_memory.push_back(row);
    } else {
      CC_TRY(view_->add_row(*group, row));
    }
  }
  CC_ASSIGN(std::vector<AssembledSpan> assembled, assemble_rows(context_.snapshot(), in_memory, false));
  for (AssembledSpan& span : assembled) view_->add_assembled(std::move(span));
  view_->finish();
  return view_->span_count() == 0 ? nullptr : static_cast<const TraceView*>(view_.get());
}

}  // namespace contextcore::store
