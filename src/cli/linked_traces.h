#pragma once
// The traces of runs and tests that link to a task, hung under it.

#include "otlp/model.h"
#include "sdk/backend.h"

namespace contextcore::cli {

// trace with every trace that has a link into it: their roots become children of the span that the
// link names (of `task` when the link names none that is here).
Result<otlp::TracesData> with_linked_traces(sdk::Backend& backend, otlp::TracesData trace,
                                            const otlp::SpanId& task);

}  // namespace contextcore::cli
