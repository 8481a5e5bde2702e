#pragma once
// The two halves of engine.h behind one door each. Private to this folder.

#include "query/logql/engine.h"

namespace contextcore::logql {

Result<Streams> query_logs(const store::Source& source, const LogSelector& selector,
                           const RangeParams& params, Statistics& statistics);

}  // namespace contextcore::logql
