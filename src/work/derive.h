#pragma once
// Derived values of one open task: pure, shared by plans and rebuilds.

#include <functional>

#include "work/task.h"

namespace contextcore::work {

using RowLookup = std::function<const store::WorkRow*(const otlp::SpanId&)>;

// Counts, open children and waiting_on. children: sums over them. An ended task is left as its end
// froze it.
void derive_task(Task& task, const store::WorkTally& children, const RowLookup& row);

}  // namespace contextcore::work
