#pragma once
// From AST back to text.

#include <string>

#include "query/promql/ast.h"

namespace contextcore::promql {

// One line, as the original writes it.
std::string print(const Expr& expr);
// Lines of about 100 characters, indented by two blanks per level: what format_query answers.
std::string print_pretty(const Expr& expr);

// foo{bar="baz"} without range and shift.
std::string print_selector(const VectorSelector& selector);
// bar="baz"
std::string print(const Matcher& matcher);
// A label where it may need quotes.
std::string print_label(std::string_view name);

}  // namespace contextcore::promql
