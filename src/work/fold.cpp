#include "work/fold.h"

#include <algorithm>

#include "base/sort.h"
#include "work/derive.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/row.h"

namespace contextcore::work {
namespace {

using store::JournalSpan;

std::string_view pick(const store::LabelPairs* pairs, std::string_view name) {
  if (!pairs) return {};
  for (const auto& [key, value] : *pairs) {
    if (key == name) return value;
  }
  return {};
}

store::LogFetchRequest request_of(const EventFilter& filter) {
  store::LogFetchRequest request;
  request.backward = false;
  request.journal_only = true;
  request.start_ns = filter.from_ns;
  if (filter.as_of_ns != INT64_MAX) request.end_ns = filter.as_of_ns + 1;
  request.line_contains = filter.holding;
  if (!filter.project.empty()) {
    request.stream_filter = [project = filter.project](const store::LabelPairs& stream) {
      return pick(&stream, "project_id") == project;
    };
  }
  return request;
}

bool is_wanted(const EventFilter& filter, const store::LogEntry& entry) {
  if (!filter.project.empty() && pick(entry.stream, "project_id") != filter.project) return false;
  if (!filter.wanted) return true;
  otlp::SpanId span;
  return !otlp::parse_hex(pick(entry.metadata, "span_id"), span) || filter.wanted(span);
}

// Events of one instant come as the log has them: hands them on in order of revision.
Status hand_on(std::vector<Event>& instant, const std::function<Status(Event&)>& fn) {
  sort_stably(instant, [](const Event& a, const Event& b) {
    return std::tie(a.span_id, a.revision, a.seq) < std::tie(b.span_id, b.revision, b.seq);
  });
  for (Event& event : instant) CC_TRY(fn(event));
  instant.clear();
  return {};
}

}  // namespace

Status read_events(const store::Source& source, const EventFilter& filter,
                   const std::function<Status(Event&)>& fn) {
  CC_ASSIGN(const std::unique_ptr<store::LogIterator> entries,
            source.fetch_logs(request_of(filter)));
  std::vector<Event> instant;
  size_t seen = 0;
  store::LogEntry entry;
  while (true) {
    CC_ASSIGN(const bool more, entries->next(entry));
    if (!more) break;
    if (entry.time_ns < filter.from_ns || entry.time_ns > filter.as_of_ns) continue;
    if (!is_wanted(filter, entry)) continue;
    CC_ASSIGN(Event event, event_from_entry(entry));
    if (event.observed_ns > filter.known_at_ns) continue;
    if (!instant.empty() && instant.front().time_ns != event.time_ns) {
      if (seen >= filter.enough) break;
      CC_TRY(hand_on(instant, fn));
    }
    instant.push_back(std::move(event));
    seen++;
  }
  return hand_on(instant, fn);
}

bool is_task_event(std::string_view name) {
  return name.starts_with("task.") || name.starts_with("subtask.") || name == names::event::kCommitLinked;
}

Status fold(Histories& histories, const Event& event) {
  if (is_insight_event(event.name)) return fold(histories.insights[event.span_id], event);
  if (is_sprint_event(event.name)) return fold(histories.sprints[event.span_id], event);
  if (is_task_event(event.name)) return fold(histories.tasks[event.span_id], event);
  return Status(Error{Code::unsupported,
                      "event " + event.name + " is not known to this version",
                      "use the version that wrote it",
                      {},
                      {}});
}

namespace {

using OutsideRow = std::function<const store::WorkRow*(const otlp::SpanId&)>;

// A task lives in the trace of its root ancestor, wherever it was when its events were written.
void derive_traces(TaskHistories& tasks, const OutsideRow& outside) {
  std::vector<otlp::TraceId> known(tasks.size());
  std::vector<uint32_t> path;
  const uint32_t size = static_cast<uint32_t>(tasks.size());
  for (uint32_t start = 0; start < size; ++start) {
    otlp::TraceId trace;
    path.clear();
    for (std::optional<uint32_t> at = start; trace.empty();) {
      const Task& task = tasks[*at].history.task;
      if (!known[*at].empty()) {
        trace = known[*at];
      } else if (path.size() > size) {  // a ring
        trace = task.trace_id;
      } else if (path.push_back(*at); task.parent_span_id.empty()) {
        trace = trace_id("task", task.project, task.id);
      } else if (const auto parent = tasks.number(task.parent_span_id)) {
        at = parent;
      } else {
        const store::WorkRow* row = outside ? outside(task.parent_span_id) : nullptr;
        trace = row ? row->trace_id : tasks[start].history.task.trace_id;
      }
    }
    for (const uint32_t step : path) known[step] = trace;
  }
  for (uint32_t number = 0; number < size; ++number) tasks[number].history.task.trace_id = known[number];
}

void derive_sprints(Histories& histories) {
  using Name = std::pair<std::string_view, std::string_view>;  // project, id
  std::map<Name, Sprint*> open;
  for (auto& [span, sprint] : histories.sprints) {
    if (sprint.ended()) continue;
    sprint.planned_points = sprint.completed_points = 0;
    open.emplace(Name(sprint.project, sprint.id), &sprint);
  }
  if (open.empty()) return;
  for (const auto& [span, history] : histories.tasks) {
    if (history.task.sprint_id.empty()) continue;
    const auto sprint = open.find(Name(history.task.project, history.task.sprint_id));
    if (sprint == open.end()) continue;
    const SprintPoints points = sprint_points(history.task);
    sprint->second->planned_points += points.planned;
    sprint->second->completed_points += points.completed;
  }
}

}  // namespace

void derive(Histories& histories, const OutsideRow& outside) {
  TaskHistories& tasks = histories.tasks;
  std::vector<store::WorkTally> children(tasks.size());
  for (const auto& [span, history] : tasks) {
    if (history.task.parent_span_id.empty()) continue;
    if (const auto parent = tasks.number(history.task.parent_span_id)) children[*parent] += tally_of(history.task);
  }
  const auto is_satisfied = [&](const TaskLink& link) {
    if (const TaskHistory* target = tasks.find(link.span_id)) return satisfies(target->task, link.when);
    const store::WorkRow* row = outside ? outside(link.span_id) : nullptr;
    return row != nullptr && satisfies(*row, link.when);
  };
  uint32_t number = 0;
  for (auto& [span, history] : tasks) derive_task(history.task, children[number++], is_satisfied);
  derive_traces(tasks, outside);
  derive_insights(histories);
  derive_sprints(histories);
}

void derive_insights(Histories& histories) {
  for (auto& [span, history] : histories.insights) {
    if (!history.insight) continue;
    const TaskHistory* task = histories.tasks.find(history.insight->span.parent_span_id);
    if (task == nullptr) continue;
    history.insight->span.trace_id = task->task.trace_id;
    for (JournalSpan& fact : history.facts) fact.span.trace_id = task->task.trace_id;
  }
}

std::vector<JournalSpan> spans_of(const Histories& histories) {
  std::vector<const TaskHistories::Node*> tasks;
  for (const TaskHistories::Node& node : histories.tasks) tasks.push_back(&node);
  std::sort(tasks.begin(), tasks.end(), [](const auto* a, const auto* b) { return a->span < b->span; });
  std::vector<JournalSpan> spans;
  for (const TaskHistories::Node* node : tasks) {
    const TaskHistory& history = node->history;
    spans.push_back(to_span(history.task));
    for (const Phase& phase : history.phases) spans.push_back(to_span(phase, history.task));
  }
  for (const auto& [span, sprint] : histories.sprints) spans.push_back(to_span(sprint));
  for (const auto& [span, history] : histories.insights) {
    spans.push_back(*history.insight);
    spans.insert(spans.end(), history.facts.begin(), history.facts.end());
  }
  return spans;
}

Forwards forwards_of(const Histories& histories, const std::set<otlp::TraceId>& seen) {
  Forwards forwards;
  for (const auto& [span, history] : histories.tasks) {
    const Task& task = history.task;
    if (task.parent_span_id.empty()) continue;
    const otlp::TraceId own = trace_id("task", task.project, task.id);
    if (own != task.trace_id && seen.contains(own)) forwards.emplace_back(own, task.trace_id);
  }
  std::sort(forwards.begin(), forwards.end());
  return forwards;
}

Result<Rebuilt> rebuild(const store::Source& source) {
  Histories histories;
  std::set<otlp::TraceId> seen;
  CC_TRY(read_events(source, {}, [&](Event& event) {
    seen.insert(event.trace_id);
    return fold(histories, event);
  }));
  derive(histories, {});
  return Rebuilt{spans_of(histories), forwards_of(histories, seen)};
}

}  // namespace contextcore::work
