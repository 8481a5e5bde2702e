#pragma once
// Changes of tasks that several commands share.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "work/args.h"
#include "work/transaction.h"

namespace contextcore::work {

// A status: one of the built-in ones, or one of the project's own that behaves like it.
struct StatusName {
  TaskStatus base = TaskStatus::todo;
  std::string own;
};
// Errors: an unknown name.
Result<StatusName> status_of(const Transaction& transaction, std::string_view name);

struct StatusChange {
  TaskStatus to = TaskStatus::todo;
  std::string own;                      // name of the project's own status, "" = a built-in one
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
StatusName former_status(const Transaction& transaction, const Entry& entry);
// What task.status_changed and task.released say.
Line status_line(std::string_view from, const StatusName& to, int64_t in_status_ns);
Line released_line(const Entry& entry, std::string_view reason);

// Puts a task under another parent ("": none), with all that is below it. False: it is there
// already. Errors: an unknown or ended parent, a cycle.
Result<bool> set_parent(Transaction& transaction, Entry& entry, const std::string& parent_id);
// Opens an ended task again. Errors: an ended or deleted parent.
Status reopen(Transaction& transaction, Entry& entry, const StatusName& to,
              std::string_view reason);
// Errors: children that would be left behind.
Status delete_task(Transaction& transaction, Entry& entry, std::string_view reason, bool subtree);
Status undelete_task(Transaction& transaction, Entry& entry, std::string_view reason, bool subtree);

// One field of a task as task.edited tells it: "" = not set.
std::string edit_text(const Task& task, std::string_view field);
// The names that edit_text knows, a caller's own attributes of both tasks included.
std::vector<std::string> edit_fields(const Task& a, const Task& b);
// False: it is so already.
Result<bool> edit_field(Transaction& transaction, Entry& entry, std::string_view field,
                        const std::string& to);

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

// Writes what `results` of args says of the deliverables. Errors: a result of none of them, two of
// one, a task without deliverables.
Status verify_deliverables(Transaction& transaction, Entry& entry, const Args& args);
// Back to what had been found before: so many good, or not looked at yet.
Status restore_verification(Transaction& transaction, Entry& entry,
                            const std::optional<int64_t>& verified);

Error ended_error(const Task& task);

}  // namespace contextcore::work
