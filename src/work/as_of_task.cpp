// The past of a single task: a few spans, found by their ids, instead of the log of the whole project.

#include <algorithm>
#include <set>

#include "base/flat_json.h"
#include "store/log_batch.h"
#include "work/as_of.h"
#include "work/names.h"

namespace contextcore::work {
namespace {

namespace field = names::field;

std::string project_of(const store::LabelPairs& stream) {
  for (const auto& [name, value] : stream) {
    if (name == "project_id") return value;
  }
  return {};
}

// Events of a project's log that gave a child of the parent another one, in [from, end).
class Departures {
 public:
  Departures(const store::Source& source, const store::WorkRow& parent) : source_(source), parent_(parent) {}

  // Calls fn(batch, entry) for each of them. The ids of a batch take as long to read as all that is looked at here.
  template <typename Fn>
  Status for_each(int64_t from_ns, int64_t end_ns, bool with_ids, Fn fn) {
    store::LogFetchRequest request;
    request.journal_only = true;
    request.start_ns = from_ns;
    request.end_ns = end_ns;
    request.stream_filter = [this](const store::LabelPairs& stream) { return project_of(stream) == parent_.project; };
    store::LogProjection projection;
    projection.fields = true;
    projection.ids = with_ids;
    projection.holding = {std::string(field::kFrom), parent_.id};
    CC_ASSIGN(const auto batches, store::scan_logs(source_, request, projection));
    for (store::LogBatch batch;;) {
      CC_ASSIGN(const bool more, batches->next(batch));
      if (!more) return {};
      CC_TRY(look_at(batch, fn));
    }
  }

 private:
  template <typename Fn>
  Status look_at(const store::LogBatch& batch, Fn fn) {
    const store::FieldColumn *fields = nullptr, *froms = nullptr;
    if (batch.fields != nullptr) {
      CC_ASSIGN(fields, batch.fields->column(field::kField));
    }
    for (size_t i = 0; i < batch.size; ++i) {
      if (fields != nullptr && batch.fields->has(i)) {
        if (fields->ids[i] == 0 || fields->at(i).text != kParent) continue;
        if (froms == nullptr) {
          CC_ASSIGN(froms, batch.fields->column(field::kFrom));
        }
        if (froms->at(i).text == parent_.id) fn(batch, i);
      } else if (flat_.parse(batch.lines[i]) && is(field::kField, kParent) && is(field::kFrom, parent_.id)) {
        fn(batch, i);
      }
    }
    return {};
  }
  bool is(std::string_view name, std::string_view text) const {
    const std::optional<Json> value = flat_.find(name);
    return value && value->as_string() != nullptr && *value->as_string() == text;
  }

  static constexpr std::string_view kParent = "parent";
  const store::Source& source_;
  const store::WorkRow& parent_;
  FlatJson flat_;
};

// Spans that were children of the parent and left at some time of the range. A superset may come.
Result<std::set<otlp::SpanId>> departed(const store::Source& source, const store::WorkRow& parent, int64_t from_ns) {
  Departures departures(source, parent);
  std::set<otlp::SpanId> spans;
  int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
  CC_TRY(departures.for_each(from_ns, INT64_MAX, false, [&](const store::LogBatch& batch, size_t i) {
    first_ns = std::min(first_ns, batch.times_ns[i]);
    last_ns = std::max(last_ns, batch.times_ns[i]);
  }));
  if (first_ns > last_ns) return spans;
  const int64_t end_ns = last_ns == INT64_MAX ? last_ns : last_ns + 1;
  CC_TRY(departures.for_each(first_ns, end_ns, true,
                             [&](const store::LogBatch& batch, size_t i) { spans.insert(batch.span_ids[i]); }));
  return spans;
}

}  // namespace

// Those that are children now, and those that have left since.
Status PastView::fold_children(const store::WorkRow& task) {
  std::set<otlp::SpanId> children;
  for (const store::WorkRow* child : present_.index().children(task.span_id)) {
    if (child->kind == store::WorkKind::task) children.insert(child->span_id);
  }
  // What was not known then may have happened at any time.
  const bool any_time = moment_.known_at_ns.has_value() || *moment_.as_of_ns == INT64_MAX;
  CC_ASSIGN(const std::set<otlp::SpanId> left, departed(source_, task, any_time ? INT64_MIN : *moment_.as_of_ns + 1));
  children.insert(left.begin(), left.end());
  for (const otlp::SpanId& id : children) {
    if (!histories_.tasks.contains(id)) CC_TRY(fold_alone(id, histories_));
  }
  return {};
}

Result<std::unique_ptr<PastView>> PastView::make_of_task(const store::WorkView& present, const store::Source& source,
                                                         const Moment& moment, const store::WorkRow& task) {
  std::unique_ptr<PastView> view(new PastView(present, source, moment));
  view->insights_folded_ = true;  // there are none
  for (otlp::SpanId at = task.span_id; !at.empty() && !view->histories_.tasks.contains(at);) {
    CC_TRY(view->fold_alone(at, view->histories_));
    const TaskHistory* folded = view->histories_.tasks.find(at);
    if (folded == nullptr) break;
    at = folded->task.parent_span_id;
  }
  const TaskHistory* folded = view->histories_.tasks.find(task.span_id);
  if (folded == nullptr) return std::unique_ptr<PastView>();
  // At its end what it counts and waits for is frozen.
  if (!folded->task.ended()) CC_TRY(view->fold_children(task));
  CC_TRY(view->fold_outside(task.project));
  view->settle();
  return view;
}

}  // namespace contextcore::work
