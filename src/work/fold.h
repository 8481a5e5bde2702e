#pragma once
// The event log is the truth, the span is its fold.

#include <cstdint>
#include <deque>
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
#include "work/span_numbers.h"
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

// Histories of tasks by span, in the order in which they came. Those that are there stay where they are.
class TaskHistories {
 public:
  struct Node {
    otlp::SpanId span;
    TaskHistory history;
  };
  // Makes one where there is none.
  TaskHistory& operator[](const otlp::SpanId& span) {
    const uint32_t number = numbers_.number_of(span);
    if (number == nodes_.size()) nodes_.push_back({span, {}});
    return nodes_[number].history;
  }
  // nullptr: there is none.
  const TaskHistory* find(const otlp::SpanId& span) const {
    const auto number = numbers_.find(span);
    return number ? &nodes_[*number].history : nullptr;
  }
  // The place of the span in the order, below size().
  std::optional<uint32_t> number(const otlp::SpanId& span) const { return numbers_.find(span); }
  Node& operator[](uint32_t number) { return nodes_[number]; }
  bool contains(const otlp::SpanId& span) const { return numbers_.find(span).has_value(); }
  size_t size() const { return nodes_.size(); }
  auto begin() { return nodes_.begin(); }
  auto end() { return nodes_.end(); }
  auto begin() const { return nodes_.begin(); }
  auto end() const { return nodes_.end(); }

 private:
  SpanNumbers numbers_;
  std::deque<Node> nodes_;
};

// What folding gives, before what derives from other tasks.
struct Histories {
  TaskHistories tasks;
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
// The last part of it: insights are in the traces of their tasks.
void derive_insights(Histories& histories);
// The spans they are, each kind in order of ids. REQUIRES: every history has its first event.
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
