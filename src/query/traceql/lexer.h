#pragma once
// From text to tokens. Attribute names have rules of their own (they run until white space or one
// of
// {}()=~!<>&|^, and may hold quoted parts), so a whole attribute, `resource."a b".c`, is one token.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/traceql/ast.h"

namespace contextcore::traceql {

enum class TokenKind : uint8_t {
  end,
  word,       // a keyword or an identifier; text tells
  scope,      // `span:` and its like; text is the scope without the colon
  attribute,  // .x, span.x, parent.x ...; also a.b (bare, an extension)
  string,
  integer,
  real,
  duration,
  symbol,  // an operator or a bracket; text tells
};

struct Token {
  TokenKind kind = TokenKind::end;
  size_t offset = 0;
  size_t length = 0;      // bytes of source
  std::string_view text;  // the source, for word, scope and symbol
  std::string string;     // value of a string
  int64_t integer = 0;    // value of an integer, nanoseconds of a duration
  double real = 0;
  Attribute attribute;
  bool bare = false;  // attribute written without its leading dot

  bool is_symbol(std::string_view symbol) const {
    return kind == TokenKind::symbol && text == symbol;
  }
  bool is_word(std::string_view word) const { return kind == TokenKind::word && text == word; }
};

// All tokens, the last one of kind end. Views point into text. Error messages carry line and
// column, Error.position the byte offset.
Result<std::vector<Token>> tokenize(std::string_view text);

// "parse error at line 1, col 5: <what>" as Tempo words it.
Error parse_error(std::string_view text, size_t offset, std::string_view what,
                  std::string hint = {});

// Whether name can stand after a scope without quotes.
bool is_plain_attribute_name(std::string_view name);

}  // namespace contextcore::traceql
