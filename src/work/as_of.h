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
  // the children of their task only, not in scans. Keeps references to present.
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

 private:
  PastView(const store::WorkView& present, const Moment& moment)
      : present_(present), moment_(moment) {}

  const store::WorkRow* find(const otlp::SpanId& id) const override;
  std::vector<const store::WorkRow*> children(const otlp::SpanId& id) const override;
  std::vector<const store::WorkRow*> dependents(const otlp::SpanId& id) const override;
  void scan(const std::function<bool(const store::WorkRow&)>& fn) const override;
  size_t size() const override { return rows_.size(); }

  Status fold_outside(const EventFilter& filter);
  Status fold_alone(const otlp::SpanId& id, Histories& into) const;
  Status fold_children(const store::Source& source, const store::WorkRow& task);
  void settle();
  void make_rows();
  const TaskHistory* history(const otlp::SpanId& id) const;

  const store::WorkView& present_;
  Moment moment_;
  Histories histories_;
  Histories outside_;                 // tasks of other projects that edges point to
  std::vector<store::WorkRow> rows_;  // ascending span id; does not grow once it is made
  std::map<otlp::SpanId, store::WorkRow> outside_rows_;
  std::multimap<otlp::SpanId, const store::WorkRow*> by_parent_, by_dependency_;
  mutable std::map<otlp::SpanId, std::vector<store::WorkRow>> phases_;  // made when asked for
};

}  // namespace contextcore::work
