// Sprints: started, edited, ended; their points follow from their tasks.

#include "base/time.h"
#include "work/execute_ops.h"
#include "work/ids.h"
#include "work/names.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

Error ended_sprint(const Sprint& sprint) {
  return Error{Code::failed_precondition,
               "sprint " + sprint.id + " ended at " + format_rfc3339(sprint.end_ns),
               "start one with another id",
               {},
               {}};
}

Error unknown_sprint(const Transaction& transaction, std::string_view id) {
  std::vector<std::string_view> known;
  const std::string& project = transaction.command().project;
  const store::WorkFilter sprints{store::WorkFilter::bit(store::WorkKind::sprint), false, project};
  transaction.view().index().scan_keys(sprints, [&](const store::WorkKey& key) {
    if (key.project == project) known.push_back(key.id);
    return true;
  });
  Error error{Code::not_found,
              "no sprint \"" + std::string(id) + "\" in project " + transaction.command().project,
              "start it with sprint start",
              {},
              {}};
  error.candidates = close_matches(id, known);
  return error;
}

// The sprint that `id` names, checked against the expected revision and the given time.
Result<SprintEntry*> subject_sprint(Transaction& transaction, const Args& args) {
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_TRY(check_id("sprint id", id));
  const Command& command = transaction.command();
  CC_ASSIGN(SprintEntry * entry, transaction.find_sprint(command.project, id));
  if (!entry) return unknown_sprint(transaction, id);
  const Sprint& sprint = entry->sprint;
  if (command.expected_revision && *command.expected_revision != sprint.revision) {
    return Error{Code::conflict,
                 "sprint " + id + " is at revision " + std::to_string(sprint.revision) + ", not " +
                     std::to_string(*command.expected_revision),
                 "read it again and decide anew",
                 {},
                 {}};
  }
  if (command.time_ns && *command.time_ns < sprint.updated_ns) {
    return Error{Code::failed_precondition,
                 "the time " + format_rfc3339(*command.time_ns) +
                     " is before the last event of sprint " + id + ", at " +
                     format_rfc3339(sprint.updated_ns),
                 "events of a sprint are written in the order of their times",
                 {},
                 {}};
  }
  return entry;
}

// Of all tasks that name the sprint.
SprintPoints points_of(const Transaction& transaction, const Sprint& sprint) {
  SprintPoints sum;
  const store::WorkIndexView& index = transaction.view().index();
  const store::WorkFilter tasks{store::WorkFilter::bit(store::WorkKind::task), false, sprint.project};
  index.scan_keys(tasks, [&](const store::WorkKey& key) {
    const store::WorkRow* row = key.sprint == sprint.id ? index.find(key.span_id) : nullptr;
    if (row == nullptr) return true;
    const SprintPoints points = sprint_points(*row);
    sum.planned += points.planned;
    sum.completed += points.completed;
    return true;
  });
  return sum;
}

Status edit_sprint(Transaction& transaction, SprintEntry& entry, std::string_view name,
                   const std::string& from, const std::string& to, Answer& answer) {
  if (from == to) return {};
  answer.changed = true;
  return transaction.emit(
      entry, ev::kSprintEdited,
      Line().text(field::kField, name).text(field::kFrom, from).text(field::kTo, to));
}

// One task's part in its sprint before and after the plan.
Status shift_points(Transaction& transaction, const store::WorkRow& row, int64_t sign) {
  if (row.sprint.empty()) return {};
  const SprintPoints points = sprint_points(row);
  if (points.planned == 0) return {};
  CC_ASSIGN(SprintEntry * entry, transaction.find_sprint(row.project, row.sprint));
  if (!entry || entry->sprint.ended()) return {};
  entry->sprint.planned_points += sign * points.planned;
  entry->sprint.completed_points += sign * points.completed;
  return {};
}

}  // namespace

Status settle_sprints(Transaction& transaction) {
  for (const Entry* entry : transaction.touched()) {
    if (entry->log_only || !entry->task().exists()) continue;
    if (entry->before) CC_TRY(shift_points(transaction, entry->row_before, -1));
    CC_TRY(shift_points(transaction, entry->row, 1));
  }
  return {};
}

Status run_sprint_start(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_ASSIGN(std::string name, args.text("name"));
  CC_ASSIGN(const std::string goal, args.text("goal"));
  CC_ASSIGN(const std::string start, args.time("start_date"));
  CC_ASSIGN(const std::string end, args.time("end_date"));
  CC_TRY(check_id("sprint id", id));
  const std::string& project = transaction.command().project;
  CC_TRY(check_id("project", project));
  CC_ASSIGN(SprintEntry * known, transaction.find_sprint(project, id));
  if (known) {
    answer.sprint = known;
    if (known->sprint.ended()) return Status(ended_sprint(known->sprint));
    answer.changed = false;
    return {};
  }
  SprintEntry& entry = transaction.make_sprint(project, id);
  answer.sprint = &entry;
  const SprintPoints points = points_of(transaction, entry.sprint);
  return transaction.emit(entry, ev::kSprintStarted,
                          Line()
                              .text(field::kSprintName, name.empty() ? id : name)
                              .text(field::kGoal, goal)
                              .integer(field::kPlannedPoints, points.planned)
                              .integer(field::kCompletedPoints, points.completed)
                              .text(field::kStartDate, start)
                              .text(field::kEndDate, end));
}

Status run_sprint_end(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string notes, args.text("notes"));
  CC_ASSIGN(SprintEntry * entry, subject_sprint(transaction, args));
  answer.sprint = entry;
  answer.changed = !entry->sprint.ended();
  if (!answer.changed) return {};
  return transaction.emit(*entry, ev::kSprintEnded,
                          Line()
                              .text(field::kSprintName, entry->sprint.name)
                              .integer(field::kPlannedPoints, entry->sprint.planned_points)
                              .integer(field::kCompletedPoints, entry->sprint.completed_points)
                              .text(field::kNotes, notes));
}

Status run_sprint_edit(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string name, args.text("name"));
  CC_ASSIGN(const std::string goal, args.text("goal"));
  CC_ASSIGN(const std::string start, args.time("start_date"));
  CC_ASSIGN(const std::string end, args.time("end_date"));
  CC_ASSIGN(SprintEntry * entry, subject_sprint(transaction, args));
  answer.sprint = entry;
  const Sprint& sprint = entry->sprint;
  if (sprint.ended()) return Status(ended_sprint(sprint));
  answer.changed = false;
  const auto given = [&](std::string_view arg) { return args.has(arg) || args.is_null(arg); };
  if (given("name")) {
    // Without a name of its own it goes by its id.
    CC_TRY(edit_sprint(transaction, *entry, "name", sprint.name, name.empty() ? sprint.id : name,
                       answer));
  }
  if (given("goal")) CC_TRY(edit_sprint(transaction, *entry, "goal", sprint.goal, goal, answer));
  if (given("start_date")) {
    CC_TRY(edit_sprint(transaction, *entry, "start_date", sprint.start_date, start, answer));
  }
  if (given("end_date")) {
    CC_TRY(edit_sprint(transaction, *entry, "end_date", sprint.end_date, end, answer));
  }
  return {};
}

}  // namespace contextcore::work
