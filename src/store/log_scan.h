#pragma once
// Bulk reads of log rows (log_batch.h): which rows of some columns are wanted, and what is wanted of them as columns.
// A name of structured metadata is answered from the columns that can hold it where that is plain to see; where it is
// not (a list of attributes that overflows, two columns for one name, values within values), the rows are put together
// one by one.

#include <functional>
#include <memory>
#include <vector>

#include "store/log_parts.h"
#include "store/rows_logs.h"

namespace contextcore::store {

// The objects that the numbers of resources and scopes name.
struct LogObjects {
  std::function<Result<std::shared_ptr<const otlp::Resource>>(uint64_t)> resource;
  std::function<Result<std::shared_ptr<const otlp::Scope>>(uint64_t)> scope;
};

// Adds what the scan wants of rows [first, end) to an empty batch. borrow: texts may point into the columns.
Status scan_log_rows(const ColumnSource& source, size_t first, size_t end, const LogScan& scan,
                     const LogObjects& objects, bool borrow, LogBatch& batch, std::vector<uint32_t>& streams);

}  // namespace contextcore::store
