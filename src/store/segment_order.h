#pragma once
// The order of rows within a segment, and the range of time that they span.

#include <cstdint>
#include <vector>

#include "store/manifest.h"
#include "store/rows.h"
#include "store/tenant_groups.h"
#include "store/work_index.h"

namespace contextcore::store {

// Spans of the journal: by (project, trace, start). Received ones: span_order.h.
TimeBounds sort_journal_spans(std::vector<RowRef<SpanRows>>& rows, const WorkIndexView& index);
// By (tenant, stream, time, arrival).
TimeBounds sort_logs(std::vector<RowRef<LogRows>>& rows);
// Whose they are.
TenantRows tenant_rows(const std::vector<RowRef<LogRows>>& rows);
// A list for each group of tenants, in their order as it is.
std::vector<std::vector<RowRef<LogRows>>> by_group(std::vector<RowRef<LogRows>> rows, const TenantGroups& groups);

// Received rows are dealt out to windows of time, so that old ones can go as whole files. A window is the shortest of a
// day, a week, four weeks and a year with which there are at most `windows_max`; 0 (all are one) where even the longest
// makes more, or where windows would be smaller than some thousand rows. times_ns: of what stays together.
int64_t window_length(const std::vector<int64_t>& times_ns, size_t rows, size_t windows_max);
// The number of the window of that length which a time lies in.
int64_t window_of(int64_t time_ns, int64_t length_ns);
// A list for each window, ascending.
std::vector<std::vector<RowRef<LogRows>>> by_window(std::vector<RowRef<LogRows>> rows,
                                                    size_t windows_max);

}  // namespace contextcore::store
