#pragma once
// PromQL text to tokens. Keywords are case-insensitive and may be metric and label names, so they keep their text.
// Inside braces every word is an identifier; # comments to the end of the line.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace contextcore::promql {

enum class TokenKind : uint8_t {
  end,
  error,  // text is the message
  identifier,
  metric_identifier,  // with a colon
  keyword,            // word is its name
  string,             // text is the unquoted value
  number,
  duration,
  symbol,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;
  std::string word;  // of a keyword, lower case
  double value = 0;  // of numbers, and of durations in seconds
  size_t start = 0, end = 0;
};

// Ends with one end or error token; what follows an error is not looked at.
std::vector<Token> tokenize(std::string_view query);

// The token in "unexpected ..." messages.
std::string describe(const Token& token, std::string_view query);

}  // namespace contextcore::promql
