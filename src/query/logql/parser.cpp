#include "query/logql/parser.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "query/common/lexing.h"
#include "query/common/regex.h"
#include "query/logql/parser_impl.h"
#include "query/logql/text.h"
#include "query/logql/validate.h"

namespace contextcore::logql {
namespace {

struct BinaryToken {
  BinaryOp op;
  int precedence;  // higher binds tighter
};

std::optional<BinaryToken> binary_token(const Token& token) {
  if (token.kind != TokenKind::keyword && token.kind != TokenKind::symbol) return std::nullopt;
  for (int i = 0; i <= static_cast<int>(BinaryOp::less_equal); ++i) {
    const auto op = static_cast<BinaryOp>(i);
    if (token.text != name_of(op)) continue;
    switch (op) {
      case BinaryOp::or_:
        return BinaryToken{op, 1};
      case BinaryOp::and_:
      case BinaryOp::unless:
        return BinaryToken{op, 2};
      case BinaryOp::add:
      case BinaryOp::subtract:
        return BinaryToken{op, 4};
      case BinaryOp::multiply:
      case BinaryOp::divide:
      case BinaryOp::modulo:
        return BinaryToken{op, 5};
      case BinaryOp::power:
        return BinaryToken{op, 6};
      default:
        return BinaryToken{op, 3};
    }
  }
  return std::nullopt;
}

bool is_set_op(BinaryOp op) {
  return op == BinaryOp::or_ || op == BinaryOp::and_ || op == BinaryOp::unless;
}

template <typename Op>
std::optional<Op> find_op(std::string_view name, Op last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (name == name_of(static_cast<Op>(i))) return static_cast<Op>(i);
  }
  return std::nullopt;
}

// How Loki names the types in its messages.
std::string_view type_name(const Expr& expr) {
  const auto* selector = std::get_if<LogSelector>(&expr.node);
  return selector != nullptr && selector->stages.empty() ? "*syntax.MatchersExpr"
                                                         : "*syntax.PipelineExpr";
}

// Every selector of the query is selective.
Status validate_selectors(const Expr& expr) {
  if (const auto* selector = std::get_if<LogSelector>(&expr.node))
    return require_selective(selector->matchers);
  if (const auto* range = std::get_if<RangeAggregation>(&expr.node)) {
    return require_selective(range->range.selector.matchers);
  }
  const std::vector<Expr>* operands = nullptr;
  if (const auto* vector = std::get_if<VectorAggregation>(&expr.node)) operands = &vector->operand;
  if (const auto* binary = std::get_if<BinaryOperation>(&expr.node)) operands = &binary->operands;
  if (const auto* replace = std::get_if<LabelReplace>(&expr.node)) operands = &replace->operand;
  if (operands == nullptr) return {};
  for (const Expr& operand : *operands) CC_TRY(validate_selectors(operand));
  return {};
}

}  // namespace

Error parse_error(std::string_view message) {
  return Error{Code::invalid_argument, "parse error : " + std::string(message), {}, {}, {}};
}

Result<Expr> parse(std::string_view query) {
  if (query.size() >= kQueryBytesMax) {
    return parse_error("input size too long (" + std::to_string(query.size()) + " > " +
                       std::to_string(kQueryBytesMax) + ")");
  }
  return Parser(query).parse_query();
}

Result<std::vector<Matcher>> parse_matchers(std::string_view selector) {
  if (selector.size() >= kQueryBytesMax) {
    return parse_error("input size too long (" + std::to_string(selector.size()) + " > " +
                       std::to_string(kQueryBytesMax) + ")");
  }
  return Parser(selector).parse_selector_only();
}

// ---- tokens and errors ----

Token Parser::take() {
  Token token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool Parser::is(const Token& token, std::string_view word) {
  return (token.kind == TokenKind::function || token.kind == TokenKind::keyword ||
          token.kind == TokenKind::symbol) &&
         token.text == word;
}

bool Parser::accept(std::string_view word) {
  if (!at(word)) return false;
  take();
  return true;
}

Status Parser::expect(std::string_view word) {
  if (accept(word)) return {};
  return unexpected(word);
}

Result<std::string> Parser::expect(TokenKind kind, std::string_view name) {
  if (!at(kind)) return unexpected(name);
  return take().text;
}

Error Parser::syntax_error(std::string message, size_t offset) const {
  const auto position = query::line_column(query_, offset);
  return Error{Code::invalid_argument,
               "parse error at line " + std::to_string(position.line) + ", col " +
                   std::to_string(position.column) + ": " + message,
               {},
               {},
               static_cast<int64_t>(offset)};
}

Error Parser::unexpected(std::string_view expecting) const {
  if (at(TokenKind::error)) return syntax_error(peek().text, peek().offset);
  std::string message = "syntax error: unexpected " + token_name(peek());
  if (!expecting.empty()) message += ", expecting " + std::string(expecting);
  return syntax_error(std::move(message), peek().offset);
}

Error Parser::semantic_error(Error error) {
  error.message.insert(0, "parse error : ");
  return error;
}

Error Parser::semantic_error(std::string message) { return parse_error(message); }

Status Parser::check_depth() const {
  if (depth_ <= kParseDepthMax) return {};
  return syntax_error(
      "query nests too deeply (more than " + std::to_string(kParseDepthMax) + " levels)",
      peek().offset);
}

Status Parser::check_height(int height) const {
  if (height <= kExprHeightMax) return {};
  return syntax_error(
      "query has more than " + std::to_string(kExprHeightMax) + " operations inside each other",
      peek().offset);
}

// ---- expressions ----

Result<Expr> Parser::parse_query() {
  if (at(TokenKind::end)) return semantic_error("syntax error: unexpected $end");
  CC_ASSIGN(Measured parsed, parse_expr(0));
  if (at_unwrap()) take();  // only ranges have it
  if (!at(TokenKind::end)) return unexpected();
  if (Status status = validate_selectors(parsed.expr); !status.ok()) {
    return semantic_error(std::move(status).error());
  }
  return std::move(parsed.expr);
}

Result<Parser::Measured> Parser::parse_expr(int precedence_min) {
  const Level level(*this);
  CC_TRY(check_depth());
  CC_ASSIGN(Measured left, parse_operand());
  while (true) {
    const auto token = binary_token(peek());
    if (!token || token->precedence < precedence_min) return left;
    BinaryOperation operation;
    operation.op = token->op;
    take();
    CC_TRY(parse_matching(operation));
    // ^ groups from the right, all others from the left.
    CC_ASSIGN(Measured right,
              parse_expr(token->op == BinaryOp::power ? token->precedence : token->precedence + 1));
    CC_ASSIGN(left, combine(std::move(operation), std::move(left), std::move(right)));
  }
}

Result<Parser::Measured> Parser::combine(BinaryOperation operation, Measured left, Measured right) {
  const std::string name = name_of(operation.op);
  if (left.expr.is_log() || right.expr.is_log()) {
    const bool is_left = left.expr.is_log();
    return semantic_error("unexpected type for " + std::string(is_left ? "left" : "right") +
                          " leg of binary operation (" + name +
                          "): " + std::string(type_name(is_left ? left.expr : right.expr)));
  }
  const auto* left_literal = std::get_if<Literal>(&left.expr.node);
  const auto* right_literal = std::get_if<Literal>(&right.expr.node);
  if (is_set_op(operation.op) && (left_literal != nullptr || right_literal != nullptr)) {
    const bool is_left = left_literal != nullptr;
    return semantic_error("unexpected literal for " + std::string(is_left ? "left" : "right") +
                          " leg of logical/set binary operation (" + name + "): " +
                          std::to_string(is_left ? left_literal->value : right_literal->value));
  }
  Measured out;
  out.offset = left.offset;
  if (left_literal != nullptr && right_literal != nullptr) {
    out.expr.node = Literal{fold(operation.op, left_literal->value, right_literal->value)};
    return out;
  }
  out.height = std::max(left.height, right.height) + 1;
  CC_TRY(check_height(out.height));
  operation.operands.push_back(std::move(left.expr));
  operation.operands.push_back(std::move(right.expr));
  out.expr.node = std::move(operation);
  return out;
}

Status Parser::parse_matching(BinaryOperation& operation) {
  operation.return_bool = accept("bool");
  if (!at("on") && !at("ignoring")) return {};
  VectorMatching matching;
  matching.on = take().text == "on";
  CC_ASSIGN(matching.labels, parse_label_list());
  CC_TRY(parse_group_modifier(matching));
  // ignoring () says nothing.
  if (matching.on || !matching.labels.empty() ||
      matching.cardinality != VectorMatching::Cardinality::one_to_one) {
    operation.matching = std::move(matching);
  }
  return {};
}

Status Parser::parse_group_modifier(VectorMatching& matching) {
  if (!at("group_left") && !at("group_right")) return {};
  matching.cardinality = take().text == "group_left" ? VectorMatching::Cardinality::many_to_one
                                                     : VectorMatching::Cardinality::one_to_many;
  // "(" may also open the right operand.
  if (at("(") && (peek(1).kind == TokenKind::identifier || is(peek(1), ")"))) {
    CC_ASSIGN(matching.include, parse_label_list());
  }
  return {};
}

bool Parser::at_literal() const {
  return at(TokenKind::number) || ((at("+") || at("-")) && peek(1).kind == TokenKind::number);
}

Result<double> Parser::parse_signed_number() {
  const bool negative = at("-");
  if (at("+") || at("-")) take();
  if (!at(TokenKind::number)) return unexpected("NUMBER");
  const Token token = take();
  double value = 0;
  if (!parse_number(token.text, value)) {
    return semantic_error("unable to parse literal as a float: " + quote(token.text) +
                          ": value out of range");
  }
  return negative ? -value : value;
}

Result<Parser::Measured> Parser::parse_operand() {
  const size_t offset = peek().offset;
  auto placed = [&](Result<Measured> result) {
    if (result.ok()) result->offset = offset;
    return result;
  };
  if (at("{")) {
    CC_ASSIGN(LogSelector selector, parse_log_selector());
    return Measured{Expr{std::move(selector)}, 1, offset};
  }
  if (at_literal()) {
    CC_ASSIGN(const double value, parse_signed_number());
    return Measured{Expr{Literal{value}}, 1, offset};
  }
  if (at("(")) return placed(parse_parenthesised());
  if (at(TokenKind::function)) {
    const std::string name = peek().text;
    if (auto op = find_op(name, RangeOp::quantile)) return placed(parse_range_aggregation(*op));
    if (auto op = find_op(name, VectorOp::sort_desc)) return placed(parse_vector_aggregation(*op));
    if (name == "label_replace") return placed(parse_label_replace());
    if (name == "vector") return placed(parse_vector_literal());
  }
  return unexpected();
}

Result<Parser::Measured> Parser::parse_parenthesised() {
  CC_TRY(expect("("));
  CC_ASSIGN(Measured inner, parse_expr(0));
  CC_TRY(expect(")"));
  return inner;
}

Result<Parser::Measured> Parser::parse_metric() {
  CC_ASSIGN(Measured parsed, parse_expr(0));
  // A log selector could only be the left leg of an operation, which does not follow.
  if (parsed.expr.is_log()) return unexpected();
  return parsed;
}

Result<Parser::Measured> Parser::parse_range_aggregation(RangeOp op) {
  RangeAggregation aggregation;
  aggregation.op = op;
  take();
  CC_TRY(expect("("));
  if (at(TokenKind::number)) {
    CC_ASSIGN(aggregation.parameter, parse_signed_number());
    CC_TRY(expect(","));
  }
  CC_ASSIGN(aggregation.range, parse_log_range());
  CC_TRY(expect(")"));
  if (at("by") || at("without")) {
    CC_ASSIGN(aggregation.grouping, parse_grouping());
  }
  if (Status status = validate(aggregation); !status.ok())
    return semantic_error(std::move(status).error());
  return Measured{Expr{std::move(aggregation)}, 1, 0};
}

Result<std::optional<int64_t>> Parser::check_parameter(VectorOp op, const std::string& text,
                                                       bool given) const {
  const std::string name = name_of(op);
  if (op != VectorOp::topk && op != VectorOp::bottomk && op != VectorOp::approx_topk) {
    if (given)
      return semantic_error("unsupported parameter for operation " + name + "(" + text + ",");
    return std::optional<int64_t>();
  }
  if (!given) return semantic_error("parameter required for operation " + name);
  int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    return semantic_error("invalid parameter " + name + "(" + text + ",");
  }
  if (value <= 0)
    return semantic_error("invalid parameter (must be greater than 0) " + name + "(" + text);
  return std::optional<int64_t>(value);
}

Result<Parser::Measured> Parser::parse_vector_aggregation(VectorOp op) {
  VectorAggregation aggregation;
  aggregation.op = op;
  take();
  if (at("by") || at("without")) {
    CC_ASSIGN(aggregation.grouping, parse_grouping());
  }
  CC_TRY(expect("("));
  std::string parameter;
  const bool given = at(TokenKind::number) && is(peek(1), ",");
  if (given) {
    parameter = take().text;
    take();
  }
  CC_ASSIGN(Measured operand, parse_metric());
  CC_TRY(expect(")"));
  if (!aggregation.grouping && (at("by") || at("without"))) {
    CC_ASSIGN(aggregation.grouping, parse_grouping());
  }
  CC_ASSIGN(aggregation.parameter, check_parameter(op, parameter, given));
  if (op == VectorOp::approx_topk && aggregation.grouping) {
    return semantic_error("grouping not allowed for approx_topk aggregation");
  }
  const bool sorts = op == VectorOp::sort || op == VectorOp::sort_desc;
  if (sorts && aggregation.grouping && !aggregation.grouping->labels.empty()) {
    return semantic_error("sort and sort_desc doesn't allow grouping by ");
  }
  if (aggregation.grouping && !aggregation.grouping->without &&
      aggregation.grouping->labels.empty()) {
    aggregation.grouping.reset();
  }
  Measured out;
  out.height = operand.height + 1;
  CC_TRY(check_height(out.height));
  aggregation.operand.push_back(std::move(operand.expr));
  out.expr.node = std::move(aggregation);
  return out;
}

Result<Parser::Measured> Parser::parse_label_replace() {
  LabelReplace replace;
  take();
  CC_TRY(expect("("));
  CC_ASSIGN(Measured operand, parse_metric());
  for (std::string* text :
       {&replace.destination, &replace.replacement, &replace.source, &replace.regex}) {
    CC_TRY(expect(","));
    CC_ASSIGN(*text, expect(TokenKind::string, "STRING"));
  }
  CC_TRY(expect(")"));
  if (auto regex = query::Regex::compile(replace.regex); !regex.ok()) {
    return semantic_error("invalid regex in label_replace: " + regex.error().message);
  }
  if (!is_label_name(replace.destination)) {
    return semantic_error("invalid destination label name in label_replace: " +
                          replace.destination);
  }
  Measured out;
  out.height = operand.height + 1;
  CC_TRY(check_height(out.height));
  replace.operand.push_back(std::move(operand.expr));
  out.expr.node = std::move(replace);
  return out;
}

Result<Parser::Measured> Parser::parse_vector_literal() {
  take();
  CC_TRY(expect("("));
  if (!at(TokenKind::number)) return unexpected("NUMBER");
  CC_ASSIGN(const double value, parse_signed_number());
  CC_TRY(expect(")"));
  return Measured{Expr{VectorLiteral{value}}, 1, 0};
}

Result<Grouping> Parser::parse_grouping() {
  Grouping grouping;
  grouping.without = take().text == "without";
  CC_ASSIGN(grouping.labels, parse_label_list());
  return grouping;
}

Result<std::vector<std::string>> Parser::parse_label_list() {
  std::vector<std::string> labels;
  CC_TRY(expect("("));
  if (accept(")")) return labels;
  do {
    CC_ASSIGN(std::string label, expect(TokenKind::identifier, "IDENTIFIER"));
    labels.push_back(std::move(label));
  } while (accept(","));
  if (!accept(")")) return unexpected(", or )");
  return labels;
}

}  // namespace contextcore::logql
