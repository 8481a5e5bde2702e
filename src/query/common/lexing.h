#pragma once
// What the lexers of the query languages share: positions, string literals, quoting. The languages
// come from Go programs, so literals follow Go's rules. Pure functions.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace contextcore::query {

// 1-based; columns count characters (UTF-8 sequences), not bytes.
struct LineColumn {
  int line = 1;
  int column = 1;
};
LineColumn line_column(std::string_view text, size_t offset);
// "line 2, col 7"
std::string describe_position(std::string_view text, size_t offset);

struct StringLiteral {
  std::string value;
  size_t length = 0;  // bytes of source, quotes included
};
// A Go string literal at the start of text: "..." with escapes, or `...` raw (carriage returns
// dropped). REQUIRES: text starts with one of the quotes. Error.position is relative to text.
Result<StringLiteral> scan_string_literal(std::string_view text);

// A literal that scan_string_literal reads back to the same bytes: raw where that saves escapes
// (regular expressions), double-quoted otherwise.
std::string quote_string(std::string_view value);

// Length of the decimal or prefixed number that starts text, by Go's lexical rules, or 0. is_float
// tells whether it has a fraction or an exponent.
size_t scan_number(std::string_view text, bool& is_float);

// Bytes of the UTF-8 sequence that starts text (at least 1, even when it is broken), 0 when empty.
size_t utf8_length(std::string_view text);
// Unicode white space as Go's unicode.IsSpace has it. length receives its bytes when true.
bool starts_with_space(std::string_view text, size_t& length);

inline bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
// Letters, underscore and everything outside ASCII.
inline bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
inline bool is_word_part(char c) { return is_word_start(c) || is_ascii_digit(c); }

}  // namespace contextcore::query
