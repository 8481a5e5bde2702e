#pragma once
// contextcore rebuild: every span of the journal anew from its log lines.

#include <cstdint>

#include "base/result.h"
#include "store/store.h"

namespace contextcore::work {

struct RebuildReport {
  int64_t spans = 0;     // folded from the log
  int64_t changed = 0;   // of these, how many differed from what was stored
  int64_t forwards = 0;  // of traces that were left, how many were missing or led elsewhere
};

// Folds the log of a store and writes the spans back in one transaction, unless nothing differs.
Result<RebuildReport> rebuild_store(store::Store& store);

}  // namespace contextcore::work
