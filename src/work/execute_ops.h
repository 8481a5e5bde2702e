#pragma once
// The operations of command.h, one function each: they emit events into a transaction and fill the
// answer.

#include <string>
#include <string_view>

#include "work/args.h"
#include "work/transaction.h"

namespace contextcore::work {

// What a command answers besides the task (or insight) it was about.
struct Answer {
  bool changed = true;
  bool ended = false;  // lenient: nothing written, the task has ended
  Entry* task = nullptr;
  InsightEntry* insight = nullptr;
  SprintEntry* sprint = nullptr;
  JsonObject more;  // further members
};

using Operation = Status (*)(Transaction& transaction, const Args& args, Answer& answer);

struct OperationSpec {
  std::string_view name;
  std::span<const std::string_view> fields;
  Operation run;
};

// nullptr: no such operation.
const OperationSpec* find_operation(std::string_view name);
std::vector<std::string_view> operation_names();

Status run_task_create(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_start(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_status(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_block(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_unblock(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_complete(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_fail(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_cancel(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_comment(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_assign(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_progress(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_parent(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_depend(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_undepend(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_link(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_unlink(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_edit(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_reopen(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_delete(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_undelete(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_undo(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_verify(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_exception(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_commit(Transaction& transaction, const Args& args, Answer& answer);
Status run_sprint_start(Transaction& transaction, const Args& args, Answer& answer);
Status run_sprint_end(Transaction& transaction, const Args& args, Answer& answer);
Status run_sprint_edit(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_claim(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_heartbeat(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_release(Transaction& transaction, const Args& args, Answer& answer);
Status run_task_claim_ready(Transaction& transaction, const Args& args, Answer& answer);
Status run_insight_emit(Transaction& transaction, const Args& args, Answer& answer);
Status run_insight_supersede(Transaction& transaction, const Args& args, Answer& answer);
Status run_insight_retract(Transaction& transaction, const Args& args, Answer& answer);
Status run_insight_resolve(Transaction& transaction, const Args& args, Answer& answer);

// The subject that `id` of args names (exactly, or as typed when `resolve` is true).
Result<Entry*> subject_of(Transaction& transaction, const Args& args);

}  // namespace contextcore::work
