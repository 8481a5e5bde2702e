#pragma once
// Questions that have a file of their own.

#include "store/fetch.h"
#include "work/args.h"
#include "work/as_of.h"
#include "work/command.h"
#include "work/event.h"
#include "work/task.h"
#include "work/view_json.h"

namespace contextcore::work {

// What a question looks at. view is of the moment asked for; source is of now.
struct Reading {
  const store::WorkView& view;
  const store::Source& source;
  Moment moment;
  TaskMembers shown = {};  // of the items of lists; more may come
};

// Tasks of a view, one at a time.
class TaskReader {
 public:
  explicit TaskReader(const store::WorkView& view)
      : view_(view), past_(dynamic_cast<const PastView*>(&view)) {}
  // Borrowed until the next one is read. id: for the message of an error.
  Result<const Task*> read(const otlp::SpanId& span, std::string_view id);

 private:
  const store::WorkView& view_;
  const PastView* past_;  // which has them
  Task read_;
};

Result<Json> ask_why(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_history(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_diff(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_list(const Reading& reading, const Question& question, const Args& args);
// Appends the members of its answer as text: long lists are not made as a tree first.
Status write_list(const Reading& reading, const Question& question, const Args& args, std::string& out);
Result<Json> ask_blocked(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_overdue(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_stale(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_overview(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_tree(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_search(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_workload(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_critical_path(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_export(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_foreign(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_sprints(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_insights(const Reading& reading, const Question& question, const Args& args);
Result<Json> ask_insight(const Reading& reading, const Question& question, const Args& args);

Result<size_t> limit_of(const Args& args);  // 50 when not given
Result<Task> read_task(const store::WorkView& view, const store::WorkRow& row);
// {"items": […], "total": n}
Result<Json> task_page(const store::WorkView& view, const std::vector<const store::WorkRow*>& rows,
                       int64_t total);

// One event in words, without who and when: "in_progress → done after 3h 5m".
std::string event_text(const Event& event);

}  // namespace contextcore::work
