#include "work/fold.h"

#include <algorithm>
#include <unordered_map>

#include "base/sort.h"
#include "work/derive.h"
#include "work/event_scan.h"
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

using RowsBySpan = std::unordered_map<otlp::SpanId, store::WorkRow, SpanIdHash>;

// A task lives in the trace of its root ancestor, wherever it was when its events were written; its
// insights live with it.
void derive_traces(Histories& histories, const RowLookup& row) {
  std::unordered_map<otlp::SpanId, otlp::TraceId, SpanIdHash> known;
  for (auto& [span, history] : histories.tasks) {
    std::vector<otlp::SpanId> path;
    otlp::TraceId trace;
    for (otlp::SpanId at = span; trace.empty();) {
      const auto task = histories.tasks.find(at);
      const bool cycle = path.size() > histories.tasks.size();
      if (const auto done = known.find(at); done != known.end()) {
        trace = done->second;
      } else if (task == histories.tasks.end() || cycle) {
        const store::WorkRow* outside = row(at);
        trace = outside ? outside->trace_id : history.task.trace_id;
      } else if (path.push_back(at); task->second.task.parent_span_id.empty()) {
        trace = trace_id("task", task->second.task.project, task->second.task.id);
      } else {
        at = task->second.task.parent_span_id;
      }
    }
    for (const otlp::SpanId& step : path) known[step] = trace;
    history.task.trace_id = trace;
  }
  for (auto& [span, history] : histories.insights) {
    if (!history.insight) continue;
    const auto task = known.find(history.insight->span.parent_span_id);
    if (task == known.end()) continue;
    history.insight->span.trace_id = task->second;
    for (JournalSpan& fact : history.facts) fact.span.trace_id = task->second;
  }
}

void derive_sprints(Histories& histories, const RowsBySpan& rows) {
  for (auto& [span, sprint] : histories.sprints) {
    if (!sprint.ended()) sprint.planned_points = sprint.completed_points = 0;
  }
  for (const auto& [span, row] : rows) {
    if (row.sprint.empty()) continue;
    const auto sprint = histories.sprints.find(span_id("sprint", row.project, row.sprint));
    if (sprint == histories.sprints.end() || sprint->second.ended()) continue;
    const SprintPoints points = sprint_points(row);
    sprint->second.planned_points += points.planned;
    sprint->second.completed_points += points.completed;
  }
}

}  // namespace

// Derived values need the index rows of all tasks; those do not depend on derived values but for
// the row's own counts, so one pass suffices.
void derive(Histories& histories,
            const std::function<const store::WorkRow*(const otlp::SpanId&)>& outside) {
  RowsBySpan rows;
  std::unordered_map<otlp::SpanId, store::WorkTally, SpanIdHash> children;
  rows.reserve(histories.tasks.size());
  for (const auto& [span, history] : histories.tasks) {
    const auto& row = rows.emplace(span, row_of(history.task)).first->second;
    if (!row.parent_span_id.empty()) children[row.parent_span_id] += tally_of(row);
  }
  const RowLookup find = [&](const otlp::SpanId& id) {
    const auto row = rows.find(id);
    if (row != rows.end()) return static_cast<const store::WorkRow*>(&row->second);
    return outside ? outside(id) : nullptr;
  };
  const store::WorkTally none;
  for (auto& [span, history] : histories.tasks) {
    const auto tally = children.find(span);
    derive_task(history.task, tally == children.end() ? none : tally->second, find);
  }
  derive_traces(histories, find);
  derive_sprints(histories, rows);
}

std::vector<JournalSpan> spans_of(const Histories& histories) {
  std::vector<JournalSpan> spans;
  for (const auto& [span, history] : histories.tasks) {
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
