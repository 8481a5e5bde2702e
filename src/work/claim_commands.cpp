// Claims: who works on what, under a lease.

#include <algorithm>

#include "base/time.h"
#include "work/execute_ops.h"
#include "work/names.h"
#include "work/ready.h"
#include "work/task_changes.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

constexpr int64_t kLeaseSecondsMax = 30 * 24 * 3600;

Result<std::optional<int64_t>> lease_of(const Args& args) {
  return args.integer("lease_seconds", 1, kLeaseSecondsMax);
}

void tell_claim(const Entry& entry, Answer& answer) {
  answer.more.emplace_back("token", Json(entry.task().claim_token));
  answer.more.emplace_back("lease_end", Json(format_rfc3339(entry.row.lease_end_ns)));
}

}  // namespace

Status run_task_claim(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const auto lease, lease_of(args));
  CC_ASSIGN(const bool steal, args.flag("steal"));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  CC_TRY(claim(transaction, *entry, lease, steal, answer.changed));
  tell_claim(*entry, answer);
  return {};
}

Status run_task_heartbeat(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const auto lease, lease_of(args));
  CC_ASSIGN(const auto token, args.integer("token", 0, INT64_MAX));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  const Task& task = entry->task();
  if (!token && task.claim_token == 0) {
    return Status(
        Error{Code::conflict, "task " + task.id + " is not claimed", "claim it first", {}, {}});
  }
  CC_TRY(check_claim(transaction, *entry, token));
  if (!entry->has_live_claim(transaction.lease_now_ns())) {
    return Status(Error{Code::conflict,
                        "the lease of " + task.claimed_by + " on task " + task.id + " is over",
                        "claim it first",
                        {},
                        {}});
  }
  const int64_t seconds = lease.value_or(task.claim_lease_seconds);
  entry->heartbeats++;
  entry->row.heartbeats = entry->heartbeats;
  transaction.renew_lease(*entry, transaction.lease_now_ns() + seconds * kSecondNs);
  answer.more.emplace_back("renewed", Json(true));
  tell_claim(*entry, answer);
  return {};
}

Status run_task_release(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const auto token, args.integer("token", 0, INT64_MAX));
  CC_ASSIGN(std::string reason, args.text("reason"));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  const Task& task = entry->task();
  if (task.claim_token == 0 && !token) return {};
  CC_TRY(check_claim(transaction, *entry, token));
  if (!entry->has_live_claim(transaction.lease_now_ns()))
    return {};  // over already; the next change says so
  return transaction.emit(*entry, ev::kTaskReleased,
                          released_line(*entry, reason.empty() ? "released" : reason));
}

Status run_task_claim_ready(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const auto lease, lease_of(args));
  const Command& command = transaction.command();
  CC_ASSIGN(ReadyFilter filter, ready_filter(transaction.view(), args, command.project,
                                             command.actor, transaction.type_names()));
  filter.limit = 1;
  CC_ASSIGN(const ReadyPage page, find_ready(transaction.view(), filter));
  if (page.rows.empty()) {
    answer.more.emplace_back("task", Json(nullptr));
    return {};
  }
  CC_ASSIGN(Entry * entry, transaction.load(page.rows.front()->span_id));
  answer.task = entry;
  CC_TRY(claim(transaction, *entry, lease, false, answer.changed));
  tell_claim(*entry, answer);
  return {};
}

}  // namespace contextcore::work
