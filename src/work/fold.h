#pragma once
// The event log is the truth, the span is its fold.

#include <vector>

#include "base/result.h"
#include "store/fetch.h"
#include "store/journal.h"

namespace contextcore::work {

// Every span of the journal (tasks, phases, insights, ...) from its log lines alone: what
// `contextcore rebuild` writes and what `verify` compares. Reads journal_only entries in order of
// time, revision and ordinal.
Result<std::vector<store::JournalSpan>> rebuild(const store::Source& source);

}  // namespace contextcore::work
