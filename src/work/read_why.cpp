// task.why: everything that keeps a task from being ready, with the whole chain behind each reason.

#include <algorithm>
#include <set>

#include "base/time.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/questions.h"
#include "work/read.h"
#include "work/task.h"

namespace contextcore::work {
namespace {

using store::WorkRow;

constexpr int kChainDepthMax = 64;

class Why {
 public:
  explicit Why(const store::WorkView& view) : view_(view) {}

  Result<JsonArray> reasons(const WorkRow& row, int depth) {
    JsonArray out;
    CC_ASSIGN(const std::optional<store::JournalSpan> span, view_.span(row.span_id));
    if (!span)
      return Error{Code::corruption,
                   "the span of task " + row.id + " is missing",
                   "run contextcore rebuild",
                   {},
                   {}};
    CC_ASSIGN(const Task task, task_from_span(*span));
    if (!is_abandoned(row, view_.now_ns())) add_status(task, out);
    if (task.ended()) return out;
    for (const TaskLink& link : task.links) CC_TRY(add_dependency(task, link, depth, out));
    for (const WorkRow* child : view_.index().children(row.span_id)) {
      if (!is_task(*child) || is_ended(row_status(*child))) continue;
      CC_TRY(add_other("child", child->id, child, depth, out));
    }
    if (has_live_claim(row, view_.now_ns())) {
      out.emplace_back(JsonObject{{"kind", Json("claim")},
                                  {"claimed_by", Json(row.claimed_by)},
                                  {"session", Json(row.claim_session)},
                                  {"lease_end", Json(format_rfc3339(row.lease_end_ns))},
                                  {"text", Json("claimed by " + row.claimed_by + " until " +
                                                format_rfc3339(row.lease_end_ns))}});
    }
    if (row.defer_until_ns > view_.now_ns()) {
      out.emplace_back(
          JsonObject{{"kind", Json("deferred")},
                     {"until", Json(format_rfc3339(row.defer_until_ns))},
                     {"text", Json("deferred until " + format_rfc3339(row.defer_until_ns))}});
    }
    return out;
  }

 private:
  static void add_status(const Task& task, JsonArray& out) {
    if (task.status == TaskStatus::todo) return;
    JsonObject reason{{"kind", Json("status")}, {"status", Json(status_name(task.status))}};
    std::string text = "is " + std::string(status_name(task.status));
    if (task.status == TaskStatus::blocked && !task.blocked_reason.empty()) {
      reason.emplace_back("reason", Json(task.blocked_reason));
      text += ": " + task.blocked_reason;
    }
    reason.emplace_back("text", Json(text));
    out.emplace_back(std::move(reason));
  }

  Status add_dependency(const Task& task, const TaskLink& link, int depth, JsonArray& out) {
    if (link.type != kLinkTypes[0]) return {};
    const WorkRow* target = view_.index().find(link.span_id);
    if (target && satisfies(*target, link.when)) return {};
    const std::string id =
        link.project == task.project ? link.task_id : link.project + "/" + link.task_id;
    return add_other("dependency", id, target, depth, out);
  }

  Status add_other(std::string_view kind, std::string_view id, const WorkRow* other, int depth,
                   JsonArray& out) {
    JsonObject reason{{"kind", Json(kind)}, {"id", Json(id)}};
    const std::string what = kind == "child" ? "open subtask " : "waits for ";
    if (!other) {
      reason.emplace_back("text", Json(what + std::string(id) + ", which is not known yet"));
      out.emplace_back(std::move(reason));
      return {};
    }
    const std::string status(status_name(row_status(*other)));
    reason.emplace_back("status", Json(status));
    reason.emplace_back("text", Json(what + std::string(id) + " (" + status + ")"));
    if (depth < kChainDepthMax && seen_.insert(other->span_id).second) {
      CC_ASSIGN(JsonArray because, reasons(*other, depth + 1));
      if (!because.empty()) reason.emplace_back("because", Json(std::move(because)));
    }
    out.emplace_back(std::move(reason));
    return {};
  }

  const store::WorkView& view_;
  std::set<otlp::SpanId> seen_;  // each chain is told once
};

}  // namespace

Result<Json> ask_why(const Reading& reading, const Question& question, const Args& args) {
  const store::WorkView& view = reading.view;
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_ASSIGN(const WorkRow* row, resolve_task(view, question.project, id));
  CC_ASSIGN(const Task task, read_task(view, *row));
  Why why(view);
  CC_ASSIGN(JsonArray reasons, why.reasons(*row, 0));
  return Json(JsonObject{{"id", Json(row->id)},
                         {"project", Json(row->project)},
                         {"title", Json(task.title)},
                         {"status", Json(status_name(row_status(*row)))},
                         {"ready", Json(is_ready(*row, view.now_ns(), false))},
                         {"reasons", Json(std::move(reasons))}});
}

}  // namespace contextcore::work
