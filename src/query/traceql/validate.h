#pragma once
// What parses and still makes no sense: operands of different types, filters that are no condition,
// broken regular expressions, limits of the metrics functions. Messages are Tempo's where it has
// one, with the position added.

#include <string_view>

#include "base/result.h"
#include "query/traceql/ast.h"

namespace contextcore::traceql {

// invalid_argument, or unsupported for what neither Tempo nor we evaluate. text is the query that was parsed, for positions.
Status validate(const Query& query, std::string_view text);

}  // namespace contextcore::traceql
