#pragma once
// The recursive-descent parser; parser.cpp has metric expressions, parser_stages.cpp selectors and
// pipelines. Private to this folder.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/logql/ast.h"
#include "query/logql/lexer.h"

namespace contextcore::logql {

class Parser {
 public:
  explicit Parser(std::string_view query) : query_(query), tokens_(tokenize(query)) {}

  Result<Expr> parse_query();
  Result<std::vector<Matcher>> parse_selector_only();

 private:
  // One level of recursion; too many are an error.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Parser& parser_;
  };

  // A value whose height in the tree is known.
  struct Measured {
    Expr expr;
    int height = 1;
    size_t offset = 0;
  };

  // ---- tokens ----
  const Token& peek(size_t ahead = 0) const {
    return tokens_[at_ + ahead < tokens_.size() ? at_ + ahead : tokens_.size() - 1];
  }
  Token take();
  bool at(std::string_view word) const { return is(peek(), word); }
  static bool is(const Token& token, std::string_view word);
  bool at(TokenKind kind) const { return peek().kind == kind; }
  bool accept(std::string_view word);
  Status expect(std::string_view word);
  Result<std::string> expect(TokenKind kind, std::string_view name);

  // ---- errors ----
  // "syntax error: unexpected X[, expecting ...]" at the current token; a lexer's error instead, if
  // it is one.
  Error unexpected(std::string_view expecting = {}) const;
  Error syntax_error(std::string message, size_t offset) const;
  // An error without a position of its own.
  static Error semantic_error(Error error);
  static Error semantic_error(std::string message);
  Status check_depth() const;
  Status check_height(int height) const;

  // ---- metric expressions ----
  Result<Measured> parse_expr(int precedence_min);
  Result<Measured> parse_operand();
  Result<Measured> parse_metric();  // an expression that is no log selector
  Result<Measured> parse_parenthesised();
  Result<Measured> parse_range_aggregation(RangeOp op);
  Result<Measured> parse_vector_aggregation(VectorOp op);
  Result<Measured> parse_label_replace();
  Result<Measured> parse_vector_literal();
  Result<Measured> parse_binary(Measured left);
  Result<Measured> combine(BinaryOperation operation, Measured left, Measured right);
  Status parse_matching(BinaryOperation& operation);
  Status parse_group_modifier(VectorMatching& matching);
  Result<std::optional<int64_t>> check_parameter(VectorOp op, const std::string& text,
                                                 bool given) const;
  Result<Grouping> parse_grouping();
  Result<std::vector<std::string>> parse_label_list();
  Result<double> parse_signed_number();
  bool at_literal() const;

  // ---- selectors and pipelines ----
  Result<LogRange> parse_log_range();
  Status parse_range_suffix(LogRange& range);
  Result<LogSelector> parse_log_selector();
  Result<std::vector<Matcher>> parse_matcher_list();
  Result<Matcher> parse_matcher();
  Status parse_stages(std::vector<Stage>& stages);
  Status parse_line_filter(std::vector<Stage>& stages);
  Result<LineFilter::Operand> parse_line_operand();
  Result<Stage> parse_pipe_stage();
  Result<Stage> parse_stage_keyword(const std::string& keyword);
  Result<LogfmtStage> parse_logfmt();
  Result<std::vector<Extraction>> parse_extractions();
  Result<LabelFormatStage> parse_label_format();
  Result<std::vector<LabelChoice>> parse_label_choices();
  Result<Unwrap> parse_unwrap();
  Result<LabelFilter> parse_filter();  // a whole one, validated
  Result<LabelFilter> parse_label_filter(int precedence_min);
  Result<LabelFilter> parse_label_filter_operand();
  Result<LabelFilter> parse_comparison();
  bool at_unwrap() const { return at("|") && is(peek(1), "unwrap"); }
  bool at_line_filter() const;

  std::string_view query_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

// The parts of "parse error ...".
Error parse_error(std::string_view message);

}  // namespace contextcore::logql
