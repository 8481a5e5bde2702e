#pragma once
// The journal as it was: every question is asked of a view, and this is the view of an earlier
// moment, folded from the log. What was known then is what had been written then.
//
// Leases leave no trace in the log: the holder is shown from the claim to its release.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/fetch.h"
#include "store/journal.h"
#include "work/args.h"
#include "work/fold.h"

namespace contextcore::work {

// as of T: events with time ≤ T; known at T: events that had been written by T.
struct Moment {
  std::optional<int64_t> as_of_ns, known_at_ns;

  bool past() const { return as_of_ns || known_at_ns; }
  int64_t now_ns() const { return as_of_ns ? *as_of_ns : *known_at_ns; }  // REQUIRES: past()
  bool holds(int64_t time_ns, int64_t observed_ns) const {
    return time_ns <= as_of_ns.value_or(INT64_MAX) &&
           observed_ns <= known_at_ns.value_or(INT64_MAX);
  }
};
// Fields as_of and known_at, as people write times. Errors: a time to come.
Result<Moment> moment_of(const Args& args, int64_t now_ns);

class PastView final : public store::WorkView, private store::WorkIndexView {
 public:
  // The whole of one project ("" = all), and what its tasks depend on in others. Phases are among
  // the children of their task only, not in scans. Keeps references to present and source.
  static Result<std::unique_ptr<PastView>> make(const store::WorkView& present,
                                                const store::Source& source, const Moment& moment,
                                                const std::string& project);

  // One task of it, and what that task's fields depend on: its ancestors, children and dependencies. Other tasks are
  // missing, or incomplete. Null: there was no such task then.
  static Result<std::unique_ptr<PastView>> make_of_task(const store::WorkView& present, const store::Source& source,
                                                        const Moment& moment, const store::WorkRow& task);

  int64_t now_ns() const override { return moment_.now_ns(); }
  const store::WorkIndexView& index() const override { return *this; }
  Result<std::optional<store::JournalSpan>> span(const otlp::SpanId& id) const override;
  Result<std::vector<otlp::LogRecord>> events(const otlp::SpanId& id) const override;
  // What span(id) is the span form of; nullptr: it is no task.
  const Task* task(const otlp::SpanId& id) const;

 private:
  PastView(const store::WorkView& present, const store::Source& source, const Moment& moment)
      : present_(present), source_(source), moment_(moment) {}

  const store::WorkRow* find(const otlp::SpanId& id) const override;
  std::vector<const store::WorkRow*> children(const otlp::SpanId& id) const override;
  std::vector<const store::WorkRow*> dependents(const otlp::SpanId& id) const override;
  void scan(const std::function<bool(const store::WorkRow&)>& fn) const override;
  void scan_keys(const store::WorkFilter& filter,
                 const std::function<bool(const store::WorkKey&)>& fn) const override;
  size_t size() const override;
  Status status() const override { return status_; }

  EventFilter filter_of(const std::string& project) const;
  Status fold_outside(const std::string& project);
  Result<TaskHistory> history_of(const otlp::SpanId& id) const;
  Status fold_alone(const otlp::SpanId& id, Histories& into) const;
  Status fold_children(const store::WorkRow& task);
  void settle();
  const std::map<otlp::SpanId, InsightHistory>& insights() const;
  const std::vector<store::WorkRow>& phases(const otlp::SpanId& id, const TaskHistory& history) const;
  const TaskHistory* history(const otlp::SpanId& id) const;

  // What points from one row to another, by the one it points to; ascending.
  using Pairs = std::vector<std::pair<otlp::SpanId, otlp::SpanId>>;
  std::vector<const store::WorkRow*> found(const std::optional<Pairs>& pairs, const otlp::SpanId& id) const;

  const store::WorkView& present_;
  const store::Source& source_;
  Moment moment_;
  std::string project_;  // of the insights
  // Of tasks and sprints. Most questions ask for nothing else, so the rest is made when it is asked for.
  mutable Histories histories_;
  mutable bool insights_folded_ = false;
  Histories outside_;  // tasks of other projects that edges point to
  mutable std::unordered_map<otlp::SpanId, store::WorkRow, SpanIdHash> rows_;
  mutable std::optional<Pairs> by_parent_, by_dependency_;
  mutable std::map<otlp::SpanId, std::vector<store::WorkRow>> phases_;
  mutable Status status_;  // of what could not be made
};

}  // namespace contextcore::work
