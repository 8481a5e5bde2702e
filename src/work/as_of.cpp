#include "work/as_of.h"

#include <algorithm>
#include <memory>
#include <set>
#include <tuple>

#include "base/sort.h"
#include "base/time.h"
#include "work/event_scan.h"
#include "work/names.h"
#include "work/row.h"
#include "work/status.h"

namespace contextcore::work {
namespace {

using store::WorkRow;

Result<std::optional<int64_t>> time_of(const Args& args, std::string_view name, int64_t now_ns) {
  CC_ASSIGN(const std::string text, args.text(name));
  if (text.empty()) return std::optional<int64_t>();
  CC_ASSIGN(const int64_t time_ns, parse_time(text, now_ns));
  if (time_ns > now_ns) {
    return Error{Code::invalid_argument,
                 std::string(name) + " " + format_rfc3339(time_ns) + " is still to come",
                 "give a time that has passed",
                 {},
                 {}};
  }
  return std::optional(time_ns);
}

WorkRow past_row(const Task& task) {
  WorkRow row = row_of(task);
  if (row.claim_token != 0) row.lease_end_ns = INT64_MAX;
  return row;
}

// Comments and the like are part of the log only: nothing of their lines is read.
Fields fields_of(std::string_view name) {
  if (is_task_event(name)) return fields_of_fold(name);
  return std::nullopt;
}

// Tasks are quicker to find by number than in the map, which they go into when all is folded.
class HistoryFold : public SpanFold {
 public:
  explicit HistoryFold(Histories& histories) : histories_(histories) {}

  Status add(size_t span, Event& event) override {
    if (!is_task_event(event.name)) return fold(histories_, event);
    if (span >= tasks_.size()) tasks_.resize(span + 1);
    if (tasks_[span] == nullptr) tasks_[span] = std::make_unique<Folded>();
    tasks_[span]->id = event.span_id;
    return fold(tasks_[span]->history, event);
  }
  void forget(size_t span, const otlp::SpanId& id) override {
    if (span < tasks_.size()) tasks_[span].reset();
    histories_.insights.erase(id);
    histories_.sprints.erase(id);
  }
  void finish() {
    std::erase(tasks_, nullptr);
    std::sort(tasks_.begin(), tasks_.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
    for (auto& task : tasks_) {
      histories_.tasks.emplace_hint(histories_.tasks.end(), task->id, std::move(task->history));
    }
    tasks_.clear();
  }

 private:
  struct Folded {
    otlp::SpanId id;
    TaskHistory history;
  };
  Histories& histories_;
  std::vector<std::unique_ptr<Folded>> tasks_;  // by number of the span
};

}  // namespace

Result<Moment> moment_of(const Args& args, int64_t now_ns) {
  Moment moment;
  CC_ASSIGN(moment.as_of_ns, time_of(args, "as_of", now_ns));
  CC_ASSIGN(moment.known_at_ns, time_of(args, "known_at", now_ns));
  return moment;
}

Result<std::unique_ptr<PastView>> PastView::make(const store::WorkView& present,
                                                 const store::Source& source, const Moment& moment,
                                                 const std::string& project) {
  std::unique_ptr<PastView> view(new PastView(present, moment));
  EventFilter filter;
  filter.project = project;
  filter.as_of_ns = moment.as_of_ns.value_or(INT64_MAX);
  filter.known_at_ns = moment.known_at_ns.value_or(INT64_MAX);
  Histories& histories = view->histories_;
  HistoryFold all(histories);
  CC_TRY(scan_events(source, filter, fields_of, all));
  all.finish();
  CC_TRY(view->fold_outside(filter));
  view->settle();
  return view;
}

// A dependency may point to another project: its status counts, and `why` tells of it.
Status PastView::fold_outside(const EventFilter& filter) {
  std::set<otlp::SpanId> missing;
  for (const auto& [id, history] : histories_.tasks) {
    for (const TaskLink& link : history.task.links) {
      if (link.type == kLinkTypes[0] && !histories_.tasks.contains(link.span_id))
        missing.insert(link.span_id);
    }
  }
  if (missing.empty() || filter.project.empty()) return {};
  // They are few: each is read by itself.
  for (const otlp::SpanId& id : missing) CC_TRY(fold_alone(id, outside_));
  for (const auto& [id, history] : outside_.tasks)
    outside_rows_.emplace(id, past_row(history.task));
  return {};
}

// The events of a span, found by its id.
Status PastView::fold_alone(const otlp::SpanId& id, Histories& into) const {
  const WorkRow* row = present_.index().find(id);
  if (row == nullptr) return {};
  CC_ASSIGN(const std::vector<otlp::LogRecord> records, events(id));
  CC_ASSIGN(const std::optional<store::JournalSpan> now, present_.span(id));
  std::vector<Event> in_order;
  for (const otlp::LogRecord& record : records) {
    CC_ASSIGN(Event event, event_from_record(record, nullptr));
    event.project = row->project;
    if (now) event.service_name = otlp::find_string(now->resource.attributes, names::attr::kServiceName);
    in_order.push_back(std::move(event));
  }
  sort_stably(in_order, [](const Event& a, const Event& b) {
    return std::tie(a.time_ns, a.revision, a.seq) < std::tie(b.time_ns, b.revision, b.seq);
  });
  for (const Event& event : in_order) CC_TRY(fold(into, event));
  return {};
}

void PastView::settle() {
  derive(histories_, [&](const otlp::SpanId& id) -> const WorkRow* {
    const auto row = outside_rows_.find(id);
    return row == outside_rows_.end() ? nullptr : &row->second;
  });
  make_rows();
}

void PastView::make_rows() {
  for (const auto& [id, history] : histories_.tasks) rows_.push_back(past_row(history.task));
  for (const auto& [id, history] : histories_.insights) {
    if (history.insight) rows_.push_back(row_of(*history.insight));
  }
  for (const auto& [id, sprint] : histories_.sprints) {
    if (sprint.exists()) rows_.push_back(row_of(to_span(sprint)));
  }
  std::sort(rows_.begin(), rows_.end(),
            [](const WorkRow& a, const WorkRow& b) { return a.span_id < b.span_id; });
  for (const WorkRow& row : rows_) {
    if (!row.parent_span_id.empty()) by_parent_.emplace(row.parent_span_id, &row);
    for (const store::WorkEdge& edge : row.depends_on) by_dependency_.emplace(edge.target, &row);
  }
}

const TaskHistory* PastView::history(const otlp::SpanId& id) const {
  if (const auto task = histories_.tasks.find(id); task != histories_.tasks.end())
    return &task->second;
  const auto task = outside_.tasks.find(id);
  return task == outside_.tasks.end() ? nullptr : &task->second;
}

Result<std::optional<store::JournalSpan>> PastView::span(const otlp::SpanId& id) const {
  if (const TaskHistory* task = history(id)) return std::optional(to_span(task->task));
  if (const auto sprint = histories_.sprints.find(id); sprint != histories_.sprints.end())
    return std::optional(to_span(sprint->second));
  const auto insight = histories_.insights.find(id);
  if (insight == histories_.insights.end()) return std::optional<store::JournalSpan>();
  return insight->second.insight;
}

Result<std::vector<otlp::LogRecord>> PastView::events(const otlp::SpanId& id) const {
  CC_ASSIGN(std::vector<otlp::LogRecord> records, present_.events(id));
  std::erase_if(records, [&](const otlp::LogRecord& record) {
    return !moment_.holds(static_cast<int64_t>(record.time_ns),
                          static_cast<int64_t>(record.observed_time_ns));
  });
  return records;
}

const WorkRow* PastView::find(const otlp::SpanId& id) const {
  const auto row =
      std::lower_bound(rows_.begin(), rows_.end(), id,
                       [](const WorkRow& a, const otlp::SpanId& b) { return a.span_id < b; });
  if (row != rows_.end() && row->span_id == id) return &*row;
  const auto outside = outside_rows_.find(id);
  return outside == outside_rows_.end() ? nullptr : &outside->second;
}

std::vector<const WorkRow*> PastView::children(const otlp::SpanId& id) const {
  std::vector<const WorkRow*> found;
  const auto [first, last] = by_parent_.equal_range(id);
  for (auto child = first; child != last; ++child) found.push_back(child->second);
  if (const TaskHistory* task = history(id)) {
    auto [phases, is_new] = phases_.try_emplace(id);
    if (is_new) {
      for (const Phase& phase : task->phases)
        phases->second.push_back(row_of(to_span(phase, task->task)));
    }
    for (const WorkRow& phase : phases->second) found.push_back(&phase);
  }
  return found;
}

std::vector<const WorkRow*> PastView::dependents(const otlp::SpanId& id) const {
  std::vector<const WorkRow*> found;
  const auto [first, last] = by_dependency_.equal_range(id);
  for (auto dependent = first; dependent != last; ++dependent) found.push_back(dependent->second);
  return found;
}

void PastView::scan(const std::function<bool(const WorkRow&)>& fn) const {
  for (const WorkRow& row : rows_) {
    if (!fn(row)) return;
  }
}

}  // namespace contextcore::work
