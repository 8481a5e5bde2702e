#include "query/logql/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "query/common/lexing.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

constexpr std::array<std::string_view, 33> kFunctions = {
    "rate",
    "rate_counter",
    "count_over_time",
    "bytes_rate",
    "bytes_over_time",
    "avg_over_time",
    "sum_over_time",
    "min_over_time",
    "max_over_time",
    "stdvar_over_time",
    "stddev_over_time",
    "quantile_over_time",
    "first_over_time",
    "last_over_time",
    "absent_over_time",
    "vector",
    "sum",
    "avg",
    "max",
    "min",
    "count",
    "stddev",
    "stdvar",
    "bottomk",
    "topk",
    "approx_topk",
    "sort",
    "sort_desc",
    "label_replace",
    "bytes",
    "duration",
    "duration_seconds",
    "ip",
};

constexpr std::array<std::string_view, 22> kKeywords = {
    "by",         "without",      "bool",        "offset",     "on",     "ignoring",
    "group_left", "group_right",  "or",          "and",        "unless", "json",
    "regexp",     "logfmt",       "unpack",      "pattern",    "unwrap", "drop",
    "keep",       "label_format", "line_format", "decolorize",
};

// Longest first.
constexpr std::array<std::string_view, 30> kSymbols = {
    "|=", "|~", "|>", "=~", "==", "!=", "!~", "!>", ">=", "<=", "|", "=", ">", "<", "{",
    "}",  "(",  ")",  ",",  ".",  "+",  "-",  "*",  "/",  "%",  "^", "]", ";", "!", "~",
};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}
class Lexer {
 public:
  explicit Lexer(std::string_view query) : query_(query) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    do {
      skip_blanks();
      tokens.push_back(next());
    } while (tokens.back().kind != TokenKind::end && tokens.back().kind != TokenKind::error);
    return tokens;
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0';
  }

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
    token.offset = start;
    return token;
  }

  Token next() {
    const size_t start = at_;
    if (at_ >= query_.size()) return make(TokenKind::end, {}, start);
    const char c = query_[at_];
    if (c == '"' || c == '`') return quoted();
    if (query::is_ascii_digit(c) || (c == '.' && query::is_ascii_digit(peek(1)))) return number();
    if (c == '[') return range();
    if (c == '-') {
      for (std::string_view flag : {"--strict", "--keep-empty"}) {
        if (query_.substr(at_).starts_with(flag) && !query::is_word_start(peek(flag.size())) &&
            peek(flag.size()) != '-') {
          at_ += flag.size();
          return make(TokenKind::flag, std::string(flag), start);
        }
      }
      Token token;
      if (query::is_ascii_digit(peek(1)) && quantity(start, at_ + 1, token)) return token;
    }
    if (query::is_word_start(c)) return word();
    for (std::string_view symbol : kSymbols) {
      if (query_.substr(at_).starts_with(symbol)) {
        at_ += symbol.size();
        return make(TokenKind::symbol, std::string(symbol), start);
      }
    }
    ++at_;
    return make(TokenKind::symbol, std::string(1, c), start);
  }

  Token quoted() {
    const size_t start = at_;
    auto literal = query::scan_string_literal(query_.substr(at_));
    if (!literal.ok()) return make(TokenKind::error, literal.error().message, start);
    if (!is_valid_utf8(query_.substr(at_, literal->length))) {
      return make(TokenKind::error, "invalid UTF-8 rune", start);
    }
    at_ += literal->length;
    return make(TokenKind::string, std::move(literal->value), start);
  }

  // Digits, fraction, exponent; then perhaps a unit that makes it a duration or a size.
  Token number() {
    const size_t start = at_;
    size_t end = at_;
    while (end < query_.size() && query::is_ascii_digit(query_[end])) ++end;
    if (end < query_.size() && query_[end] == '.') {
      ++end;
      while (end < query_.size() && query::is_ascii_digit(query_[end])) ++end;
    }
    Token token;
    if (quantity(start, end, token)) return token;
    size_t exponent = end;
    if (exponent < query_.size() && (query_[exponent] == 'e' || query_[exponent] == 'E')) {
      ++exponent;
      if (exponent < query_.size() && (query_[exponent] == '+' || query_[exponent] == '-'))
        ++exponent;
      if (exponent < query_.size() && query::is_ascii_digit(query_[exponent])) {
        while (exponent < query_.size() && query::is_ascii_digit(query_[exponent])) ++exponent;
        end = exponent;
      }
    }
    at_ = end;
    return make(TokenKind::number, std::string(query_.substr(start, end - start)), start);
  }

  // True if [start, end) continued by digits and units is a duration or a size.
  bool quantity(size_t start, size_t end, Token& token) {
    size_t stop = extend(end, "nuµmshdwy");
    if (stop > end) {
      const std::string_view text = query_.substr(start, stop - start);
      auto duration = parse_duration(text);
      if (duration.ok()) {
        token = make(TokenKind::duration, std::string(text), start);
        token.value_ns = *duration;
        at_ = stop;
        return true;
      }
    }
    stop = extend(end, "BikKMGTP");
    if (stop > end && query_[start] != '-') {
      const std::string_view text = query_.substr(start, stop - start);
      uint64_t bytes = 0;
      if (parse_bytes(text, bytes)) {
        token = make(TokenKind::bytes, std::string(text), start);
        token.value_bytes = bytes;
        at_ = stop;
        return true;
      }
    }
    return false;
  }

  // The end of the run of digits, dots and unit letters; end itself if there is no unit letter.
  size_t extend(size_t end, std::string_view units) const {
    size_t stop = end;
    bool unit = false;
    while (stop < query_.size()) {
      const char c = query_[stop];
      if (units.find(c) != std::string_view::npos) {
        unit = true;
      } else if (!query::is_ascii_digit(c) && c != '.') {
        break;
      }
      ++stop;
    }
    return unit ? stop : end;
  }

  Token range() {
    const size_t start = at_;
    const size_t close = query_.find(']', at_);
    if (close == std::string_view::npos) {
      return make(TokenKind::error, "missing closing ']' in duration", start);
    }
    const std::string_view text = query_.substr(at_ + 1, close - at_ - 1);
    if (text.empty()) return make(TokenKind::error, "empty duration string", start);
    auto duration = parse_prometheus_duration(text);
    if (!duration.ok()) {
      return make(TokenKind::error, "not a valid duration string: " + quote(text), start);
    }
    Token token = make(TokenKind::range, std::string(text), start);
    token.value_ns = *duration;
    at_ = close + 1;
    return token;
  }

  Token word() {
    const size_t start = at_;
    while (at_ < query_.size() && (query::is_word_part(query_[at_]))) ++at_;
    const std::string_view text = query_.substr(start, at_ - start);
    if (!is_valid_utf8(text)) return make(TokenKind::error, "invalid UTF-8 encoding", start);
    std::string word = lower_ascii(text);
    if (std::find(kFunctions.begin(), kFunctions.end(), word) != kFunctions.end()) {
      if (before_arguments()) return make(TokenKind::function, std::move(word), start);
      return make(TokenKind::identifier, std::string(text), start);
    }
    if (std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end()) {
      return make(TokenKind::keyword, std::move(word), start);
    }
    return make(TokenKind::identifier, std::string(text), start);
  }

  // "(" or by/without and "(" comes next.
  bool before_arguments() const {
    auto skip = [&](size_t at) {
      while (at < query_.size() && is_space(query_[at])) ++at;
      return at;
    };
    size_t at = skip(at_);
    if (at < query_.size() && query_[at] == '(') return true;
    size_t end = at;
    while (end < query_.size() && query::is_word_start(query_[end])) ++end;
    const std::string word = lower_ascii(query_.substr(at, end - at));
    if (word != "by" && word != "without") return false;
    at = skip(end);
    return at < query_.size() && query_[at] == '(';
  }

  std::string_view query_;
  size_t at_ = 0;
};

}  // namespace

std::vector<Token> tokenize(std::string_view query) { return Lexer(query).run(); }

std::string token_name(const Token& token) {
  switch (token.kind) {
    case TokenKind::end:
      return "$end";
    case TokenKind::error:
      return "error";
    case TokenKind::identifier:
      return "IDENTIFIER";
    case TokenKind::string:
      return "STRING";
    case TokenKind::number:
      return "NUMBER";
    case TokenKind::duration:
      return "DURATION";
    case TokenKind::bytes:
      return "BYTES";
    case TokenKind::range:
      return "RANGE";
    case TokenKind::flag:
      return "PARSER_FLAG";
    case TokenKind::function:
    case TokenKind::keyword:
    case TokenKind::symbol:
      return token.text;
  }
  return token.text;
}

}  // namespace contextcore::logql
