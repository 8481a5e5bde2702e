#pragma once
// Which rows of a batch may satisfy a fetch request, with what the work room computes when a span
// is read left out of the pruning.

#include "base/result.h"
#include "store/fetch.h"
#include "store/journal.h"
#include "store/rows.h"

namespace contextcore::store {

// The attribute that a foreign span without an end, or with one before its start, gets when read.
inline constexpr std::string_view kEndMissingKey = "contextcore.end_missing";

// True when the stored columns do not decide the condition: the value is computed when it is read.
bool is_computed(const Condition& condition, bool journal, const WorkHooks& hooks);

// Rows (a superset) that satisfy all or any of the request's conditions. journal: rows of the
// journal.
Result<RowSet> match_conditions(const SpanRows& rows, bool journal, const WorkHooks& hooks,
                                const FetchRequest& request);

}  // namespace contextcore::store
