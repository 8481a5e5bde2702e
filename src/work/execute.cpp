#include "work/execute.h"

#include <array>

#include "work/batch.h"
#include "work/execute_ops.h"
#include "work/names.h"
#include "work/view_json.h"

namespace contextcore::work {
namespace {

using Fields = std::span<const std::string_view>;

constexpr std::array<std::string_view, 22> kCreateFields = {"id",
                                                            "title",
                                                            "type",
                                                            "status",
                                                            "priority",
                                                            "assignee",
                                                            "story_points",
                                                            "estimate_minutes",
                                                            "labels",
                                                            "parent_id",
                                                            "depends_on",
                                                            "url",
                                                            "due_date",
                                                            "defer_until",
                                                            "sprint_id",
                                                            "description",
                                                            "acceptance_criteria",
                                                            "deliverables",
                                                            "attributes",
                                                            "if_absent",
                                                            "id_prefix",
                                                            "resolve"};
constexpr std::array<std::string_view, 24> kImportFields = {"id",
                                                            "title",
                                                            "type",
                                                            "status",
                                                            "priority",
                                                            "assignee",
                                                            "story_points",
                                                            "estimate_minutes",
                                                            "labels",
                                                            "parent_id",
                                                            "depends_on",
                                                            "url",
                                                            "due_date",
                                                            "defer_until",
                                                            "sprint_id",
                                                            "description",
                                                            "acceptance_criteria",
                                                            "deliverables",
                                                            "attributes",
                                                            "if_absent",
                                                            "id_prefix",
                                                            "resolve",
                                                            "source",
                                                            "source_time"};
constexpr std::array<std::string_view, 19> kStartFields = {"id",
                                                           "title",
                                                           "type",
                                                           "priority",
                                                           "assignee",
                                                           "story_points",
                                                           "estimate_minutes",
                                                           "labels",
                                                           "parent_id",
                                                           "depends_on",
                                                           "url",
                                                           "due_date",
                                                           "defer_until",
                                                           "sprint_id",
                                                           "description",
                                                           "acceptance_criteria",
                                                           "deliverables",
                                                           "attributes",
                                                           "resolve"};
constexpr std::array<std::string_view, 6> kStatusFields = {"id",    "status",  "reason",
                                                           "token", "lenient", "resolve"};
constexpr std::array<std::string_view, 5> kBlockFields = {"id", "reason", "by", "token", "resolve"};
constexpr std::array<std::string_view, 4> kUnblockFields = {"id", "status", "resolution",
                                                            "resolve"};
constexpr std::array<std::string_view, 6> kCompleteFields = {"id",      "outcome", "token",
                                                             "lenient", "results", "resolve"};
constexpr std::array<std::string_view, 6> kFailFields = {"id",      "reason", "error_type",
                                                         "outcome", "token",  "resolve"};
constexpr std::array<std::string_view, 3> kCancelFields = {"id", "reason", "resolve"};
constexpr std::array<std::string_view, 4> kCommentFields = {"id", "text", "author", "resolve"};
constexpr std::array<std::string_view, 3> kAssignFields = {"id", "assignee", "resolve"};
constexpr std::array<std::string_view, 3> kProgressFields = {"id", "percent", "resolve"};
constexpr std::array<std::string_view, 3> kParentFields = {"id", "parent_id", "resolve"};
constexpr std::array<std::string_view, 5> kDependFields = {"id", "on", "when", "target_project_id",
                                                           "resolve"};
constexpr std::array<std::string_view, 4> kUndependFields = {"id", "on", "target_project_id",
                                                             "resolve"};
constexpr std::array<std::string_view, 7> kLinkFields = {
    "id",     "type", "target_task_id", "target_project_id", "target_trace_id", "target_span_id",
    "resolve"};
constexpr std::array<std::string_view, 19> kEditFields = {"id",
                                                          "title",
                                                          "type",
                                                          "priority",
                                                          "assignee",
                                                          "story_points",
                                                          "estimate_minutes",
                                                          "labels",
                                                          "add_labels",
                                                          "remove_labels",
                                                          "due_date",
                                                          "defer_until",
                                                          "sprint_id",
                                                          "url",
                                                          "description",
                                                          "acceptance_criteria",
                                                          "deliverables",
                                                          "attributes",
                                                          "resolve"};
constexpr std::array<std::string_view, 4> kReopenFields = {"id", "to_status", "reason", "resolve"};
constexpr std::array<std::string_view, 4> kDeleteFields = {"id", "reason", "subtree", "resolve"};
constexpr std::array<std::string_view, 2> kUndoFields = {"id", "resolve"};
constexpr std::array<std::string_view, 3> kVerifyFields = {"id", "results", "resolve"};
constexpr std::array<std::string_view, 5> kExceptionFields = {"id", "type", "message", "stacktrace",
                                                              "resolve"};
constexpr std::array<std::string_view, 6> kCommitFields = {"id",     "commit",  "repository",
                                                           "author", "message", "resolve"};
constexpr std::array<std::string_view, 5> kSprintStartFields = {"id", "name", "goal", "start_date",
                                                                "end_date"};
constexpr std::array<std::string_view, 2> kSprintEndFields = {"id", "notes"};
constexpr std::array<std::string_view, 1> kBatchFields = {"commands"};
constexpr std::array<std::string_view, 4> kClaimFields = {"id", "lease_seconds", "steal",
                                                          "resolve"};
constexpr std::array<std::string_view, 4> kHeartbeatFields = {"id", "token", "lease_seconds",
                                                              "resolve"};
constexpr std::array<std::string_view, 4> kReleaseFields = {"id", "token", "reason", "resolve"};
constexpr std::array<std::string_view, 6> kClaimReadyFields = {
    "lease_seconds", "type", "priority", "label", "include_backlog", "assignee"};
constexpr std::array<std::string_view, 17> kEmitFields = {
    "type",      "summary",    "confidence",  "subject",    "category", "audience",
    "rationale", "applies_to", "valid_until", "supersedes", "task_id",  "evidence",
    "context",   "attributes", "model",       "provider",   "usage"};
constexpr std::array<std::string_view, 2> kSupersedeFields = {"id", "by"};
constexpr std::array<std::string_view, 2> kRetractFields = {"id", "reason"};
constexpr std::array<std::string_view, 2> kResolveFields = {"id", "resolution"};

// Planned by itself: its commands are operations again.
Status run_batch(Transaction&, const Args&, Answer&) {
  return Status(Code::internal, "a batch is not planned as one operation");
}

const std::array<OperationSpec, 37> kOperations = {{
    {"task.create", kCreateFields, run_task_create},
    {"task.import", kImportFields, run_task_create},
    {"task.start", kStartFields, run_task_start},
    {"task.status", kStatusFields, run_task_status},
    {"task.block", kBlockFields, run_task_block},
    {"task.unblock", kUnblockFields, run_task_unblock},
    {"task.complete", kCompleteFields, run_task_complete},
    {"task.fail", kFailFields, run_task_fail},
    {"task.cancel", kCancelFields, run_task_cancel},
    {"task.comment", kCommentFields, run_task_comment},
    {"task.assign", kAssignFields, run_task_assign},
    {"task.progress", kProgressFields, run_task_progress},
    {"task.parent", kParentFields, run_task_parent},
    {"task.depend", kDependFields, run_task_depend},
    {"task.undepend", kUndependFields, run_task_undepend},
    {"task.link", kLinkFields, run_task_link},
    {"task.unlink", kLinkFields, run_task_unlink},
    {"task.edit", kEditFields, run_task_edit},
    {"task.reopen", kReopenFields, run_task_reopen},
    {"task.delete", kDeleteFields, run_task_delete},
    {"task.undelete", kDeleteFields, run_task_undelete},
    {"task.undo", kUndoFields, run_task_undo},
    {"task.verify", kVerifyFields, run_task_verify},
    {"task.exception", kExceptionFields, run_task_exception},
    {"task.commit", kCommitFields, run_task_commit},
    {"task.claim", kClaimFields, run_task_claim},
    {"task.heartbeat", kHeartbeatFields, run_task_heartbeat},
    {"task.release", kReleaseFields, run_task_release},
    {"task.claim_ready", kClaimReadyFields, run_task_claim_ready},
    {"sprint.start", kSprintStartFields, run_sprint_start},
    {"sprint.end", kSprintEndFields, run_sprint_end},
    {"sprint.edit", kSprintStartFields, run_sprint_edit},
    {"batch", kBatchFields, run_batch},
    {"insight.emit", kEmitFields, run_insight_emit},
    {"insight.supersede", kSupersedeFields, run_insight_supersede},
    {"insight.retract", kRetractFields, run_insight_retract},
    {"insight.resolve", kResolveFields, run_insight_resolve},
}};

constexpr std::array<std::string_view, 3> kActorTypes = {"user", "agent", "system"};
constexpr std::array<std::string_view, 6> kTriggers = {"manual", "git",   "ci",
                                                       "import", "agent", "rule"};
constexpr std::array<std::string_view, 3> kEmitModes = {"dual", "legacy", "otel"};
// The years 1970 to 2200: outside of it a time is a mistake of units.
constexpr int64_t kTimeNsMax = 7'258'118'400'000'000'000;

Status check_command(const Command& command, const Settings& settings) {
  const auto one_of = [](std::string_view what, const std::string& value, Fields known) {
    return std::find(known.begin(), known.end(), value) != known.end()
               ? Status()
               : Status(unknown_name(what, value, known));
  };
  const Actor& actor = command.actor;
  CC_TRY(one_of("actor_type", actor.actor_type, kActorTypes));
  CC_TRY(one_of("trigger", actor.trigger, kTriggers));
  CC_TRY(one_of("emit mode", settings.emit_mode, kEmitModes));
  for (const std::string* name :
       {&actor.actor, &actor.agent_id, &actor.session_id, &command.project, &command.command_id}) {
    if (!name->empty()) CC_TRY(check_id("actor, agent, session, project or command id", *name));
  }
  if (command.time_ns && (*command.time_ns <= 0 || *command.time_ns > kTimeNsMax)) {
    return Status(Code::invalid_argument, "the time " + std::to_string(*command.time_ns) +
                                              " ns is not between 1970 and 2200");
  }
  return check_utf8(command.args);
}

JsonArray to_json_array(const std::vector<std::string>& texts) {
  JsonArray array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

std::string render_answer(const Transaction& transaction, const Answer& answer,
                          const store::WorkTransaction& planned) {
  JsonObject out;
  out.emplace_back("changed", Json(!planned.events.empty()));
  if (answer.ended) out.emplace_back("ended", Json(true));
  const auto identity = [&](int64_t revision, const otlp::TraceId& trace,
                            const otlp::SpanId& span) {
    out.emplace_back("revision", Json(revision));
    out.emplace_back("trace_id", Json(otlp::to_hex(trace)));
    out.emplace_back("span_id", Json(otlp::to_hex(span)));
  };
  if (answer.task) {
    const Task& task = answer.task->task();
    identity(task.revision, task.trace_id, task.span_id);
    out.emplace_back("task", task_json(task, answer.task->row, transaction.now_ns()));
  }
  if (answer.insight) {
    const store::JournalSpan& insight = *answer.insight->history.insight;
    identity(insight.revision, insight.span.trace_id, insight.span.span_id);
    out.emplace_back("insight", insight_json(insight, row_of(insight), transaction.now_ns()));
  }
  if (answer.sprint) {
    const Sprint& sprint = answer.sprint->sprint;
    identity(sprint.revision, sprint.trace_id, sprint.span_id);
    out.emplace_back("sprint", sprint_json(sprint));
  }
  for (const auto& member : answer.more) out.push_back(member);
  if (!transaction.warnings().empty()) {
    out.emplace_back("warnings", Json(to_json_array(transaction.warnings())));
  }
  return to_string(Json(std::move(out)));
}

}  // namespace

const OperationSpec* find_operation(std::string_view name) {
  for (const OperationSpec& operation : kOperations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

std::vector<std::string_view> operation_names() {
  std::vector<std::string_view> names;
  for (const OperationSpec& operation : kOperations) names.push_back(operation.name);
  return names;
}

Result<store::WorkTransaction> plan(const store::WorkView& view, const Command& command,
                                    const Settings& settings) {
  const OperationSpec* operation = find_operation(command.op);
  if (!operation) return unknown_name("operation", command.op, operation_names());
  CC_TRY(check_command(command, settings));
  if (operation->run == run_batch) return plan_batch(view, command, settings);
  CC_ASSIGN(const Args args, Args::make(command.op, command.args, operation->fields));
  Transaction transaction(view, command, settings);
  Answer answer;
  CC_TRY(operation->run(transaction, args, answer));
  CC_TRY(settle(transaction));
  store::WorkTransaction planned = transaction.finish();
  planned.result = render_answer(transaction, answer, planned);
  return planned;
}

Result<std::string> execute(store::Journal& journal, const Command& command,
                            const Settings& settings) {
  CC_ASSIGN(store::CommitResult result,
            journal.commit(command.command_id, [&](const store::WorkView& view) {
              return plan(view, command, settings);
            }));
  return std::move(result.result);
}

}  // namespace contextcore::work
