#pragma once
// Changes of tasks that several commands share.

#include <string>
#include <string_view>
#include <vector>

#include "work/transaction.h"

namespace contextcore::work {

struct StatusChange {
  TaskStatus to = TaskStatus::todo;
  std::string reason;                   // blocked, failed, cancelled
  std::vector<std::string> blocked_by;  // blocked
  std::string resolution;               // leaving blocked
  std::string outcome, error_type;      // ends
  std::string_view trigger;             // "" = the command's
};

// Every status change: the specific event, what goes with it, and task.status_changed last.
// REQUIRES: the task is open and its status is another (or blocked again with other reasons).
Status change_status(Transaction& transaction, Entry& entry, const StatusChange& change);
// The status before the current one; todo when there was none.
TaskStatus former_status(const Transaction& transaction, const Entry& entry);
Result<int64_t> story_points_of(Transaction& transaction, const store::WorkRow& row);

// Adds a depends_on edge; false: it stood already. Errors: a cycle.
Result<bool> add_dependency(Transaction& transaction, Entry& entry, std::string_view project,
                            std::string_view id, DependsWhen when);
// The task that a person or a link names, as (project, id): of this project, else unique in the
// store, else as given (a link to a task not known yet is kept).
std::pair<std::string, std::string> target_of(const Transaction& transaction, const Task& from,
                                              std::string_view project, std::string_view id);

// The claim rules for commands that the holder alone may give while a claim lives: conflict for
// anybody else, for a stale token, and for a holder whose lease is over.
Status check_claim(const Transaction& transaction, const Entry& entry,
                   std::optional<int64_t> token);
Status claim(Transaction& transaction, Entry& entry, std::optional<int64_t> lease_seconds,
             bool steal, bool& changed);

Error ended_error(const Task& task);

}  // namespace contextcore::work
