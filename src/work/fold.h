#pragma once
// The event log is the truth, the span is its fold.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/fetch.h"
#include "store/journal.h"
#include "work/fold_task.h"
#include "work/sprint.h"

namespace contextcore::work {

// Which events of the log.
struct EventFilter {
  std::string project;               // "" = all
  int64_t from_ns = INT64_MIN;       // time ≥ from
  int64_t as_of_ns = INT64_MAX;      // time ≤ as of
  int64_t known_at_ns = INT64_MAX;   // observed time ≤ known at
  std::vector<std::string> holding;  // text that a line must hold (prunes; a superset comes)
  std::function<bool(const otlp::SpanId&)> wanted;  // empty: every span's
  size_t enough = SIZE_MAX;  // stops after the instant with which there are so many
};

// The journal's events in order of time; those of one span in order of revision and ordinal.
Status read_events(const store::Source& source, const EventFilter& filter,
                   const std::function<Status(Event&)>& fn);

// What folding gives, before what derives from other tasks.
struct Histories {
  std::map<otlp::SpanId, TaskHistory> tasks;
  std::map<otlp::SpanId, InsightHistory> insights;
  std::map<otlp::SpanId, Sprint> sprints;
};
bool is_task_event(std::string_view event_name);
// Errors (unsupported): an event of a later version.
Status fold(Histories& histories, const Event& event);
// Counts, open children and waiting_on of every open task. outside: tasks that are not among the
// histories (nullptr where there is no such task either).
void derive(Histories& histories,
            const std::function<const store::WorkRow*(const otlp::SpanId&)>& outside);
// The spans they are. REQUIRES: every history has its first event.
std::vector<store::JournalSpan> spans_of(const Histories& histories);

// Where the traces that tasks have left lead to: from the trace that a task had as a root to the
// one it is in now. `seen`: the traces of the events that were folded (nobody knows of another).
using Forwards = std::vector<std::pair<otlp::TraceId, otlp::TraceId>>;
Forwards forwards_of(const Histories& histories, const std::set<otlp::TraceId>& seen);

// Every span of the journal (tasks, phases, insights, ...) and every forward from its log lines
// alone: what `contextcore rebuild` writes and what `verify` compares.
struct Rebuilt {
  std::vector<store::JournalSpan> spans;
  Forwards forwards;
};
Result<Rebuilt> rebuild(const store::Source& source);

}  // namespace contextcore::work
