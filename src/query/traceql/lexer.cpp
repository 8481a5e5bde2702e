#include "query/traceql/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/time.h"
#include "base/utf8.h"
#include "query/common/lexing.h"

namespace contextcore::traceql {

namespace {

using query::is_ascii_digit;
using query::is_word_part;
using query::is_word_start;

bool ends_attribute(std::string_view rest) {
  if (rest.empty()) return true;
  size_t space = 0;
  return std::string_view("{}()=~!<>&|^,").find(rest[0]) != std::string_view::npos ||
         query::starts_with_space(rest, space);
}

// Longest first: the scan takes the first that fits.
constexpr std::array<std::string_view, 35> kSymbols = {
    "!>>", "!<<", "&>>", "&<<", "!=", "=~", "!~", ">=", "<=", "&&", "||", ">>",
    "<<",  "!>",  "!<",  "&~",  "&>", "&<", "!",  "=",  "<",  ">",  "~",  "|",
    "+",   "-",   "*",   "/",   "%",  "^",  "{",  "}",  "(",  ")",  ","};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    if (const size_t bad = first_invalid_utf8(text_); bad != std::string_view::npos) {
      return parse_error(text_, bad, "invalid UTF-8 encoding");
    }
    std::vector<Token> tokens;
    for (;;) {
      CC_TRY(skip_blanks());
      Token token;
      token.offset = at_;
      if (at_ == text_.size()) {
        tokens.push_back(std::move(token));
        return tokens;
      }
      CC_TRY(read(token));
      token.length = at_ - token.offset;
      token.attribute.position.value = static_cast<uint32_t>(token.offset);
      if (token.text.empty()) token.text = text_.substr(token.offset, token.length);
      tokens.push_back(std::move(token));
    }
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }
  Error error(std::string_view what, std::string hint = {}) const {
    return parse_error(text_, at_, what, std::move(hint));
  }

  Status skip_blanks() {
    for (;;) {
      while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos)
        ++at_;
      if (rest().starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (rest().starts_with("/*")) {
        const size_t close = text_.find("*/", at_ + 2);
        if (close == text_.npos) return error("comment not terminated");
        at_ = close + 2;
      } else {
        return {};
      }
    }
  }

  Status read(Token& token) {
    const char c = text_[at_];
    if (c == '"' || c == '`') return read_string(token);
    if (is_ascii_digit(c)) return read_number(token);
    if (c == '.') {
      if (at_ + 1 < text_.size() && is_ascii_digit(text_[at_ + 1])) return read_number(token);
      ++at_;
      return read_attribute(token, "a name is expected after '.'");
    }
    size_t space = 0;
    if (query::starts_with_space(rest(), space)) {
      return error("unexpected white space character", "use plain blanks between words");
    }
    if (is_word_start(c)) return read_word(token);
    if (c == '\'') {
      return error("syntax error: unexpected '", "strings stand in double quotes or backticks");
    }
    for (const std::string_view symbol : kSymbols) {
      if (rest().starts_with(symbol)) {
        token.kind = TokenKind::symbol;
        token.text = text_.substr(at_, symbol.size());
        at_ += symbol.size();
        return {};
      }
    }
    return error("syntax error: unexpected " + quoted_character(),
                 c == '&' ? "and is written &&" : "");
  }

  std::string quoted_character() const {
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c < 0x20 || c == 0x7F) return "control character";
    return std::string(rest().substr(0, query::utf8_length(rest())));
  }

  Status read_string(Token& token) {
    auto literal = query::scan_string_literal(rest());
    if (!literal.ok()) {
      const auto offset = static_cast<size_t>(literal.error().position.value_or(0));
      return parse_error(text_, at_ + offset, literal.error().message);
    }
    token.kind = TokenKind::string;
    token.string = std::move(literal->value);
    at_ += literal->length;
    return {};
  }

  // A number, or a duration when letters follow it directly.
  Status read_number(Token& token) {
    bool is_real = false;
    const size_t length = query::scan_number(rest(), is_real);
    size_t long_length = length;
    while (at_ + long_length < text_.size()) {
      const std::string_view more = rest().substr(long_length);
      if (more.starts_with("\u00b5")) {
        long_length += 2;
      } else if (is_ascii_digit(more[0]) ||
                 std::string_view("nsumhdwy.").find(more[0]) != std::string_view::npos) {
        ++long_length;
      } else {
        break;
      }
    }
    if (long_length > length) {
      const std::string_view candidate = rest().substr(0, long_length);
      auto duration = parse_prometheus_duration(candidate);
      if (!duration.ok()) duration = parse_go_duration(candidate);
      if (duration.ok()) {
        token.kind = TokenKind::duration;
        token.integer = *duration;
        at_ += long_length;
        return {};
      }
    }
    return finish_number(token, rest().substr(0, length), is_real);
  }

  Status finish_number(Token& token, std::string_view digits, bool is_real) {
    const char* last = digits.data() + digits.size();
    if (is_real) {
      token.kind = TokenKind::real;
      const auto [end, code] = std::from_chars(digits.data(), last, token.real);
      if (code != std::errc() || end != last) return error("number out of range");
    } else {
      token.kind = TokenKind::integer;
      const auto [end, code] = std::from_chars(digits.data(), last, token.integer);
      if (code != std::errc() || end != last) return error("integer out of range");
    }
    at_ += digits.size();
    if (at_ < text_.size() && is_word_start(text_[at_])) {
      const size_t start = at_;
      while (at_ < text_.size() && is_word_part(text_[at_])) ++at_;
      const std::string suffix(text_.substr(start, at_ - start));
      at_ = start;
      return error("syntax error: unexpected IDENTIFIER '" + suffix + "' after a number",
                   "durations look like 1h30m, 1.5s, 100ms");
    }
    return {};
  }

  Status read_word(Token& token) {
    const size_t start = at_;
    while (at_ < text_.size() && is_word_part(text_[at_]) && !ends_attribute(rest())) ++at_;
    if (at_ == start) return error("syntax error: unexpected character");
    const std::string_view word = text_.substr(start, at_ - start);
    const char next = at_ < text_.size() ? text_[at_] : ' ';
    if (next == ':' && (word == "span" || word == "trace" || word == "event" || word == "link" ||
                        word == "instrumentation")) {
      ++at_;
      token.kind = TokenKind::scope;
      token.text = word;
      return {};
    }
    if (next == '.') {
      ++at_;
      return read_dotted(token, word);
    }
    token.kind = TokenKind::word;
    token.text = word;
    return {};
  }

  // text_[at_ - 1] is the dot after word: a scope, or the bare form of an unscoped attribute.
  Status read_dotted(Token& token, std::string_view word) {
    if (word == "parent") {
      token.attribute.of_parent = true;
      for (const Scope scope : {Scope::span, Scope::resource}) {
        const std::string prefix = std::string(traceql::word(scope)) + ".";
        if (rest().starts_with(prefix)) {
          token.attribute.scope = scope;
          at_ += prefix.size();
        }
      }
      return read_attribute(token, "a name is expected after 'parent.'");
    }
    for (const Scope scope :
         {Scope::span, Scope::resource, Scope::event, Scope::link, Scope::instrumentation}) {
      if (word == traceql::word(scope)) {
        token.attribute.scope = scope;
        return read_attribute(token, "a name is expected after '" + std::string(word) + ".'");
      }
    }
    CC_TRY(read_attribute(token, "syntax error: unexpected ."));
    token.bare = true;
    token.attribute.name = std::string(word) + "." + token.attribute.name;
    return {};
  }

  Status read_attribute(Token& token, std::string_view when_empty) {
    token.kind = TokenKind::attribute;
    if (ends_attribute(rest())) return error(when_empty);
    std::string& name = token.attribute.name;
    while (!ends_attribute(rest())) {
      if (text_[at_] == '"') {
        CC_TRY(read_quoted_part(name));
      } else {
        name.push_back(text_[at_]);
        ++at_;
      }
    }
    return {};
  }

  Status read_quoted_part(std::string& name) {
    for (++at_; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '"') {
        ++at_;
        return {};
      }
      if (c == '\\') {
        ++at_;
        if (at_ == text_.size()) break;
        c = text_[at_];
        if (c != '"' && c != '\\') return error("invalid escape sequence");
      }
      name.push_back(c);
    }
    return error("unexpected EOF, expecting \"");
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view text) { return Lexer(text).run(); }

Error parse_error(std::string_view text, size_t offset, std::string_view what, std::string hint) {
  Error error;
  error.code = Code::invalid_argument;
  error.message =
      "parse error at " + query::describe_position(text, offset) + ": " + std::string(what);
  error.hint = std::move(hint);
  error.position = static_cast<int64_t>(offset);
  return error;
}

bool is_plain_attribute_name(std::string_view name) {
  if (name.empty()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '"' || ends_attribute(name.substr(i))) return false;
  }
  return true;
}

}  // namespace contextcore::traceql
