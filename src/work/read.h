#pragma once
// Questions about work, answered from one view.

#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "store/fetch.h"
#include "store/journal.h"
#include "work/command.h"

namespace contextcore::work {

// view and source: of the same state. With as_of or known_at the question is asked of that moment
// (as_of.h).
// shown: the members of the items of lists of tasks that are looked at, others may be missing; none: all.
Result<Json> ask(const store::WorkView& view, const store::Source& source,
                 const Question& question, std::span<const std::string_view> shown = {});
// Appends the members of the answer, which is an object, as JSON text ("a":1,"b":2).
Status ask_text(const store::WorkView& view, const store::Source& source, const Question& question, std::string& out);

// Resolves what a person typed to a task's row: exact id in the project, exact id in any project
// when unique, unique prefix (in the project, else anywhere). Errors: not_found (with close ids as
// candidates), invalid_argument (ambiguous, with candidates).
Result<const store::WorkRow*> resolve_task(const store::WorkView& view, std::string_view project,
                                           std::string_view id);

// What a program means: the exact id in the project; without a project, the exact id when it is
// unique in the store. Same errors.
Result<const store::WorkRow*> find_task(const store::WorkView& view, std::string_view project,
                                        std::string_view id);
Result<const store::WorkRow*> find_insight(const store::WorkView& view, std::string_view project,
                                           std::string_view id);

}  // namespace contextcore::work
