#pragma once
// AST to text, in one canonical form of Tempo's grammar: parse(to_string(q)) equals q, and
// to_string of that is the same text. Mixed && and || always get parentheses, since they share one
// precedence.

#include <string>

#include "query/traceql/ast.h"

namespace contextcore::traceql {

std::string to_string(const Query& query);
std::string to_string(const Pipeline& pipeline);
std::string to_string(const SpansetExpr& expr);
std::string to_string(const FieldExpr& expr);
std::string to_string(const ScalarExpr& expr);
std::string to_string(const ScalarFilter& filter);
std::string to_string(const Aggregate& aggregate);
std::string to_string(const Metrics& metrics);
std::string to_string(const SecondStage& stage);
// "span.x", ".x", "name"; also the key under which results carry a group value.
std::string to_string(const Attribute& attribute);
std::string to_string(const Static& value);

}  // namespace contextcore::traceql
