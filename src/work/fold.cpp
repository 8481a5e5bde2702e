#include <algorithm>
#include <map>

#include "work/derive.h"
#include "work/fold.h"
#include "work/fold_task.h"
#include "work/row.h"

namespace contextcore::work {
namespace {

using store::JournalSpan;

struct Rebuilt {
  std::map<otlp::SpanId, TaskHistory> tasks;
  std::map<otlp::SpanId, InsightHistory> insights;
};

Result<std::map<otlp::SpanId, std::vector<Event>>> read_events(const store::Source& source) {
  store::LogFetchRequest request;
  request.backward = false;
  request.journal_only = true;
  CC_ASSIGN(const std::unique_ptr<store::LogIterator> entries, source.fetch_logs(request));
  std::map<otlp::SpanId, std::vector<Event>> events;
  store::LogEntry entry;
  while (true) {
    CC_ASSIGN(const bool more, entries->next(entry));
    if (!more) break;
    CC_ASSIGN(Event event, event_from_entry(entry));
    events[event.span_id].push_back(std::move(event));
  }
  for (auto& [span, list] : events) {
    std::sort(list.begin(), list.end(), [](const Event& a, const Event& b) {
      return std::pair(a.revision, a.seq) < std::pair(b.revision, b.seq);
    });
  }
  return events;
}

Status fold_all(const std::map<otlp::SpanId, std::vector<Event>>& events, Rebuilt& out) {
  for (const auto& [span, list] : events) {
    for (const Event& event : list) {
      if (is_insight_event(event.name)) {
        CC_TRY(fold(out.insights[span], event));
      } else if (event.name.starts_with("task.") || event.name.starts_with("subtask.")) {
        CC_TRY(fold(out.tasks[span], event));
      } else {
        return Status(Error{Code::unsupported,
                            "event " + event.name + " is not known to this version",
                            "rebuild with the version that wrote it",
                            {},
                            {}});
      }
    }
  }
  return {};
}

// Counts and dependencies need the index rows of all tasks; those do not depend on derived values
// but for the row's own counts, so one pass suffices.
void derive_all(std::map<otlp::SpanId, TaskHistory>& tasks) {
  std::map<otlp::SpanId, store::WorkRow> rows;
  std::map<otlp::SpanId, std::vector<const store::WorkRow*>> children;
  for (const auto& [span, history] : tasks) {
    const auto& row = rows.emplace(span, row_of(history.task)).first->second;
    if (!row.parent_span_id.empty()) children[row.parent_span_id].push_back(&row);
  }
  const RowLookup find = [&](const otlp::SpanId& id) {
    const auto row = rows.find(id);
    return row == rows.end() ? nullptr : &row->second;
  };
  for (auto& [span, history] : tasks) derive_task(history.task, children[span], find);
}

}  // namespace

Result<std::vector<JournalSpan>> rebuild(const store::Source& source) {
  CC_ASSIGN(const auto events, read_events(source));
  Rebuilt rebuilt;
  CC_TRY(fold_all(events, rebuilt));
  derive_all(rebuilt.tasks);
  std::vector<JournalSpan> spans;
  for (const auto& [span, history] : rebuilt.tasks) {
    spans.push_back(to_span(history.task));
    for (const Phase& phase : history.phases) spans.push_back(to_span(phase, history.task));
  }
  for (auto& [span, history] : rebuilt.insights) {
    spans.push_back(std::move(*history.insight));
    for (JournalSpan& fact : history.facts) spans.push_back(std::move(fact));
  }
  return spans;
}

}  // namespace contextcore::work
