#pragma once
// Shared by the two halves of the parser: parser_field.cpp (inside braces) and parser.cpp
// (pipelines, metrics, hints). Not for use outside.

#include <string>
#include <string_view>
#include <vector>

#include "query/traceql/lexer.h"
#include "query/traceql/parser.h"

namespace contextcore::traceql {

// Binding strength of binary operators, loosest first.
enum Precedence : int {
  kLogical = 1,
  kComparison = 2,  // and structural
  kSum = 3,
  kProduct = 4,
  kPower = 5,  // to the right
};

struct OperatorToken {
  Operator op = Operator::none;
  int precedence = 0;
};

class Cursor {
 public:
  Cursor(std::string_view text, std::vector<Token> tokens, const ParseOptions& options)
      : text_(text), tokens_(std::move(tokens)), options_(options) {}

  const Token& peek() const { return tokens_[at_]; }
  const Token& peek_next() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool accept_symbol(std::string_view symbol) {
    if (!peek().is_symbol(symbol)) return false;
    ++at_;
    return true;
  }
  Status expect_symbol(std::string_view symbol);
  Position position() const { return {static_cast<uint32_t>(peek().offset)}; }
  std::string_view text() const { return text_; }

  // "syntax error: unexpected X, expecting Y" at the current token.
  Error unexpected(std::string_view expecting = {}, std::string hint = {}) const;
  Error error_at(Position position, std::string_view what, std::string hint = {}) const {
    return parse_error(text_, position.value, what, std::move(hint));
  }

  // One level of nesting for as long as the guard lives.
  class Nesting {
   public:
    explicit Nesting(int& depth) : depth_(depth) { ++depth_; }
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    int& depth_;
  };
  Nesting nest() { return Nesting(depth_); }
  Status check_nesting() const;
  // The same above braces, where the frames are larger.
  Nesting nest_pipeline() { return Nesting(pipeline_depth_); }
  Status check_pipeline_nesting() const;
  Status check_height(int height, Position position, int height_max = kHeightMax) const;

  std::vector<Extension>& extensions() { return extensions_; }
  // Notes an extension, or refuses it in portable mode.
  Status extension(Position position, std::string text, std::string standard);

 private:
  std::string_view text_;
  std::vector<Token> tokens_;
  ParseOptions options_;
  size_t at_ = 0;
  int depth_ = 0;
  int pipeline_depth_ = 0;
  std::vector<Extension> extensions_;
};

// A field expression up to a token that cannot continue it.
Result<FieldExpr> parse_field_expr(Cursor& cursor);
// An attribute or intrinsic.
Result<Attribute> parse_field(Cursor& cursor);
// A literal: string, number, duration, true, ok, server, maxInt ...; none of them gives an error.
Result<Static> parse_static(Cursor& cursor);
bool starts_static(const Token& token);
bool starts_field(const Token& token);
// The binary operator that the token is between field expressions, or none.
OperatorToken field_operator(const Token& token);

}  // namespace contextcore::traceql
