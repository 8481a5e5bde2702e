#pragma once
// PromQL text to a checked AST.

#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/promql/ast.h"

namespace contextcore::promql {

constexpr size_t kQueryBytesMax = 131'072;

// Errors are invalid_argument; the message is Prometheus' ("1:8: parse error: unexpected end of input"), position the
// byte offset.
Result<Expr> parse(std::string_view query);

// A selector alone, as the match[] of /series: foo{bar="baz"}. The matcher of the name is among them.
Result<std::vector<Matcher>> parse_matchers(std::string_view selector);

// "1:8: parse error: message"
Error parse_error(std::string_view query, size_t at, std::string_view message);

}  // namespace contextcore::promql
