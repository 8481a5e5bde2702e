#pragma once
// What the store is asked for: conditions that every matching trace satisfies (a superset; the
// engine evaluates the query itself on what comes back). Nothing is asked where a condition could
// lose a match.

#include <optional>
#include <vector>

#include "query/traceql/ast.h"
#include "store/fetch.h"

namespace contextcore::traceql {

// The conditions, all to hold of one span, that say exactly what the filter says; nullopt when it
// says more than such conditions can.
std::optional<std::vector<store::Condition>> exact_conditions(const FieldExpr& filter);

// Sets conditions and all_conditions of the request. False when no trace can match at all.
bool push_down(const Pipeline& pipeline, store::FetchRequest& request);

}  // namespace contextcore::traceql
