// Links to other tasks and to traces, told from either end.

#include <algorithm>

#include "work/execute_ops.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/read.h"
#include "work/task_changes.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

struct LinkTarget {
  std::string type, task_id, project, trace_hex, span_hex;
  bool told_inversely = false;  // the link belongs to the target
};

Status read_type(const Args& args, LinkTarget& target) {
  CC_ASSIGN(target.type, args.required("type"));
  for (const InverseLink& inverse : kInverseLinks) {
    if (target.type != inverse.told) continue;
    target.type = inverse.stored;
    target.told_inversely = true;
  }
  if (std::find(kLinkTypes.begin(), kLinkTypes.end(), target.type) != kLinkTypes.end()) return {};
  std::vector<std::string_view> known(kLinkTypes.begin(), kLinkTypes.end());
  for (const InverseLink& inverse : kInverseLinks) known.push_back(inverse.told);
  return Status(unknown_name("type", target.type, known));
}

Result<LinkTarget> link_target(const Transaction& transaction, const Args& args, const Task& from) {
  LinkTarget target;
  CC_TRY(read_type(args, target));
  CC_ASSIGN(target.task_id, args.text("target_task_id"));
  CC_ASSIGN(target.project, args.text("target_project_id"));
  CC_ASSIGN(target.trace_hex, args.text("target_trace_id"));
  CC_ASSIGN(target.span_hex, args.text("target_span_id"));
  const bool telemetry = !target.trace_hex.empty() || !target.span_hex.empty();
  if (target.task_id.empty() == !telemetry) {
    return Error{Code::invalid_argument,
                 "a link needs one target: target_task_id, or target_trace_id with target_span_id",
                 {},
                 {},
                 {}};
  }
  if (telemetry) {
    otlp::TraceId trace;
    otlp::SpanId span;
    if (!target.project.empty() || target.trace_hex.size() != 32 ||
        !otlp::parse_hex(target.trace_hex, trace) || trace.empty() ||
        (!target.span_hex.empty() &&
         (target.span_hex.size() != 16 || !otlp::parse_hex(target.span_hex, span)))) {
      return Error{Code::invalid_argument,
                   "target_trace_id must be 32 hexadecimal digits, target_span_id 16 or absent",
                   {},
                   {},
                   {}};
    }
    target.trace_hex = otlp::to_hex(trace);
    if (!target.span_hex.empty()) target.span_hex = otlp::to_hex(span);
    if (target.type == kLinkTypes[0] || target.told_inversely) {
      return Error{Code::invalid_argument,
                   "a task depends on a task, not on a trace",
                   "use relates_to, or another type told from the task's end",
                   {},
                   {}};
    }
    return target;
  }
  CC_TRY(check_id("target_task_id", target.task_id));
  if (!target.project.empty()) CC_TRY(check_id("target_project_id", target.project));
  std::tie(target.project, target.task_id) =
      target_of(transaction, from, target.project, target.task_id);
  return target;
}

bool is_link_to(const TaskLink& link, const LinkTarget& target) {
  if (link.type != target.type) return false;
  if (!target.task_id.empty())
    return link.task_id == target.task_id && link.project == target.project;
  return link.task_id.empty() && otlp::to_hex(link.trace_id) == target.trace_hex &&
         (link.span_id.empty() ? target.span_hex.empty()
                               : otlp::to_hex(link.span_id) == target.span_hex);
}

// The task that carries the link, and what it points to: told inversely they change places.
struct Ends {
  Entry* from;
  LinkTarget to;
};
Result<Ends> ends_of(Transaction& transaction, const Args& args, Entry& subject) {
  CC_ASSIGN(LinkTarget target, link_target(transaction, args, subject.task()));
  if (!target.told_inversely) return Ends{&subject, std::move(target)};
  CC_ASSIGN(const store::WorkRow* row,
            find_task(transaction.view(), target.project, target.task_id));
  CC_ASSIGN(Entry * other, transaction.load(row->span_id));
  target.project = subject.task().project;
  target.task_id = subject.task().id;
  return Ends{other, std::move(target)};
}

}  // namespace

Status run_task_link(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  CC_ASSIGN(const Ends ends, ends_of(transaction, args, *entry));
  const LinkTarget& target = ends.to;
  const Task& from = ends.from->task();
  answer.changed = std::none_of(from.links.begin(), from.links.end(),
                                [&](const TaskLink& link) { return is_link_to(link, target); });
  if (!answer.changed) return {};
  if (target.type == kLinkTypes[0]) {
    if (from.ended()) return Status(ended_error(from));
    CC_ASSIGN(answer.changed, add_dependency(transaction, *ends.from, target.project,
                                             target.task_id, DependsWhen::done));
    return {};
  }
  std::string trace_hex = target.trace_hex;
  if (!target.task_id.empty()) {
    const store::WorkRow* row = transaction.row(span_id("task", target.project, target.task_id));
    if (row) trace_hex = otlp::to_hex(row->trace_id);
    if (!row)
      transaction.warn("task " + target.task_id + " is not known yet; the link waits for it");
  }
  return transaction.emit(*ends.from, ev::kTaskLinked,
                          Line()
                              .text(field::kLinkType, target.type)
                              .text(field::kTargetTaskId, target.task_id)
                              .text(field::kTargetProjectId, target.project)
                              .text(field::kTargetTraceId, trace_hex)
                              .text(field::kTargetSpanId, target.span_hex));
}

Status run_task_unlink(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  CC_ASSIGN(const Ends ends, ends_of(transaction, args, *entry));
  answer.changed = false;
  const Task& from = ends.from->task();
  const std::vector<TaskLink> links = from.links;
  for (const TaskLink& link : links) {
    if (!is_link_to(link, ends.to)) continue;
    if (from.ended()) return Status(ended_error(from));
    Line line;
    line.text(field::kLinkType, link.type)
        .text(field::kTargetTaskId, link.task_id)
        .text(field::kTargetProjectId, link.project);
    if (link.task_id.empty()) {
      line.text(field::kTargetTraceId, otlp::to_hex(link.trace_id));
      if (!link.span_id.empty()) line.text(field::kTargetSpanId, otlp::to_hex(link.span_id));
    }
    CC_TRY(transaction.emit(*ends.from, ev::kTaskUnlinked, std::move(line)));
    answer.changed = true;
  }
  return {};
}

}  // namespace contextcore::work
