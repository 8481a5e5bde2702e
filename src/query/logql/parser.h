#pragma once
// LogQL text to a validated AST.

#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/logql/ast.h"

namespace contextcore::logql {

constexpr size_t kQueryBytesMax = 131'072;

// Errors are invalid_argument; the message is Loki's ("parse error at line 1, col 7: syntax error:
// unexpected ...", "parse error : queries require at least one ..."), position the byte offset.
Result<Expr> parse(std::string_view query);

// A selector without pipeline, as the match[] of /series and the query of /labels; {} is accepted.
Result<std::vector<Matcher>> parse_matchers(std::string_view selector);

}  // namespace contextcore::logql
