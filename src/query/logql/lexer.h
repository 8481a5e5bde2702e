#pragma once
// LogQL text to tokens. Words that are functions only before "(" (rate, sum, ip, bytes ...) are
// identifiers elsewhere; keywords and functions are case-insensitive; # comments to the end of the
// line.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace contextcore::logql {

enum class TokenKind : uint8_t {
  end,
  error,  // text is the message
  identifier,
  string,    // text is the unquoted value
  number,    // text is as written
  duration,  // value_ns
  bytes,     // value_bytes
  range,     // [5m]: value_ns
  flag,      // --strict, --keep-empty
  function,  // text is the lower-case name
  keyword,   // text is the lower-case word
  symbol,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;
  int64_t value_ns = 0;
  uint64_t value_bytes = 0;
  size_t offset = 0;  // of its first byte
};

// Ends with one end or error token; what follows an error is not looked at.
std::vector<Token> tokenize(std::string_view query);

// The token's name in "syntax error: unexpected ..." messages.
std::string token_name(const Token& token);

}  // namespace contextcore::logql
