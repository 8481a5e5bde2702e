#include "work/task_changes.h"

#include <algorithm>
#include <set>

#include "base/time.h"
#include "work/args.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/read.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

struct Times {
  std::optional<int64_t> cycle_ns;  // first in_progress → at
  int64_t blocked_ns = 0;
};

Times phase_times(const Transaction& transaction, const Entry& entry, int64_t at_ns) {
  Times times;
  std::optional<int64_t> started;
  const auto add = [&](TaskStatus status, int64_t start_ns, int64_t end_ns) {
    const int64_t end = end_ns == 0 ? at_ns : end_ns;
    if (status == TaskStatus::blocked) times.blocked_ns += end - start_ns;
    if (status == TaskStatus::in_progress) started = std::min(started.value_or(start_ns), start_ns);
  };
  const auto& loaded = entry.history.phases;
  const int64_t first_loaded = loaded.empty() ? 0 : loaded.front().ordinal;
  const Task& task = entry.task();
  for (int64_t ordinal = 1; ordinal < first_loaded; ordinal++) {
    const store::WorkRow* row =
        transaction.view().index().find(phase_span_id(task.project, task.id, ordinal));
    if (row) add(row_status(*row), row->start_ns, row->end_ns);
  }
  for (const Phase& phase : loaded) add(phase.status, phase.start_ns, phase.end_ns);
  if (started) times.cycle_ns = at_ns - *started;
  return times;
}

std::optional<int64_t> if_any(int64_t count) {
  return count > 0 ? std::optional<int64_t>(count) : std::nullopt;
}

Status emit_end(Transaction& transaction, Entry& entry, const StatusChange& change) {
  const Task& task = entry.task();
  if (task.claim_token != 0 && entry.has_live_claim(transaction.lease_now_ns())) {
    CC_TRY(
        transaction.emit(entry, ev::kTaskReleased, released_line(entry, "ended"), change.trigger));
  }
  if (change.to == TaskStatus::done && task.subtask_count == 0 && task.percent < 100) {
    CC_TRY(transaction.emit(
        entry, ev::kTaskProgressUpdated,
        Line().integer(field::kPercentComplete, int64_t{100}).text(field::kSource, "completion"),
        change.trigger));
  }
  const int64_t at = transaction.event_time(entry);
  Line line;
  if (change.to == TaskStatus::cancelled) {
    line.text(field::kReason, change.reason);
  } else {
    const Times times = phase_times(transaction, entry, at);
    line.seconds(field::kLeadTimeSeconds, at - task.start_ns)
        .seconds(field::kCycleTimeSeconds, times.cycle_ns)
        .seconds(field::kBlockedTimeSeconds, times.blocked_ns)
        .integer(field::kStoryPoints, task.story_points)
        .text(field::kOutcome, change.outcome);
  }
  line.integer(field::kOpenSubtasks, if_any(task.subtask_open))
      .integer(field::kSubtaskCount, if_any(task.subtask_count))
      .integer(field::kSubtaskCompleted, if_any(task.subtask_completed));
  if (change.to == TaskStatus::failed) {
    line.text(field::kReason, change.reason).text(field::kErrorType, change.error_type);
  }
  if (task.subtask_open > 0) {
    transaction.warn(std::to_string(task.subtask_open) + " of " +
                     std::to_string(task.subtask_count) + " subtasks of " + task.id + " stay open");
  }
  const std::string_view name = change.to == TaskStatus::done     ? ev::kTaskCompleted
                                : change.to == TaskStatus::failed ? ev::kTaskFailed
                                                                  : ev::kTaskCancelled;
  return transaction.emit(entry, name, std::move(line), change.trigger);
}

// True when `to` is reached from `from` along depends_on edges; path gets the ids on the way.
bool find_path(const Transaction& transaction, const otlp::SpanId& from, const otlp::SpanId& to,
               std::set<otlp::SpanId>& seen, std::vector<std::string>& path) {
  std::vector<std::pair<otlp::SpanId, size_t>> stack{{from, 0}};
  while (!stack.empty()) {
    const auto [id, depth] = stack.back();
    stack.pop_back();
    path.resize(std::min(path.size(), depth));
    const store::WorkRow* row = transaction.row(id);
    if (!row) continue;
    path.push_back(row->id);
    if (id == to) return true;
    if (!seen.insert(id).second) continue;
    for (const store::WorkEdge& edge : row->depends_on) stack.emplace_back(edge.target, depth + 1);
  }
  return false;
}

std::string holder_of(const Task& task) {
  return task.claimed_by +
         (task.claim_session.empty() ? "" : " (session " + task.claim_session + ")");
}

Error claimed_error(const Entry& entry) {
  return Error{Code::conflict,
               "task " + entry.task().id + " is claimed by " + holder_of(entry.task()) + " until " +
                   format_rfc3339(entry.row.lease_end_ns),
               "present the claim's token or session, or claim it with steal",
               {},
               {}};
}

}  // namespace

Line released_line(const Entry& entry, std::string_view reason) {
  return Line().text(field::kReason, reason).integer(field::kHeartbeats, entry.row.heartbeats);
}

Error ended_error(const Task& task) {
  return Error{Code::failed_precondition,
               "task " + task.id + " ended as " + std::string(status_name(task.status)) + " at " +
                   format_rfc3339(task.end_ns),
               "an ended task takes comments and links only; reopen it first",
               {},
               {}};
}

Status change_status(Transaction& transaction, Entry& entry, const StatusChange& change) {
  const Task& task = entry.task();
  const TaskStatus from = task.status;
  const int64_t at = transaction.event_time(entry);
  const int64_t in_status_ns =
      entry.history.phases.empty() ? 0 : at - entry.history.phases.back().start_ns;
  const std::string from_text(task.status_text());
  if (from == TaskStatus::blocked && change.to != TaskStatus::blocked) {
    CC_TRY(transaction.emit(entry, ev::kTaskUnblocked,
                            Line()
                                .text(field::kResolution, change.resolution)
                                .seconds(field::kBlockedDurationSeconds, in_status_ns),
                            change.trigger));
  }
  if (change.to == TaskStatus::blocked) {
    CC_TRY(transaction.emit(
        entry, ev::kTaskBlocked,
        Line().text(field::kReason, change.reason).list(field::kBlockedBy, change.blocked_by),
        change.trigger));
  } else if (is_ended(change.to)) {
    CC_TRY(emit_end(transaction, entry, change));
  }
  if (from == change.to && task.own_status == change.own) return {};
  return transaction.emit(entry, ev::kTaskStatusChanged,
                          status_line(from_text, {change.to, change.own}, in_status_ns),
                          change.trigger);
}

Line status_line(std::string_view from, const StatusName& to, int64_t in_status_ns) {
  Line line;
  line.text(field::kFromStatus, from)
      .text(field::kToStatus, to.own.empty() ? status_name(to.base) : std::string_view(to.own));
  if (!to.own.empty()) line.text(field::kBaseStatus, status_name(to.base));
  line.seconds(field::kSecondsInStatus, in_status_ns);
  return line;
}

Result<StatusName> status_of(const Transaction& transaction, std::string_view name) {
  if (const auto known = parse_status(name)) return StatusName{*known, {}};
  for (const Vocabulary* own :
       {&transaction.settings().vocabulary, &transaction.command().vocabulary}) {
    for (const auto& [own_name, base] : own->statuses) {
      if (own_name == name) return StatusName{*parse_status(base), own_name};
    }
  }
  return unknown_name("status", name, transaction.status_names());
}

StatusName former_status(const Transaction& transaction, const Entry& entry) {
  const auto& phases = entry.history.phases;
  if (phases.empty()) return {};
  const int64_t ordinal = phases.back().ordinal - 1;
  for (const Phase& phase : phases) {
    if (phase.ordinal == ordinal) return {phase.status, phase.own_status};
  }
  const Task& task = entry.task();
  const store::WorkRow* row =
      transaction.view().index().find(phase_span_id(task.project, task.id, ordinal));
  return row ? StatusName{row_status(*row), row->status_name} : StatusName{};
}

std::pair<std::string, std::string> target_of(const Transaction& transaction, const Task& from,
                                              std::string_view project, std::string_view id) {
  const std::string own = project.empty() ? from.project : std::string(project);
  if (project.empty() && !transaction.row(span_id("task", own, id))) {
    if (const auto found = find_task(transaction.view(), {}, id); found.ok()) {
      return {(*found)->project, (*found)->id};
    }
  }
  return {own, std::string(id)};
}

Result<bool> add_dependency(Transaction& transaction, Entry& entry, std::string_view project,
                            std::string_view id, DependsWhen when) {
  const Task& task = entry.task();
  const otlp::SpanId target = span_id("task", project, id);
  for (const TaskLink& link : task.links) {
    if (link.type == kLinkTypes[0] && link.span_id == target && link.when == when) return false;
  }
  std::set<otlp::SpanId> seen;
  std::vector<std::string> path;
  if (find_path(transaction, target, task.span_id, seen, path)) {
    std::string chain = task.id;
    for (const std::string& step : path) chain += " → " + step;
    return Error{Code::invalid_argument,
                 "a cycle: " + chain,
                 "take one of these dependencies away first (task undepend)",
                 {},
                 {}};
  }
  const store::WorkRow* row = transaction.row(target);
  if (!row)
    transaction.warn("task " + std::string(id) + " is not known yet; the dependency waits for it");
  Line line;
  line.text(field::kLinkType, kLinkTypes[0]);
  line.text(field::kTargetTaskId, id);
  line.text(field::kTargetProjectId, project);
  if (row) line.text(field::kTargetTraceId, otlp::to_hex(row->trace_id));
  if (when == DependsWhen::ended) line.text(field::kWhen, "ended");
  if (when == DependsWhen::failed) line.text(field::kWhen, "failed");
  CC_TRY(transaction.emit(entry, ev::kTaskLinked, std::move(line)));
  return true;
}

Status check_claim(const Transaction& transaction, const Entry& entry,
                   std::optional<int64_t> token) {
  const Task& task = entry.task();
  const int64_t now = transaction.lease_now_ns();
  const bool live = entry.has_live_claim(now);
  const std::string& session = transaction.command().actor.session_id;
  const bool mine = task.claim_token != 0 && !session.empty() && session == task.claim_session;
  const auto conflict = [&](std::string message, std::string hint) {
    return Status(Error{Code::conflict, std::move(message), std::move(hint), {}, {}});
  };
  if (token) {
    if (live && *token == task.claim_token) return {};
    if (!live && *token == task.claim_token && task.claim_token != 0) {
      return conflict(
          "your lease on task " + task.id + " ended at " + format_rfc3339(entry.lease_end_ns),
          "claim it again and look what has changed");
    }
    return conflict("token " + std::to_string(*token) + " is no longer current for task " +
                        task.id +
                        (live ? ": it is claimed by " + holder_of(task) : ": it is not claimed"),
                    "claim it again and look what has changed");
  }
  if (live && !mine) return Status(claimed_error(entry));
  if (!live && mine) {
    return conflict(
        "your lease on task " + task.id + " ended at " + format_rfc3339(entry.lease_end_ns),
        "claim it again and look what has changed");
  }
  return {};
}

Status claim(Transaction& transaction, Entry& entry, std::optional<int64_t> lease_seconds,
             bool steal, bool& changed) {
  const Task& task = entry.task();
  const Actor& actor = transaction.command().actor;
  const std::string holder = actor.agent_id.empty() ? actor.actor : actor.agent_id;
  if (holder.empty()) {
    return Status(Error{Code::invalid_argument,
                        "a claim needs somebody who holds it",
                        "set CONTEXTCORE_AGENT, or give an agent or actor",
                        {},
                        {}});
  }
  if (task.ended()) return Status(ended_error(task));
  if (task.status == TaskStatus::blocked) {
    return Status(Error{Code::failed_precondition,
                        "task " + task.id + " is blocked" +
                            (task.blocked_reason.empty() ? "" : ": " + task.blocked_reason),
                        "unblock it first",
                        {},
                        {}});
  }
  const int64_t now = transaction.lease_now_ns();
  const int64_t seconds = lease_seconds.value_or(transaction.settings().lease_seconds);
  const std::string former = task.claimed_by;
  if (entry.has_live_claim(now)) {
    const bool mine = !actor.session_id.empty() && actor.session_id == task.claim_session &&
                      holder == task.claimed_by;
    if (mine) {
      transaction.renew_lease(entry, now + seconds * kSecondNs);
      changed = false;
      return {};
    }
    if (!steal) return Status(claimed_error(entry));
    CC_TRY(transaction.emit(entry, ev::kTaskReleased, released_line(entry, "stolen")));
  }
  CC_TRY(transaction.emit(
      entry, ev::kTaskClaimed,
      Line().text(field::kClaimedBy, holder).integer(field::kLeaseSeconds, seconds)));
  // A claim makes its holder the assignee; what it made of an earlier holder is over with that claim.
  if (task.assignee.empty() || (task.assignee == former && former != holder)) {
    CC_TRY(transaction.emit(
        entry, ev::kTaskAssigned,
        Line().text(field::kFromAssignee, task.assignee).text(field::kToAssignee, holder)));
  }
  if (is_not_started(task.status)) {
    StatusChange change;
    change.to = TaskStatus::in_progress;
    CC_TRY(change_status(transaction, entry, change));
  }
  // A live lease runs from now, also when the task's last event carries a later time.
  const int64_t from = transaction.command().time_ns ? transaction.event_time(entry) : now;
  if (const int64_t end = from + seconds * kSecondNs; end != entry.row.lease_end_ns) {
    transaction.renew_lease(entry, end);
  }
  changed = true;
  return {};
}

}  // namespace contextcore::work
