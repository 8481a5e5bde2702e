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

store::WorkKey past_key(const Task& task) {
  store::WorkKey key = key_of(task);
  if (key.claim_token != 0) key.lease_end_ns = INT64_MAX;
  return key;
}

// Tasks and sprints, without phases: those of a few tasks are folded again when they are asked for.
class WorkFold : public SpanFold {
 public:
  explicit WorkFold(Histories& histories) : histories_(histories) {}

  bool wants(std::string_view name) const override { return !is_insight_event(name); }
  Fields fields(std::string_view name) const override {
    // Comments and the like are part of the log only: nothing of their lines is read.
    if (!is_task_event(name)) return std::nullopt;
    std::vector<std::string_view> fields = fields_of_fold(name);
    std::erase_if(fields, [](std::string_view field) {
      return field == names::field::kActor || field == names::field::kAgentId;  // of phases
    });
    return fields;
  }
  Status add(size_t span, const EventView& event) override {
    if (span >= tasks_.size()) tasks_.resize(span + 1);
    TaskHistory*& task = tasks_[span];
    if (task == nullptr) {
      if (!is_task_event(event.name)) return fold(histories_, *event.whole);
      task = &histories_.tasks[event.span_id];
      task->with_phases = false;
    }
    return fold(*task, event);
  }
  void forget(size_t span, const otlp::SpanId& id) override {
    if (span < tasks_.size() && tasks_[span] != nullptr) tasks_[span]->task = {};
    histories_.sprints.erase(id);
  }
  void prefetch(size_t span) const override {
    if (span >= tasks_.size() || tasks_[span] == nullptr) return;
    const Task& task = tasks_[span]->task;
    __builtin_prefetch(&task.status);
    __builtin_prefetch(&task.updated_ns);
    __builtin_prefetch(&task.claimed_by);
  }

 private:
  Histories& histories_;
  std::vector<TaskHistory*> tasks_;  // by number of the span
};

class InsightFold : public SpanFold {
 public:
  explicit InsightFold(std::map<otlp::SpanId, InsightHistory>& insights) : insights_(insights) {}
  bool wants(std::string_view name) const override { return is_insight_event(name); }
  Fields fields(std::string_view) const override { return std::nullopt; }
  Status add(size_t, const EventView& event) override { return fold(insights_[event.span_id], *event.whole); }
  void forget(size_t, const otlp::SpanId& id) override { insights_.erase(id); }

 private:
  std::map<otlp::SpanId, InsightHistory>& insights_;
};

}  // namespace

Result<Moment> moment_of(const Args& args, int64_t now_ns) {
  Moment moment;
  CC_ASSIGN(moment.as_of_ns, time_of(args, "as_of", now_ns));
  CC_ASSIGN(moment.known_at_ns, time_of(args, "known_at", now_ns));
  return moment;
}

EventFilter PastView::filter_of(const std::string& project) const {
  EventFilter filter;
  filter.project = project;
  filter.as_of_ns = moment_.as_of_ns.value_or(INT64_MAX);
  filter.known_at_ns = moment_.known_at_ns.value_or(INT64_MAX);
  return filter;
}

Result<std::unique_ptr<PastView>> PastView::make(const store::WorkView& present,
                                                 const store::Source& source, const Moment& moment,
                                                 const std::string& project) {
  std::unique_ptr<PastView> view(new PastView(present, source, moment));
  view->project_ = project;
  WorkFold all(view->histories_);
  CC_TRY(scan_events(source, view->filter_of(project), all));
  CC_TRY(view->fold_outside(project));
  view->settle();
  return view;
}

// A dependency may point to another project: its status counts, and `why` tells of it.
Status PastView::fold_outside(const std::string& project) {
  if (project.empty()) return {};
  std::set<otlp::SpanId> missing;
  for (const auto& [id, history] : histories_.tasks) {
    for (const TaskLink& link : history.task.links) {
      if (link.type == kLinkTypes[0] && !histories_.tasks.contains(link.span_id))
        missing.insert(link.span_id);
    }
  }
  // They are few: each is read by itself.
  for (const otlp::SpanId& id : missing) CC_TRY(fold_alone(id, outside_));
  return {};
}

// The events of a span, found by its id. A history without an event: there is nothing of it.
Result<TaskHistory> PastView::history_of(const otlp::SpanId& id) const {
  TaskHistory history;
  const WorkRow* row = present_.index().find(id);
  if (row == nullptr) return history;
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
  for (const Event& event : in_order) CC_TRY(fold(history, event));
  return history;
}

Status PastView::fold_alone(const otlp::SpanId& id, Histories& into) const {
  CC_ASSIGN(TaskHistory history, history_of(id));
  if (history.task.exists()) into.tasks[id] = std::move(history);
  return {};
}

void PastView::settle() {
  std::map<otlp::SpanId, WorkRow> outside;
  for (const auto& [id, history] : outside_.tasks) outside.emplace(id, row_of(history.task));
  derive(histories_, [&](const otlp::SpanId& id) -> const WorkRow* {
    const auto row = outside.find(id);
    return row == outside.end() ? nullptr : &row->second;
  });
}

const std::map<otlp::SpanId, InsightHistory>& PastView::insights() const {
  if (insights_folded_) return histories_.insights;
  insights_folded_ = true;
  InsightFold all(histories_.insights);
  status_ = scan_events(source_, filter_of(project_), all);
  std::erase_if(histories_.insights, [](const auto& one) { return !one.second.insight; });
  derive_insights(histories_);
  return histories_.insights;
}

const TaskHistory* PastView::history(const otlp::SpanId& id) const {
  const TaskHistory* history = histories_.tasks.find(id);
  return history != nullptr ? history : outside_.tasks.find(id);
}

const Task* PastView::task(const otlp::SpanId& id) const {
  const TaskHistory* known = history(id);
  return known == nullptr ? nullptr : &known->task;
}

Result<std::optional<store::JournalSpan>> PastView::span(const otlp::SpanId& id) const {
  if (const Task* known = task(id)) return std::optional(to_span(*known));
  if (const auto sprint = histories_.sprints.find(id); sprint != histories_.sprints.end())
    return std::optional(to_span(sprint->second));
  const auto insight = insights().find(id);
  if (insight == insights().end()) return std::optional<store::JournalSpan>();
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
  if (const auto known = rows_.find(id); known != rows_.end()) return &known->second;
  if (const Task* known = task(id)) return &rows_.emplace(id, past_row(*known)).first->second;
  if (const auto sprint = histories_.sprints.find(id); sprint != histories_.sprints.end())
    return &rows_.emplace(id, row_of(to_span(sprint->second))).first->second;
  const auto insight = insights().find(id);
  if (insight == insights().end()) return nullptr;
  return &rows_.emplace(id, row_of(*insight->second.insight)).first->second;
}

const std::vector<WorkRow>& PastView::phases(const otlp::SpanId& id, const TaskHistory& history) const {
  const auto [known, is_new] = phases_.try_emplace(id);
  std::vector<WorkRow>& rows = known->second;
  if (!is_new) return rows;
  const auto add = [&](const TaskHistory& with_phases) {
    for (const Phase& phase : with_phases.phases) rows.push_back(row_of(to_span(phase, history.task)));
  };
  if (history.with_phases) {
    add(history);
  } else if (const Result<TaskHistory> again = history_of(id); again.ok()) {
    add(*again);
  } else if (status_.ok()) {
    status_ = again.status();
  }
  return rows;
}

std::vector<const WorkRow*> PastView::found(const std::optional<Pairs>& pairs, const otlp::SpanId& id) const {
  std::vector<const WorkRow*> rows;
  auto at = std::lower_bound(pairs->begin(), pairs->end(), std::pair(id, otlp::SpanId()));
  for (; at != pairs->end() && at->first == id; ++at) rows.push_back(find(at->second));
  return rows;
}

std::vector<const WorkRow*> PastView::children(const otlp::SpanId& id) const {
  if (!by_parent_) {
    by_parent_.emplace();
    for (const auto& [child, history] : histories_.tasks) {
      if (!history.task.parent_span_id.empty()) by_parent_->emplace_back(history.task.parent_span_id, child);
    }
    for (const auto& [child, history] : insights()) {
      const otlp::SpanId& parent = history.insight->span.parent_span_id;
      if (!parent.empty()) by_parent_->emplace_back(parent, child);
    }
    std::sort(by_parent_->begin(), by_parent_->end());
  }
  std::vector<const WorkRow*> rows = found(by_parent_, id);
  if (const TaskHistory* task = history(id)) {
    for (const WorkRow& phase : phases(id, *task)) rows.push_back(&phase);
  }
  return rows;
}

std::vector<const WorkRow*> PastView::dependents(const otlp::SpanId& id) const {
  if (!by_dependency_) {
    by_dependency_.emplace();
    for (const auto& [dependent, history] : histories_.tasks) {
      for (const TaskLink& link : history.task.links) {
        if (link.type == kLinkTypes[0]) by_dependency_->emplace_back(link.span_id, dependent);
      }
    }
    std::sort(by_dependency_->begin(), by_dependency_->end());
  }
  return found(by_dependency_, id);
}

void PastView::scan(const std::function<bool(const WorkRow&)>& fn) const {
  std::vector<otlp::SpanId> ids;
  for (const auto& [id, history] : histories_.tasks) ids.push_back(id);
  for (const auto& [id, sprint] : histories_.sprints) ids.push_back(id);
  for (const auto& [id, history] : insights()) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (const otlp::SpanId& id : ids) {
    if (!fn(*find(id))) return;
  }
}

void PastView::scan_keys(const store::WorkFilter& filter,
                         const std::function<bool(const store::WorkKey&)>& fn) const {
  if (filter.accepts_kind(store::WorkKind::task)) {
    for (const auto& [id, history] : histories_.tasks) {
      const Task& task = history.task;
      if (!filter.accepts(store::WorkKind::task, task.end_ns)) continue;
      if (!filter.project.empty() && task.project != filter.project) continue;
      if (!fn(past_key(task))) return;
    }
  }
  const auto others = [&](const otlp::SpanId& id) {
    const store::WorkKey key = store::WorkKey::of(*find(id));
    return !filter.accepts(key) || fn(key);
  };
  if (filter.accepts_kind(store::WorkKind::sprint)) {
    for (const auto& [id, sprint] : histories_.sprints) {
      if (!others(id)) return;
    }
  }
  if (filter.accepts_kind(store::WorkKind::insight)) {
    for (const auto& [id, history] : insights()) {
      if (!others(id)) return;
    }
  }
}

size_t PastView::size() const { return histories_.tasks.size() + histories_.sprints.size() + insights().size(); }

}  // namespace contextcore::work
