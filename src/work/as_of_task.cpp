// The past of a single task: a few spans, found by their ids, instead of the log of the whole project.

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

// Spans of a project that got another parent at some time of the request. A superset may come.
Result<std::set<otlp::SpanId>> moved_spans(const store::Source& source, const std::string& project, int64_t from_ns) {
  constexpr std::string_view kParent = "parent";
  store::LogFetchRequest request;
  request.journal_only = true;
  request.start_ns = from_ns;
  request.stream_filter = [&project](const store::LabelPairs& stream) { return project_of(stream) == project; };
  store::LogProjection projection;
  projection.ids = projection.fields = true;
  projection.metadata = {"event_name"};
  CC_ASSIGN(const auto batches, store::scan_logs(source, request, projection));
  std::set<otlp::SpanId> moved;
  FlatJson flat;
  for (store::LogBatch batch;;) {
    CC_ASSIGN(const bool more, batches->next(batch));
    if (!more) return moved;
    const store::FieldColumn* fields = nullptr;
    for (size_t i = 0; i < batch.size; ++i) {
      if (batch.metadata[0].at(i) != names::event::kTaskEdited) continue;
      bool of_parent = true;
      if (batch.fields != nullptr && batch.fields->has(i)) {
        if (fields == nullptr) {
          CC_ASSIGN(fields, batch.fields->column(field::kField));
        }
        of_parent = fields->at(i).text == kParent;
      } else if (flat.parse(batch.lines[i])) {
        const std::optional<Json> name = flat.find(field::kField);
        of_parent = name && name->as_string() != nullptr && *name->as_string() == kParent;
      }
      if (of_parent) moved.insert(batch.span_ids[i]);
    }
  }
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
  CC_ASSIGN(const std::set<otlp::SpanId> moved,
            moved_spans(source_, task.project, any_time ? INT64_MIN : *moment_.as_of_ns + 1));
  children.insert(moved.begin(), moved.end());
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
