#pragma once
// The order of rows within a segment, and the range of time that they span.

#include <cstdint>
#include <vector>

#include "store/manifest.h"
#include "store/rows.h"
#include "store/work_index.h"

namespace contextcore::store {

// Journal spans (index given): by (project, first start of the trace here, trace, start).
// Received ones (nullptr): by (first start of the trace here, trace, start).
TimeBounds sort_spans(std::vector<RowRef<SpanRows>>& rows, const WorkIndexView* index);
// By (stream, time, arrival).
TimeBounds sort_logs(std::vector<RowRef<LogRows>>& rows);

// Deals received rows out to windows of time, so that old ones can go as whole files: a list for
// each window, ascending. A window is the shortest of a day, a week, four weeks and a year with
// which there are at most `windows_max`; one list where even the longest makes more, or where
// windows would be smaller than some thousand rows. The spans of a trace stay together.
std::vector<std::vector<RowRef<SpanRows>>> by_window(std::vector<RowRef<SpanRows>> rows,
                                                     size_t windows_max);
std::vector<std::vector<RowRef<LogRows>>> by_window(std::vector<RowRef<LogRows>> rows,
                                                    size_t windows_max);

}  // namespace contextcore::store
