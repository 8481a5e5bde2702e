#include "query/promql/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "query/common/lexing.h"
#include "query/common/text.h"

namespace contextcore::promql {
namespace {

constexpr std::array<std::string_view, 36> kKeywords = {
    "and",    "or",        "unless",     "atan2", "sum",     "avg",          "count",    "min",        "max",
    "group",  "stddev",    "stdvar",     "topk",  "bottomk", "count_values", "quantile", "limitk",     "limit_ratio",
    "offset", "smoothed",  "anchored",   "by",    "without", "on",           "ignoring", "group_left", "group_right",
    "fill",   "fill_left", "fill_right", "bool",  "start",   "end",          "step",     "range",      "max_of",
};
constexpr std::string_view kMinOf = "min_of";
constexpr std::array<std::string_view, 12> kAggregators = {
    "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk", "count_values", "quantile"};
// Longest first.
constexpr std::array<std::string_view, 16> kSymbols = {"==", "!=", "<=", ">=", "=", "<", ">", "+",
                                                       "-",  "*",  "/",  "%",  "^", "@", ",", ":"};
constexpr std::string_view kOperators = "+-*/%^<>=!";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || query::is_ascii_digit(c); }

bool is_keyword(std::string_view word) {
  return word == kMinOf || std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end();
}

// Digits with underscores between them, decimal or 0x; false when it is no number.
bool read_number(std::string_view text, double& out) {
  std::string digits;
  for (const char c : text) {
    if (c != '_') digits.push_back(c);
  }
  if (digits.size() > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data() + 2, digits.data() + digits.size(), value, 16);
    out = static_cast<double>(value);
    return error == std::errc() && end == digits.data() + digits.size() && value <= INT64_MAX;
  }
  // A leading 0 means octal where octal digits follow it, as in Go.
  const bool octal = digits.size() > 1 && digits[0] == '0' &&
                     std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '7'; });
  if (octal) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
    if (error == std::errc()) {
      out = static_cast<double>(value);
      return true;
    }
  }
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  // Too small is 0, too large is an error.
  if (error == std::errc::result_out_of_range && digits.find("e-") != std::string::npos) {
    out = 0;
    return true;
  }
  return error == std::errc() && end == digits.data() + digits.size();
}

class Lexer {
 public:
  explicit Lexer(std::string_view query) : query_(query) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    do {
      skip_blanks();
      tokens.push_back(next());
      tokens.back().end = at_;
    } while (tokens.back().kind != TokenKind::end && tokens.back().kind != TokenKind::error);
    return tokens;
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0'; }

  void skip_blanks() {
    while (at_ < query_.size()) {
      if (is_space(query_[at_])) {
        ++at_;
      } else if (query_[at_] == '#') {
        at_ = std::min(query_.find('\n', at_), query_.size());
      } else {
        return;
      }
    }
  }

  Token make(TokenKind kind, std::string text, size_t start) const {
    Token token;
    token.kind = kind;
    token.text = std::move(text);
    token.start = start;
    return token;
  }
  Token error(std::string message, size_t start) const { return make(TokenKind::error, std::move(message), start); }

  // 'x', as Go's %q of the character at at_.
  std::string quoted_character() const {
    const std::string text(query_.substr(at_, query::utf8_length(query_.substr(at_))));
    if (text == "'") return "'\\''";
    std::string out = query::quote(text);
    out.front() = out.back() = '\'';
    return out == "'\\\"'" ? "'\"'" : out;
  }

  Token next() {
    const size_t start = at_;
    if (at_ >= query_.size()) return at_end();
    const char c = query_[at_];
    if (c == '"' || c == '\'' || c == '`') return string();
    if (braces_) return inside_braces();
    if (query::is_ascii_digit(c) || (c == '.' && query::is_ascii_digit(peek(1)))) return number();
    if (is_letter(c) || (c == ':' && !brackets_)) return word();
    if (c == '(' || c == ')' || c == '{' || c == '[' || c == ']') return bracket(c);
    if (c == ':' && colon_) return error("unexpected colon ':'", start);
    if (c == '!' && peek(1) != '=') {
      ++at_;
      return error("unexpected character after '!': " + (at_ < query_.size() ? quoted_character() : "'\\ufffd'"),
                   start);
    }
    if (c == '=' && peek(1) == '~') return error("unexpected character after '=': '~'", start);
    if ((c == '<' || c == '>') && peek(1) == '/') {
      at_ += 2;
      return make(TokenKind::symbol, std::string(1, c) + "/", start);
    }
    for (const std::string_view symbol : kSymbols) {
      if (!query_.substr(at_).starts_with(symbol)) continue;
      at_ += symbol.size();
      colon_ = colon_ || symbol == ":";
      return make(TokenKind::symbol, std::string(symbol), start);
    }
    return error("unexpected character: " + quoted_character(), start);
  }

  Token at_end() const {
    if (braces_) return error("unexpected end of input inside braces", at_);
    if (parentheses_ > 0) return error("unclosed left parenthesis", at_);
    if (brackets_) return error("unclosed left bracket", at_);
    return make(TokenKind::end, {}, at_);
  }

  Token bracket(char c) {
    const size_t start = at_++;
    if (c == '(') ++parentheses_;
    if (c == ')' && --parentheses_ < 0) return error("unexpected right parenthesis ')'", start);
    if (c == '{') braces_ = true;
    if (c == '[') {
      if (brackets_) return error("unexpected left bracket '['", start);
      brackets_ = true;
      colon_ = false;
    }
    if (c == ']') {
      if (!brackets_) return error("unexpected right bracket ']'", start);
      brackets_ = false;
    }
    return make(TokenKind::symbol, std::string(1, c), start);
  }

  Token inside_braces() {
    const size_t start = at_;
    const char c = query_[at_];
    if (is_letter(c)) {
      while (is_word(peek())) ++at_;
      return make(TokenKind::identifier, std::string(query_.substr(start, at_ - start)), start);
    }
    for (const std::string_view symbol : {"=~", "!~", "!=", "=", ",", "}"}) {
      if (!query_.substr(at_).starts_with(symbol)) continue;
      at_ += symbol.size();
      if (symbol == "}") braces_ = false;
      return make(TokenKind::symbol, std::string(symbol), start);
    }
    if (c == '!') {
      ++at_;
      return error(
          "unexpected character after '!' inside braces: " + (at_ < query_.size() ? quoted_character() : "'\\ufffd'"),
          start);
    }
    if (c == '{') return error("unexpected left brace '{'", start);
    return error("unexpected character inside braces: " + quoted_character(), start);
  }

  // "..." and '...' with escapes, `...` without.
  Token string() {
    const size_t start = at_;
    const char quote = query_[at_];
    std::string source;  // as scan_string_literal wants it
    if (quote != '\'') {
      auto literal = query::scan_string_literal(query_.substr(at_));
      return literal.ok() ? take_string(*literal, literal->length) : bad_string(literal.error(), quote);
    }
    // The quotes change places: inside '...' a " stands for itself and ' needs the backslash.
    size_t end = at_ + 1;
    source = "\"";
    while (end < query_.size() && query_[end] != '\'' && query_[end] != '\n') {
      const char c = query_[end];
      const char following = end + 1 < query_.size() ? query_[end + 1] : '\0';
      if (c == '\\' && following == '"') return error("unknown escape sequence U+0022 '\"'", end);
      if (c == '\\' && following == '\'') {
        source += '\'';
        end += 2;
      } else if (c == '\\' && end + 1 < query_.size()) {
        source += {c, following};
        end += 2;
      } else {
        if (c == '"') source += '\\';
        source += c;
        ++end;
      }
    }
    if (end >= query_.size() || query_[end] == '\n') return error("unterminated quoted string", start);
    source += '"';
    auto literal = query::scan_string_literal(source);
    return literal.ok() ? take_string(*literal, end + 1 - start) : bad_string(literal.error(), quote);
  }

  Token take_string(query::StringLiteral& literal, size_t length) {
    const size_t start = at_;
    if (!is_valid_utf8(query_.substr(at_, length))) return error("invalid UTF-8 rune", start);
    at_ += length;
    return make(TokenKind::string, std::move(literal.value), start);
  }

  Token bad_string(const Error& reason, char quote) const {
    if (reason.message != "literal not terminated") return error(reason.message, at_);
    return error(quote == '`' ? "unterminated raw string" : "unterminated quoted string", at_);
  }

  Token number() {
    const size_t start = at_;
    size_t end = start;
    const bool hex = query_[start] == '0' && (peek(1) == 'x' || peek(1) == 'X');
    while (end < query_.size() && (is_word(query_[end]) || query_[end] == '.' || is_exponent_sign(start, end, hex)))
      ++end;
    const std::string_view text = query_.substr(start, end - start);
    at_ = end;
    Token token;
    if (is_number(text, hex)) {
      token = make(TokenKind::number, std::string(text), start);
      if (!read_number(text, token.value)) return error("bad number or duration syntax: " + query::quote(text), start);
      return token;
    }
    const auto duration = parse_prometheus_duration(text);
    if (!duration.ok() || text.find_first_not_of("0123456789ymwdhs") != std::string_view::npos || text == "0") {
      return error("bad number or duration syntax: " + query::quote(text), start);
    }
    token = make(TokenKind::duration, std::string(text), start);
    token.value = static_cast<double>(*duration) / static_cast<double>(kSecondNs);
    return token;
  }

  // The + or - of 1e+5.
  bool is_exponent_sign(size_t start, size_t at, bool hex) const {
    return !hex && at > start && (query_[at] == '+' || query_[at] == '-') &&
           (query_[at - 1] == 'e' || query_[at - 1] == 'E');
  }

  // Its form; underscores stand between digits, one at a time.
  static bool is_number(std::string_view text, bool hex) {
    if (text.find("__") != std::string_view::npos || text.ends_with('_')) return false;
    if (hex) {
      return text.size() > 2 && text.find_first_not_of("0123456789abcdefABCDEF_", 2) == std::string_view::npos;
    }
    size_t at = 0;
    const auto digits = [&] {
      const size_t from = at;
      while (at < text.size() && (query::is_ascii_digit(text[at]) || (text[at] == '_' && at > from))) ++at;
      return at > from && text[at - 1] != '_';
    };
    bool any = digits();
    if (at < text.size() && text[at] == '.') {
      if (at > 0 && text[at - 1] == '_') return false;
      ++at;
      any = digits() || any;
    }
    if (!any) return false;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
      ++at;
      if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
      if (!digits()) return false;
    }
    return at == text.size();
  }

  Token word() {
    const size_t start = at_;
    if (brackets_) return word_in_brackets();
    while (is_word(peek()) || peek() == ':') ++at_;
    const std::string text(query_.substr(start, at_ - start));
    const std::string name = lower_ascii(text);
    if (name == "inf" || name == "nan") {
      Token token = make(TokenKind::number, text, start);
      token.value = name == "inf" ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
      return token;
    }
    if (is_keyword(name) && !(name.starts_with("fill") && !before_parenthesis())) {
      Token token = make(TokenKind::keyword, text, start);
      token.word = name;
      return token;
    }
    const bool colon = text.find(':') != std::string::npos;
    return make(colon ? TokenKind::metric_identifier : TokenKind::identifier, text, start);
  }

  // Durations may be made of these, where the original lets them.
  Token word_in_brackets() {
    const size_t start = at_;
    while (is_word(peek())) ++at_;
    Token token = make(TokenKind::keyword, std::string(query_.substr(start, at_ - start)), start);
    token.word = lower_ascii(token.text);
    if (token.word == "step" || token.word == "range" || token.word == "max_of" || token.word == kMinOf) return token;
    at_ = start;
    return error("unexpected character: " + quoted_character() + ", expected ':'", start);
  }

  bool before_parenthesis() const {
    size_t at = at_;
    while (at < query_.size() && is_space(query_[at])) ++at;
    return at < query_.size() && query_[at] == '(';
  }

  std::string_view query_;
  size_t at_ = 0;
  int parentheses_ = 0;
  bool braces_ = false, brackets_ = false, colon_ = false;
};

}  // namespace

std::vector<Token> tokenize(std::string_view query) { return Lexer(query).run(); }

std::string describe(const Token& token, std::string_view query) {
  const std::string source(query.substr(token.start, token.end - token.start));
  constexpr size_t kShown = 10;
  const std::string shown =
      source.size() <= kShown ? query::quote(source) : query::quote(source.substr(0, kShown)) + "...";
  switch (token.kind) {
    case TokenKind::end:
      return "end of input";
    case TokenKind::error:
      return token.text;
    case TokenKind::identifier:
      return "identifier " + shown;
    case TokenKind::metric_identifier:
      return "metric identifier " + shown;
    case TokenKind::string:
      return "string " + shown;
    case TokenKind::number:
      return "number " + shown;
    case TokenKind::duration:
      return "duration " + shown;
    case TokenKind::keyword:
      if (std::find(kAggregators.begin(), kAggregators.end(), token.word) != kAggregators.end()) {
        return "<aggr:" + source + ">";
      }
      if (token.word == "and" || token.word == "or" || token.word == "unless" || token.word == "atan2") {
        return "<op:" + source + ">";
      }
      return "<" + source + ">";
    case TokenKind::symbol:
      break;
  }
  const bool is_operator =
      source.find_first_not_of(kOperators) == std::string::npos && source != "=" && !source.empty();
  return is_operator ? "<op:" + source + ">" : query::quote(source);
}

}  // namespace contextcore::promql
