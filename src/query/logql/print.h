#pragma once
// AST to canonical text: one line, one way to write each thing, as Loki's format_query mostly does.

#include <string>
#include <vector>

#include "query/logql/ast.h"

namespace contextcore::logql {

// parse() of it gives an equal Expr.
std::string print(const Expr& expr);
std::string print(const LogSelector& selector);
std::string print(const Stage& stage);
std::string print(const LabelFilter& filter);
std::string print(const std::vector<Matcher>& matchers);  // {a="b", c!="d"}
// The same over several lines where one would be longer than 100 characters; parses to an equal
// Expr too.
std::string pretty(const Expr& expr);

}  // namespace contextcore::logql
