#pragma once
// A command becomes a transaction.

#include <string>

#include "base/result.h"
#include "store/journal.h"
#include "work/command.h"

namespace contextcore::work {

struct Settings {
  std::string service_name = "contextcore";
  std::string store_id;
  int64_t lease_seconds = 900;
  std::string emit_mode = "dual";  // CONTEXTCORE_EMIT_MODE: dual legacy otel
  Vocabulary vocabulary;           // types and statuses of the project's own
};

// Plans one command against a view; pure. The answer (JSON: changed, revision, the task or insight
// as task.get gives it without events, trace_id, span_id, token …, warnings) is in
// WorkTransaction::result. A call that would change nothing gives a transaction without events and
// "changed": false. Errors: invalid_argument (unknown field or value, a cycle), not_found (with
// candidates), conflict (stale token or revision), failed_precondition (ended, blocked, ended
// parent …), already_exists (id with another title).
Result<store::WorkTransaction> plan(const store::WorkView& view, const Command& command,
                                    const Settings& settings);

// commit(plan(command)) on a journal.
Result<std::string> execute(store::Journal& journal, const Command& command,
                            const Settings& settings);

}  // namespace contextcore::work
