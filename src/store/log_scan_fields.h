#pragma once
// What bulk reads of log rows give of bodies that are stored as fields (LogBatch::fields).

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "store/log_batch.h"
#include "store/log_fields.h"

namespace contextcore::store {

// Calls fn(k, i) for row k of the list, which ascends: i is the value of the column, or npos.
template <typename Fn>
void for_each_value(const ColumnView& view, const std::vector<uint32_t>& rows, Fn fn) {
  if (view.rows == nullptr) {
    for (size_t k = 0; k < rows.size(); ++k) {
      const size_t at = size_t{rows[k]} - view.first;  // wraps before the first
      fn(k, at < view.count ? at : ColumnView::npos);
    }
    return;
  }
  const uint32_t* at = view.rows;
  const uint32_t* const end = view.rows + view.count;
  for (size_t k = 0; k < rows.size(); ++k) {
    // Rows that are wanted may be few: no walk over all that lies between.
    if (at != end && *at < rows[k] && ++at != end && *at < rows[k]) at = std::lower_bound(at, end, rows[k]);
    fn(k, at != end && *at == rows[k] ? static_cast<size_t>(at - view.rows) : ColumnView::npos);
  }
}

// Of the rows of a source, which has to live as long: entry k is row rows[k]. REQUIRES: rows ascend
Result<std::unique_ptr<LogFields>> make_log_fields(const ColumnSource& source, std::vector<uint32_t> rows);

}  // namespace contextcore::store
