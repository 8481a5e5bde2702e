#pragma once
// Text to AST. Recursive descent with precedence climbing over the whole grammar of TraceQL as
// Tempo has it: && and || share one level and associate to the left, comparisons and structural
// operators share the next. No input overflows the stack: nesting and height of the tree are
// bounded.

#include <string_view>

#include "base/result.h"
#include "query/traceql/ast.h"

namespace contextcore::traceql {

struct ParseOptions {
  // Refuses what Tempo's grammar does not have (Query::extensions), naming the standard form.
  bool portable = false;
  size_t query_bytes_max = 128 * 1024;
  int nesting_max = 512;  // parentheses, prefix operators and powers inside each other
};

// Syntax only. Error.position is a byte offset; the message carries line and column.
Result<Query> parse(std::string_view text, const ParseOptions& options = {});

// parse() and then validate(): what every surface that runs queries calls.
Result<Query> parse_and_validate(std::string_view text, const ParseOptions& options = {});

// One attribute or intrinsic, as names in the tag APIs are written: "span.x", ".x", "name".
Result<Attribute> parse_attribute(std::string_view text);

}  // namespace contextcore::traceql
