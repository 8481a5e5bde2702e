#pragma once
// Work-index rows of spans.

#include "store/journal.h"
#include "work/event.h"
#include "work/task.h"

namespace contextcore::work {

// The stream that the journal's log events go to, unless configured otherwise.
inline constexpr std::string_view kJournalService = "contextcore";

store::WorkRow row_of(const store::JournalSpan& span);
store::WorkRow row_of(const Task& task);
// WorkKey::of(row_of(task)), borrowed of the task.
store::WorkKey key_of(const Task& task);

}  // namespace contextcore::work
