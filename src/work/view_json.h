#pragma once
// Tasks and insights as answers show them.

#include "base/json.h"
#include "store/journal.h"
#include "work/event.h"
#include "work/sprint.h"
#include "work/task.h"

namespace contextcore::work {

// row: of the same state, with the lease as the index knows it.
Json task_json(const Task& task, const store::WorkRow& row, int64_t now_ns);
Json insight_json(const store::JournalSpan& insight, const store::WorkRow& row, int64_t now_ns);
Json sprint_json(const Sprint& sprint);
Json event_json(const Event& event);

}  // namespace contextcore::work
