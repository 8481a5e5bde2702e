#pragma once
// Which tasks a question is about, and the TraceQL that finds the same ones. The query uses the
// original grammar only; what it cannot tell is named beside it.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/journal.h"
#include "work/args.h"
#include "work/command.h"
#include "work/status.h"
#include "work/task.h"

namespace re2 {
class RE2;
}

namespace contextcore::work {

// from ≤ time < to.
struct TimeRange {
  std::optional<int64_t> from_ns, to_ns;
  bool unbounded() const { return !from_ns && !to_ns; }
  bool holds(int64_t time_ns) const {
    return (!from_ns || time_ns >= *from_ns) && (!to_ns || time_ns < *to_ns);
  }
};

// Text that is looked for without regard to case.
class TextPattern {
 public:
  TextPattern() = default;
  explicit TextPattern(std::string_view text);
  bool empty() const { return !compiled_; }
  bool occurs_in(std::string_view text) const;
  // Where it first occurs; npos: nowhere.
  size_t find_in(std::string_view text) const;
  // As an anchored regular expression.
  const std::string& anchored() const { return anchored_; }

 private:
  std::string anchored_;
  std::shared_ptr<const re2::RE2> compiled_;
};

// The rows of keys, in their order.
std::vector<const store::WorkRow*> rows_of(const store::WorkView& view, std::span<const store::WorkKey> keys);

struct TaskFilter {
  std::string project;                          // "" = all
  std::vector<std::string> statuses;            // names
  std::vector<std::string> categories;          // not_started active ended
  std::vector<std::string> own_statuses;        // names in use of the project's own
  std::vector<std::string> types, priorities;   // one of each
  std::vector<std::string> labels;              // all of them
  std::optional<std::string> assignee, sprint;  // "" = none
  std::optional<TaskStatus> like;               // this status, or an own one that behaves like it
  std::string mine;                             // assigned to or claimed by
  const store::WorkRow* parent = nullptr;       // its children
  const store::WorkRow* subtree = nullptr;      // everything below it
  TextPattern text;                             // in the title or the description
  std::optional<bool> open;
  bool deleted = false;  // the deleted ones instead of the others
  TimeRange created, updated, ended, due;

  bool accepts(const store::WorkView& view, const store::WorkKey& row) const;
  // What the index does not know. REQUIRES: accepts() said yes.
  bool accepts_text(const Task& task) const;
  bool needs_span() const { return !labels.empty() || !text.empty(); }
  // What passes, in no order. Of keys no span is read unless needs_span().
  Status for_each_key(const store::WorkView& view, const std::function<void(const store::WorkKey&)>& fn) const;
  Result<std::vector<store::WorkKey>> find_keys(const store::WorkView& view) const;
  Result<std::vector<const store::WorkRow*>> find(const store::WorkView& view) const;

  std::string traceql() const;
  std::vector<std::string> not_in_traceql() const;
};

// Fields: status type assignee label priority sprint project all_projects parent subtree text mine
// open deleted, and created_from created_to (updated_ ended_ due_ likewise).
Result<TaskFilter> task_filter(const store::WorkView& view, const Question& question,
                               const Args& args);

// `type`: built-in types, those of the project's own and those in use.
Result<std::vector<std::string>> types_of(const store::WorkView& view, const Args& args,
                                          std::span<const std::string_view> own);

// "…" with the escapes of TraceQL.
std::string traceql_string(std::string_view text);

}  // namespace contextcore::work
