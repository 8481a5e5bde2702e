#pragma once
// What the grammar cannot say: checks on parts of a query. Messages are without "parse error".

#include "base/result.h"
#include "query/logql/ast.h"

namespace contextcore::logql {

// The regular expression compiles.
Status validate(const Matcher& matcher);
Status validate(const Stage& stage);
Status validate(const LabelFilter& filter);
Status validate(const RangeAggregation& aggregation);

// At least one matcher cannot match the empty string.
Status require_selective(const std::vector<Matcher>& matchers);

// True if the matcher accepts the empty string, and with it streams without the label.
bool matches_empty(const Matcher& matcher);

// How Loki's operations differ from Prometheus'.
inline constexpr query::MatchRules kMatchRules = {.metric_names = false,
                                                  .zero_division_is_nan = true};

// literal op literal; division and modulo by zero give NaN. REQUIRES: op is not or, and, unless
double fold(BinaryOp op, double left, double right);

}  // namespace contextcore::logql
