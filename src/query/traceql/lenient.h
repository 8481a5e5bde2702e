#pragma once
// The filter of a query that somebody is still typing.

#include <optional>
#include <string_view>

#include "query/traceql/ast.h"

namespace contextcore::traceql {

// The first filter of the query. Conditions that are not whole yet hold for every span. nullopt for
// a query that does not start with one filter, or that is no query.
std::optional<FieldExpr> lenient_filter(std::string_view text);

}  // namespace contextcore::traceql
