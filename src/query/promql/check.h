#pragma once
// What the grammar cannot say: types, counts of arguments, matchers that select something.

#include <string_view>

#include "base/result.h"
#include "query/promql/ast.h"

namespace contextcore::promql {

// Errors are parse errors with the position of the offending part.
Status check(const Expr& expr, std::string_view query);

// True if the matcher accepts the empty string, and with it series without the label.
bool matches_empty(const Matcher& matcher);

}  // namespace contextcore::promql
