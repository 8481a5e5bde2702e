#pragma once
// What the store is asked for: conditions that every matching trace satisfies (a superset; the
// engine evaluates the query itself on what comes back). Nothing is asked where a condition could
// lose a match.

#include "query/traceql/ast.h"
#include "store/fetch.h"

namespace contextcore::traceql {

// Sets conditions and all_conditions of the request. False when no trace can match at all.
bool push_down(const Pipeline& pipeline, store::FetchRequest& request);

}  // namespace contextcore::traceql
