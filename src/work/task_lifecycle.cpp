// Changes that move a task to another place or another life: parent, reopening, deletion.

#include "base/time.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/read.h"
#include "work/task_changes.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

Error ended_parent(const Task& task, const store::WorkRow& parent) {
  return Error{Code::failed_precondition,
               "the parent " + parent.id + " of task " + task.id + " ended as " +
                   std::string(status_name(row_status(parent))),
               "reopen " + parent.id + " first (task reopen), or move the task to another parent",
               {},
               {}};
}

// The parent may take an open child.
Status check_parent(const Transaction& transaction, const Task& task) {
  if (task.parent_span_id.empty()) return {};
  const store::WorkRow* parent = transaction.row(task.parent_span_id);
  if (!parent) return {};
  if (is_deleted(*parent)) {
    return Status(Error{Code::failed_precondition,
                        "the parent " + parent->id + " of task " + task.id + " is deleted",
                        "undelete " + parent->id + " first (task undelete)",
                        {},
                        {}});
  }
  if (is_ended(row_status(*parent))) return Status(ended_parent(task, *parent));
  return {};
}

Result<const store::WorkRow*> find_parent(const Transaction& transaction, const Task& task,
                                          const std::string& parent_id) {
  auto parent = find_task(transaction.view(), task.project, parent_id);
  if (!parent.ok()) {
    Error error = std::move(parent).error();
    error.message = "parent: " + error.message;
    return error;
  }
  if (is_ended(row_status(**parent))) return ended_parent(task, **parent);
  std::string chain = task.id;
  for (const store::WorkRow* at = *parent; at; at = transaction.row(at->parent_span_id)) {
    chain += " → " + at->id;
    if (at->span_id == task.span_id) {
      return Error{Code::invalid_argument,
                   "a cycle: " + chain,
                   "a task cannot be moved below itself",
                   {},
                   {}};
    }
    if (at->parent_span_id.empty()) break;
  }
  return *parent;
}

// The progress before completion set it to 100: a reopened leaf goes on from there.
Result<int64_t> percent_before_end(const Transaction& transaction, const Task& task) {
  CC_ASSIGN(const auto records, transaction.view().events(task.span_id));
  int64_t percent = 0;
  for (const otlp::LogRecord& record : records) {
    if (record.event_name != ev::kTaskProgressUpdated) continue;
    CC_ASSIGN(const Event event, event_from_record(record, nullptr));
    if (event.text(field::kSource) != "completion")
      percent = event.integer(field::kPercentComplete);
  }
  return percent;
}

std::vector<otlp::SpanId> children_of(const Transaction& transaction, const Task& task,
                                      bool deleted) {
  std::vector<otlp::SpanId> result;
  for (const store::WorkRow* row : transaction.view().index().children(task.span_id)) {
    const bool wanted = deleted ? is_deleted(*row) : is_task(*row);
    if (wanted) result.push_back(row->span_id);
  }
  return result;
}

}  // namespace

Result<bool> set_parent(Transaction& transaction, Entry& entry, const std::string& parent_id) {
  const Task& task = entry.task();
  if (task.parent_id == parent_id) return false;
  otlp::TraceId trace = trace_id("task", task.project, task.id);
  if (!parent_id.empty()) {
    CC_ASSIGN(const store::WorkRow* parent, find_parent(transaction, task, parent_id));
    trace = parent->trace_id;
  }
  const std::string from = task.parent_id;
  CC_TRY(transaction.move_trace(entry, trace));
  CC_TRY(transaction.emit(
      entry, ev::kTaskEdited,
      Line().text(field::kField, "parent").text(field::kFrom, from).text(field::kTo, parent_id)));
  return true;
}

Status reopen(Transaction& transaction, Entry& entry, const StatusName& to,
              std::string_view reason) {
  const Task& task = entry.task();
  CC_TRY(check_parent(transaction, task));
  CC_TRY(transaction.thaw(entry));
  const std::string from(task.status_text());
  const bool was_done = task.status == TaskStatus::done;
  const int64_t ended_ns = transaction.event_time(entry) - task.end_ns;
  CC_TRY(transaction.emit(entry, ev::kTaskReopened,
                          Line()
                              .text(field::kReason, reason)
                              .text(field::kToStatus, to.own.empty() ? status_name(to.base)
                                                                     : std::string_view(to.own))));
  CC_TRY(transaction.emit(entry, ev::kTaskStatusChanged, status_line(from, to, ended_ns)));
  if (!was_done || !transaction.children(task.span_id).empty()) return {};
  CC_ASSIGN(const int64_t percent, percent_before_end(transaction, task));
  if (percent == task.percent) return {};
  return transaction.emit(
      entry, ev::kTaskProgressUpdated,
      Line().integer(field::kPercentComplete, percent).text(field::kSource, "reopen"));
}

Status delete_task(Transaction& transaction, Entry& entry, std::string_view reason, bool subtree) {
  const Task& task = entry.task();
  const auto children = children_of(transaction, task, false);
  if (!children.empty() && !subtree) {
    return Status(Error{Code::failed_precondition,
                        "task " + task.id + " has " + std::to_string(children.size()) +
                            (children.size() == 1 ? " child" : " children"),
                        "delete them with it (--subtree), or move them to another parent",
                        {},
                        {}});
  }
  for (const otlp::SpanId& child : children) {
    CC_ASSIGN(Entry * other, transaction.load(child));
    CC_TRY(delete_task(transaction, *other, reason, true));
  }
  CC_TRY(transaction.thaw(entry));
  if (task.claim_token != 0 && entry.has_live_claim(transaction.now_ns())) {
    CC_TRY(transaction.emit(entry, ev::kTaskReleased, released_line(entry, "deleted")));
  }
  return transaction.emit(entry, ev::kTaskDeleted, Line().text(field::kReason, reason));
}

Status undelete_task(Transaction& transaction, Entry& entry, std::string_view reason,
                     bool subtree) {
  const Task& task = entry.task();
  const store::WorkRow* parent = transaction.row(task.parent_span_id);
  // An ended task may lie under an ended parent; an open one may not.
  if (parent && (is_deleted(*parent) || !task.ended())) CC_TRY(check_parent(transaction, task));
  CC_TRY(transaction.thaw(entry));
  CC_TRY(transaction.emit(entry, ev::kTaskUndeleted, Line().text(field::kReason, reason)));
  if (!subtree) return {};
  for (const otlp::SpanId& child : children_of(transaction, task, true)) {
    CC_ASSIGN(Entry * other, transaction.load(child));
    CC_TRY(undelete_task(transaction, *other, reason, true));
  }
  return {};
}

}  // namespace contextcore::work
