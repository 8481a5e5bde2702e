#include "query/traceql/parser.h"

#include "query/traceql/parser_impl.h"
#include "query/traceql/parser_pipeline.h"
#include "query/traceql/validate.h"

namespace contextcore::traceql {

namespace {

// Tempo names what it found by the kind of token.
std::string display(const Token& token) {
  switch (token.kind) {
    case TokenKind::end:
      return "$end";
    case TokenKind::attribute:
      return token.bare ? "IDENTIFIER" : std::string(token.text);
    case TokenKind::scope:
      return std::string(token.text) + ":";
    case TokenKind::string:
      return "STRING";
    case TokenKind::integer:
      return "INTEGER";
    case TokenKind::real:
      return "FLOAT";
    case TokenKind::duration:
      return "DURATION";
    case TokenKind::word:
    case TokenKind::symbol:
      return std::string(token.text);
  }
  return {};
}

Status check_length(std::string_view text, const ParseOptions& options) {
  if (text.size() <= options.query_bytes_max) return {};
  return {Code::invalid_argument, "TraceQL query of " + std::to_string(text.size()) +
                                      " bytes is longer than the allowed " +
                                      std::to_string(options.query_bytes_max)};
}

}  // namespace

Error Cursor::unexpected(std::string_view expecting, std::string hint) const {
  std::string what = "syntax error: unexpected " + display(peek());
  if (!expecting.empty()) what += ", expecting " + std::string(expecting);
  return parse_error(text_, peek().offset, what, std::move(hint));
}

Status Cursor::expect_symbol(std::string_view symbol) {
  if (accept_symbol(symbol)) return {};
  return unexpected(symbol);
}

Status Cursor::check_nesting() const {
  if (depth_ <= options_.nesting_max) return {};
  return parse_error(text_, peek().offset,
                     "nested deeper than " + std::to_string(options_.nesting_max) + " levels");
}

Status Cursor::check_pipeline_nesting() const {
  // Canonical text has at most one parenthesis for each level of the tree, and a sign.
  constexpr int kNestingMax = kPipelineHeightMax + 8;
  if (pipeline_depth_ <= kNestingMax) return {};
  return parse_error(text_, peek().offset,
                     "nested deeper than " + std::to_string(kNestingMax) + " levels");
}

Status Cursor::check_height(int height, Position position, int height_max) const {
  if (height <= height_max) return {};
  return error_at(position, "more than " + std::to_string(height_max) + " operators in a row",
                  "split the query, or use one regular expression for many values");
}

Status Cursor::extension(Position position, std::string text, std::string standard) {
  if (options_.portable) {
    return error_at(position, "'" + text + "' is not standard TraceQL",
                    standard.empty() ? "Tempo has no equivalent" : "write " + standard);
  }
  extensions_.push_back({position, std::move(text), std::move(standard)});
  return {};
}

Result<Query> parse(std::string_view text, const ParseOptions& options) {
  CC_TRY(check_length(text, options));
  CC_ASSIGN(std::vector<Token> tokens, tokenize(text));
  Cursor cursor(text, std::move(tokens), options);
  CC_ASSIGN(Query query, PipelineParser(cursor).query());
  query.extensions = std::move(cursor.extensions());
  return query;
}

Result<Query> parse_and_validate(std::string_view text, const ParseOptions& options) {
  CC_ASSIGN(Query query, parse(text, options));
  CC_TRY(validate(query, text));
  return query;
}

Result<Attribute> parse_attribute(std::string_view text) {
  const ParseOptions options;
  CC_TRY(check_length(text, options));
  CC_ASSIGN(std::vector<Token> tokens, tokenize(text));
  Cursor cursor(text, std::move(tokens), options);
  CC_ASSIGN(Attribute attribute, parse_field(cursor));
  if (cursor.peek().kind != TokenKind::end) return cursor.unexpected();
  return attribute;
}

}  // namespace contextcore::traceql
