#pragma once
// A plan in the making: the tasks that a command touches, over the view it is planned against.
// Commands emit events; every event is folded at once, settle() then brings what depends on it up
// to date (ancestors, dependents), and finish() gives the events and the spans that changed.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "work/execute.h"
#include "work/fold_task.h"
#include "work/row.h"
#include "work/sprint.h"

namespace contextcore::work {

// A task in a plan.
struct Entry {
  TaskHistory history;
  std::optional<store::JournalSpan> before;        // as the view has it; nullopt: made by this plan
  std::optional<store::JournalSpan> phase_before;  // the current phase, as the view has it
  store::WorkRow row_before;                       // of `before`
  int64_t token_before = 0;
  int64_t lease_end_ns = 0;  // of the claim in `before`, heartbeats included
  int32_t heartbeats = 0;    // of that claim
  bool raised = false;       // this plan has given it a new revision
  bool log_only = false;     // it was ended before: its events touch no span
  int64_t log_only_seq = 0;
  store::WorkRow row;  // of the state as it is now

  const Task& task() const { return history.task; }
  bool has_live_claim(int64_t now_ns) const { return work::has_live_claim(row, now_ns); }
};

struct InsightEntry {
  InsightHistory history;
  bool existed = false;
  int64_t revision = 0;  // that this plan makes
  int64_t seq = 0;
};

struct SprintEntry {
  Sprint sprint;
  std::optional<store::JournalSpan> before;
  bool raised = false;
};

class Transaction {
 public:
  Transaction(const store::WorkView& view, const Command& command, const Settings& settings);

  const store::WorkView& view() const { return view_; }
  const Command& command() const { return command_; }
  const Settings& settings() const { return settings_; }
  int64_t now_ns() const { return now_ns_; }
  int64_t time_ns() const { return time_ns_; }  // given, else now
  // When a lease has to live for a command to count on it: at the given time, but a time in the
  // future ends nobody's lease.
  int64_t lease_now_ns() const { return time_ns_ < now_ns_ ? time_ns_ : now_ns_; }

  // The task that the command is about: checks the expected revision and the given time.
  Result<Entry*> subject(std::string_view id, bool as_typed);
  // Any task of the view, for derived changes.
  Result<Entry*> load(const otlp::SpanId& id);
  // The deleted task that the command is about.
  Result<Entry*> deleted_subject(std::string_view id);
  // An ended task is about to change: from here on its events touch the span again.
  Status thaw(Entry& entry);
  // Puts a task and everything below it (tasks, phases, insights) into another trace.
  Status move_trace(Entry& entry, const otlp::TraceId& to);
  // A task to be: emit task.created on it.
  Entry& make(std::string_view project, std::string_view id, const otlp::TraceId& trace_id);

  // An event of the command: raises the revision once. A lease that is over is released first.
  Status emit(Entry& entry, std::string_view name, Line line, std::string_view trigger = {});
  // An event that follows from another task's change: keeps the revision.
  Status emit_derived(Entry& entry, std::string_view name, Line line);
  // REQUIRES: the insight's span id and trace id are known.
  Status emit(InsightEntry& entry, const otlp::TraceId& trace_id, const otlp::SpanId& span_id,
              std::string_view name, Line line, std::string_view task_id = {});

  // nullptr: there is no such sprint.
  Result<SprintEntry*> find_sprint(std::string_view project, std::string_view id);
  SprintEntry& make_sprint(std::string_view project, std::string_view id);
  Status emit(SprintEntry& entry, std::string_view name, Line line);

  // The built-in types and the project's own.
  std::vector<std::string_view> type_names() const;
  std::vector<std::string_view> status_names() const;

  // State as this plan leaves it so far. Rows of tasks only, deleted ones too.
  const store::WorkRow* row(const otlp::SpanId& id) const;
  std::vector<const store::WorkRow*> children(const otlp::SpanId& id) const;
  store::WorkTally tally(const otlp::SpanId& id) const;  // sums over them
  std::vector<const store::WorkRow*> dependents(const otlp::SpanId& id) const;
  // Sets derived fields of a task after a change that no event tells (counts, waiting_on).
  void refresh(Entry& entry) const;
  Task& mutable_task(Entry& entry) { return entry.history.task; }

  void renew_lease(Entry& entry, int64_t lease_end_ns);
  void warn(std::string text) { warnings_.push_back(std::move(text)); }
  const std::vector<std::string>& warnings() const { return warnings_; }
  InsightEntry& keep(std::unique_ptr<InsightEntry> entry);
  std::vector<Entry*> touched() const { return order_; }  // in the order they were loaded

  // The time an event on this task gets.
  int64_t event_time(const Entry& entry) const;
  store::WorkTransaction finish();

 private:
  Status append(Event event, const Task* about);
  Status check_time(const Entry& entry) const;
  Event prepare(const Entry& entry, std::string_view name, Line line,
                std::string_view trigger) const;
  Status load_current_phase(Entry& entry) const;
  void collect(const Entry& entry, store::WorkTransaction& out) const;
  void collect_moved(store::WorkTransaction& out) const;

  const store::WorkView& view_;
  const Command& command_;
  const Settings& settings_;
  int64_t now_ns_;
  int64_t time_ns_;
  std::map<otlp::SpanId, std::unique_ptr<Entry>> entries_;
  std::vector<Entry*> order_;
  std::vector<std::unique_ptr<InsightEntry>> insights_;
  std::vector<store::JournalEvent> events_;
  std::map<otlp::SpanId, std::unique_ptr<SprintEntry>> sprints_;
  std::map<otlp::SpanId, store::JournalSpan> moved_;  // into another trace, otherwise as before
  std::vector<std::pair<otlp::TraceId, otlp::TraceId>> forwards_;
  std::vector<store::LeaseRenewal> leases_;
  std::vector<std::string> warnings_;
};

// Brings ancestors, dependents and sprints of everything touched so far up to date (data model:
// derived values).
Status settle(Transaction& transaction);
Status settle_sprints(Transaction& transaction);
// Counts, open children and waiting_on of one open task, from its children and links.
void derive(Transaction& transaction, Entry& entry);

}  // namespace contextcore::work
