#pragma once
// Commands and questions of the work model, as one shape for the command line, HTTP, MCP and the
// libraries. Everything here is pure: (state, command, now) → (events, new span revisions) or an
// error.
//
// Start reading in command.h (what can be asked), then execute.h (how a command becomes a
// transaction), fold.h (how events become a span), hooks.h (what the store is told), read.h
// (questions).

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "store/journal.h"

namespace contextcore::work {

// Who acts. Stands in every event.
struct Actor {
  std::string actor;                // name of the person or program; "" = not known
  std::string actor_type = "user";  // user agent system
  std::string agent_id;
  std::string session_id;          // a claim's holder is (agent_id, session_id)
  std::string trigger = "manual";  // manual git ci import agent rule
};

// Operations and their args (a JSON object; unknown fields are errors that name close ones). `id`
// is exact; with `resolve: true` it is read as a person typed it (resolve_task), for task.*
// operations.
// clang-format off
//   task.create    id? title type? status? priority? assignee? story_points? estimate_minutes? labels?
//                  parent_id? depends_on? url? due_date? defer_until? sprint_id? description?
//                  acceptance_criteria? deliverables? ({path type description} or a path)
//                  attributes? id_prefix? (of an id that is made)
//                  if_absent? (an id that exists with this title is returned)
//   task.start     id, and all of task.create but status, id_prefix, if_absent: moves a not-started
//                  task to in_progress; an unknown id with a title is created in todo
//   task.import    as task.create, and source source_time?: a task that was kept elsewhere
//   task.status    id status reason? token? lenient? (ended: changed=false instead of an error)
//   task.block     id reason by? token?             task.unblock  id status? resolution?
//   task.complete  id outcome? token? lenient?      task.fail     id reason? error_type?
//                                                                 outcome? token?
//                  results? (as task.verify; they are written with the end)
//   task.cancel    id reason?                       task.comment  id text author?
//   task.assign    id assignee (null: nobody)       task.progress id percent
//   task.parent    id parent_id (null: none)        task.depend   id on when? target_project_id?
//   task.undepend  id on target_project_id?         task.claim    id lease_seconds? steal?
//   task.heartbeat id token? lease_seconds?         task.release  id token? reason?
//   task.link      id type target_task_id? target_project_id? target_trace_id? target_span_id?
//                  (type: also told from the other end, "blocks"; the link is the other task's then)
//   task.unlink    as task.link
//   task.edit      id, and of task.create: title type priority assignee story_points
//                  estimate_minutes labels due_date defer_until sprint_id url description
//                  acceptance_criteria deliverables attributes; null clears; add_labels?
//                  remove_labels?; one task.edited for each field that changes
//   task.reopen    id to_status? reason?            task.undo     id (one's own last change)
//   task.delete    id reason? subtree?              task.undelete id reason? subtree?
//   task.verify    id results ({path type? verified detail?}, of its deliverables)
//   task.exception id type message? stacktrace?     task.commit   id commit repository? author?
//                                                                 message?
//   task.claim_ready  lease_seconds? type? priority? label? include_backlog? assignee?
//                  picks the first ready task and claims it; "task": null when there is none
//   sprint.start   id name? goal? start_date? end_date?
//   sprint.end     id notes?                        sprint.edit   id name? goal? start_date?
//                                                                 end_date?
//   batch          commands: a list of commands ({op project? args time? expected_revision? actor?});
//                  one transaction, all or nothing; answers results, one for each
//   insight.emit   type summary confidence? subject? category? audience? rationale? applies_to?
//                  valid_until? supersedes? task_id? evidence? ({type ref description?}) context?
//                  attributes? model? provider? usage?
//   insight.supersede  id by      insight.retract  id reason?      insight.resolve  id resolution?
// clang-format on
// Task types and statuses of a project's own (.contextcore.toml): a status maps to the built-in one
// that it behaves like.
struct Vocabulary {
  std::vector<std::string> types;
  std::vector<std::pair<std::string, std::string>> statuses;  // name, built-in one
  bool operator==(const Vocabulary&) const = default;
};
// Errors: a bad or taken name, an unknown built-in status. A category (not_started, active, ended)
// is read as its plainest status (todo, in_progress, done).
Result<Vocabulary> checked(Vocabulary vocabulary);

struct Command {
  std::string op;
  std::string project;  // "" where the id is unique in the store
  Json args;            // object
  Actor actor;
  std::string command_id;  // client-made, 128 bit random hex; every id that the command makes
                           // derives from it
  std::optional<int64_t> time_ns;            // given time (backdating); else now
  std::optional<int64_t> expected_revision;  // conflict when the task is at another
  Vocabulary vocabulary;                     // of the project, where the sender knows it
};

// JSON form: {"op":…,"project":…,"args":{…},"actor":{…},"command_id":…,"time":RFC
// 3339,"expected_revision":…}
Result<Command> command_from_json(const Json& json);
Json to_json(const Command& command);

// Questions and their args. Answers are JSON (one object; lists under "items", all matches counted
// in "total"). Ids are read as typed; times as people write them (base/time.h). Every question but
// project.diff and the log's takes as_of? (the state then) and known_at? (what had been written by
// then). FILTER: type? assignee? ("" = nobody) label? priority? sprint? (an id, last, current)
// project? all_projects? mine? limit?; such lists say under "traceql" what finds the same tasks,
// and under "not_in_traceql" what that leaves out.
// clang-format off
//   task.get       id events? comments?             task.why      id
//   task.history   id from? to? limit?              (every event; "words" tells it)
//   task.list      FILTER status? (also open not_started active ended) open? deleted? parent? subtree?
//                  text? sort? created_from? created_to? (updated_ ended_ due_ likewise)
//   task.ready     type? priority? label? include_backlog? assignee? limit?
//   task.blocked   FILTER                           task.overdue  FILTER
//   task.stale     FILTER days? (14)                task.search   FILTER text status?
//   task.tree      FILTER id? depth? open?          (in tree order, each with its "depth")
//   task.overview  FILTER                           (mine, ready, blocked, overdue)
//   task.foreign   id? limit? project? all_projects?  (received spans that look like tasks; id: of
//                  the task or the span)
//   project.list   (counts by status per project)
//   project.diff   from to? project? all_projects? limit?  (what changed in between, by task)
//   project.workload       FILTER                   (open work by assignee)
//   project.critical_path  FILTER by? (points estimate count)
//   log.export     after? (the last page's "next") limit? project? all_projects?  (transfer.h)
//   insight.query  type? subject? category? audience? applies_to? (a path) min_confidence? agent? task_id?
//                  since? status? (default: active; all) text? limit?
//   insight.get    id
//   sprint.list    open? limit? (newest start first)
// clang-format on
struct Question {
  std::string op;
  std::string project;
  Json args;
  Actor actor;
  Vocabulary vocabulary = {};  // of the project, where the asker knows it
};
Result<Question> question_from_json(const Json& json);
Json to_json(const Question& question);

}  // namespace contextcore::work
