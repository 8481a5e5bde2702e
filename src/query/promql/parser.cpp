#include "query/promql/parser.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/utf8.h"
#include "query/common/regex.h"
#include "query/common/text.h"
#include "query/promql/check.h"
#include "query/promql/functions.h"
#include "query/promql/lexer.h"
#include "query/promql/print.h"

namespace contextcore::promql {
namespace {

using Cardinality = VectorMatching::Cardinality;

constexpr int kPrecedencePower = 6;
constexpr int kPrecedenceMultiply = 5;

struct OperatorToken {
  std::string_view text;
  BinaryOp op;
  int precedence;
};
constexpr OperatorToken kOperators[] = {
    {"or", BinaryOp::or_, 1},
    {"and", BinaryOp::and_, 2},
    {"unless", BinaryOp::unless, 2},
    {"==", BinaryOp::equal, 3},
    {"!=", BinaryOp::not_equal, 3},
    {">", BinaryOp::greater, 3},
    {">=", BinaryOp::greater_equal, 3},
    {"<", BinaryOp::less, 3},
    {"<=", BinaryOp::less_equal, 3},
    {"+", BinaryOp::add, 4},
    {"-", BinaryOp::subtract, 4},
    {"*", BinaryOp::multiply, kPrecedenceMultiply},
    {"/", BinaryOp::divide, kPrecedenceMultiply},
    {"%", BinaryOp::modulo, kPrecedenceMultiply},
    {"atan2", BinaryOp::atan2, kPrecedenceMultiply},
    {"^", BinaryOp::power, kPrecedencePower},
};

// Keywords that cannot be the name of a metric.
bool is_reserved(std::string_view word) {
  return word == "bool" || word == "on" || word == "ignoring" || word == "group_left" || word == "group_right" ||
         word == "atan2";
}

std::optional<AggregationOp> aggregation_of(const Token& token) {
  if (token.kind != TokenKind::keyword) return std::nullopt;
  for (int i = 0; i <= static_cast<int>(AggregationOp::quantile); ++i) {
    const auto op = static_cast<AggregationOp>(i);
    if (token.word == name_of(op)) return op;
  }
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view query) : query_(query), tokens_(tokenize(query)) {}

  Result<Expr> parse_query() {
    if (peek().kind == TokenKind::end) return error(0, "no expression found in input");
    CC_ASSIGN(Measured out, parse_expr(0));
    if (peek().kind != TokenKind::end) return unexpected();
    CC_TRY(check(out.expr, query_));
    return std::move(out.expr);
  }

  Result<std::vector<Matcher>> parse_selector_only() {
    if (!at_metric() && !at("{")) return unexpected();
    CC_ASSIGN(Measured out, parse_selector());
    if (peek().kind != TokenKind::end) return unexpected();
    CC_TRY(check(out.expr, query_));
    return std::get<VectorSelector>(out.expr.node).matchers;
  }

 private:
  struct Measured {
    Expr expr;
    int height = 1;
  };

  // ---- tokens ----
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  static bool is(const Token& token, std::string_view text) {
    if (token.kind == TokenKind::symbol) return token.text == text;
    return token.kind == TokenKind::keyword && token.word == text;
  }
  bool at(std::string_view text) const { return is(peek(), text); }
  const Token& take() {
    const Token& token = peek();
    end_ = token.end;
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool accept(std::string_view text) {
    if (!at(text)) return false;
    take();
    return true;
  }
  bool at_metric() const {
    const Token& token = peek();
    if (token.kind == TokenKind::identifier || token.kind == TokenKind::metric_identifier) return true;
    return token.kind == TokenKind::keyword && !is_reserved(token.word);
  }

  // ---- errors ----
  Error error(size_t position, std::string_view message) const { return parse_error(query_, position, message); }
  Error unexpected(std::string_view context = {}, std::string_view expected = {}) const {
    const Token& token = peek();
    if (token.kind == TokenKind::error) return error(token.start, token.text);
    std::string message = "unexpected " + describe(token, query_);
    if (!context.empty()) message += " in " + std::string(context);
    if (!expected.empty()) message += ", expected " + std::string(expected);
    return error(token.start, message);
  }

  Result<Measured> finish(decltype(Expr::node) node, size_t start, int height) const {
    if (height > kExprHeightMax) {
      return error(start, "the query nests too deeply (more than " + std::to_string(kExprHeightMax) + " levels)");
    }
    return Measured{Expr{std::move(node), start, end_}, height};
  }

  // One level of recursion; too many are an error.
  class Level {
   public:
    explicit Level(int& depth) : depth_(depth) { ++depth_; }
    ~Level() { --depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    int& depth_;
  };

  // ---- expressions ----
  const OperatorToken* binary_operator() const {
    for (const OperatorToken& token : kOperators) {
      if (at(token.text)) return &token;
    }
    return nullptr;
  }

  Result<Measured> parse_expr(int precedence_min) {
    const Level level(depth_);
    if (depth_ > kExprHeightMax) {
      return error(peek().start,
                   "the query nests too deeply (more than " + std::to_string(kExprHeightMax) + " levels)");
    }
    CC_ASSIGN(Measured left, parse_unary());
    while (true) {
      const OperatorToken* token = binary_operator();
      if (token == nullptr || token->precedence < precedence_min) {
        if (at("</") || at(">/")) return error(peek().start, "trimming of native histograms is not supported");
        return left;
      }
      take();
      BinaryOperation operation;
      operation.op = token->op;
      CC_TRY(parse_modifiers(operation));
      CC_ASSIGN(Measured right, parse_expr(token->op == BinaryOp::power ? token->precedence : token->precedence + 1));
      const size_t start = left.expr.start;
      const int height = std::max(left.height, right.height) + 1;
      operation.operands.push_back(std::move(left.expr));
      operation.operands.push_back(std::move(right.expr));
      // Nothing was said of how scalars match.
      const bool vectors =
          type_of(operation.operands[0]) == ValueType::vector && type_of(operation.operands[1]) == ValueType::vector;
      if (!vectors && operation.matching && operation.matching->labels.empty()) operation.matching.reset();
      CC_ASSIGN(left, finish(std::move(operation), start, height));
    }
  }

  Result<Measured> parse_unary() {
    if (!at("+") && !at("-")) return parse_postfix();
    const bool negative = at("-");
    const size_t start = take().start;
    CC_ASSIGN(Measured operand, parse_expr(kPrecedencePower));
    if (auto* number = std::get_if<NumberLiteral>(&operand.expr.node)) {
      if (negative) number->value = -number->value;
      operand.expr.start = start;
      return operand;
    }
    const int height = operand.height + 1;
    Unary unary;
    unary.negative = negative;
    unary.operand.push_back(std::move(operand.expr));
    return finish(std::move(unary), start, height);
  }

  Result<Measured> parse_postfix() {
    CC_ASSIGN(Measured out, parse_primary());
    while (true) {
      if (at("[")) {
        CC_ASSIGN(out, parse_range(std::move(out)));
      } else if (at("offset")) {
        CC_TRY(parse_offset(out.expr));
      } else if (at("@")) {
        CC_TRY(parse_at(out.expr));
      } else if (at("anchored") || at("smoothed")) {
        return error(out.expr.start, peek().word + " modifier is experimental and not enabled");
      } else {
        return out;
      }
    }
  }

  Result<Measured> parse_primary() {
    const Token& token = peek();
    const size_t start = token.start;
    switch (token.kind) {
      case TokenKind::number:
      case TokenKind::duration: {
        const NumberLiteral number{token.value, token.kind == TokenKind::duration};
        take();
        return finish(number, start, 1);
      }
      case TokenKind::string: {
        StringLiteral literal{token.text};
        take();
        return finish(std::move(literal), start, 1);
      }
      case TokenKind::identifier:
        if (is(peek(1), "(")) return parse_call();
        return parse_selector();
      case TokenKind::keyword:
        return parse_keyword();
      case TokenKind::metric_identifier:
        return parse_selector();
      case TokenKind::symbol:
        if (at("(")) return parse_parentheses();
        if (at("{")) return parse_selector();
        return unexpected();
      case TokenKind::end:
      case TokenKind::error:
        break;
    }
    return unexpected();
  }

  Result<Measured> parse_keyword() {
    const Token& token = peek();
    const bool call = is(peek(1), "(");
    const bool aggregates = call || is(peek(1), "by") || is(peek(1), "without");
    const std::string& word = token.word;
    if (aggregation_of(token) && aggregates) return parse_aggregation();
    if ((word == "limitk" || word == "limit_ratio") && aggregates) {
      return error(token.start, word +
                                    "() is experimental and must be enabled with "
                                    "--enable-feature=promql-experimental-functions");
    }
    const bool named_like_function =
        word == "start" || word == "end" || word == "step" || word == "range" || word == "max_of" || word == "min_of";
    if (named_like_function && call) return parse_call();
    if (is_reserved(word)) return unexpected();
    return parse_selector();
  }

  Result<Measured> parse_parentheses() {
    const size_t start = take().start;
    CC_ASSIGN(Measured inner, parse_expr(0));
    if (!accept(")")) return unexpected();
    const int height = inner.height + 1;
    Parentheses parentheses;
    parentheses.operand.push_back(std::move(inner.expr));
    return finish(std::move(parentheses), start, height);
  }

  // (a, b, c); height receives that of the highest.
  Result<std::vector<Expr>> parse_arguments(std::string_view context, int& height) {
    std::vector<Expr> out;
    if (!accept("(")) return unexpected(context);
    if (accept(")")) return out;
    while (true) {
      CC_ASSIGN(Measured argument, parse_expr(0));
      height = std::max(height, argument.height);
      out.push_back(std::move(argument.expr));
      const size_t comma = peek().start;
      if (accept(")")) return out;
      if (!accept(",")) return unexpected(context);
      if (at(")")) return error(comma, "trailing commas not allowed in function call args");
    }
  }

  Result<Measured> parse_call() {
    const Token& name = take();
    const size_t start = name.start;
    const Function* function = find_function(name.text);
    if (function == nullptr) return error(start, "unknown function with name " + query::quote(name.text));
    if (function->experimental) return error(start, "function " + query::quote(name.text) + " is not enabled");
    Call call;
    call.function = function;
    int height = 0;
    CC_ASSIGN(call.arguments, parse_arguments({}, height));
    return finish(std::move(call), start, height + 1);
  }

  Result<Measured> parse_aggregation() {
    Aggregation aggregation;
    const Token& name = take();
    const size_t start = name.start;
    aggregation.op = *aggregation_of(name);
    bool grouped = false;
    CC_TRY(parse_grouping(aggregation.grouping, grouped));
    int height = 0;
    CC_ASSIGN(std::vector<Expr> arguments, parse_arguments("aggregation", height));
    if (!grouped) CC_TRY(parse_grouping(aggregation.grouping, grouped));
    if (arguments.empty()) return error(start, "no arguments for aggregate expression provided");
    const size_t wanted = has_parameter(aggregation.op) ? 2 : 1;
    if (arguments.size() != wanted) {
      return error(start, "wrong number of arguments for aggregate expression provided, expected " +
                              std::to_string(wanted) + ", got " + std::to_string(arguments.size()));
    }
    aggregation.operand.push_back(std::move(arguments.back()));
    if (wanted == 2) aggregation.parameter.push_back(std::move(arguments.front()));
    return finish(std::move(aggregation), start, height + 1);
  }

  Status parse_grouping(Grouping& grouping, bool& found) {
    if (!at("by") && !at("without")) return {};
    grouping.without = at("without");
    found = true;
    take();
    CC_ASSIGN(grouping.labels, parse_labels());
    return {};
  }

  Result<std::vector<std::string>> parse_labels() {
    constexpr std::string_view kContext = "grouping opts";
    std::vector<std::string> out;
    if (!accept("(")) return unexpected(kContext, "\"(\"");
    while (!at(")")) {
      const Token& token = peek();
      const bool word = token.kind == TokenKind::identifier || token.kind == TokenKind::metric_identifier ||
                        token.kind == TokenKind::keyword;
      if (!word && token.kind != TokenKind::string) return unexpected(kContext, "label");
      if (token.text.empty() || !is_valid_utf8(token.text)) {
        return error(token.start, "invalid label name for grouping: " + query::quote(token.text));
      }
      out.push_back(token.text);
      take();
      if (at(")")) break;
      if (!accept(",")) return unexpected(kContext, "\",\" or \")\"");
    }
    take();
    return out;
  }

  // bool, on or ignoring, group_left or group_right.
  Status parse_modifiers(BinaryOperation& operation) {
    operation.return_bool = accept("bool");
    if (at("on") || at("ignoring")) {
      operation.matching.emplace();
      operation.matching->on = at("on");
      take();
      CC_ASSIGN(operation.matching->labels, parse_labels());
      if (at("group_left") || at("group_right")) {
        operation.matching->cardinality = at("group_left") ? Cardinality::many_to_one : Cardinality::one_to_many;
        take();
        if (at("(")) {
          CC_ASSIGN(operation.matching->include, parse_labels());
        }
      }
      // ignoring () is what holds where nothing is said.
      if (!operation.matching->on && operation.matching->labels.empty() &&
          operation.matching->cardinality == Cardinality::one_to_one) {
        operation.matching.reset();
      }
    }
    if (at("fill") || at("fill_left") || at("fill_right")) {
      return error(peek().start, "binop fill modifiers are experimental and not enabled");
    }
    return {};
  }

  // ---- selectors ----
  Result<Measured> parse_selector() {
    VectorSelector selector;
    const size_t start = peek().start;
    if (!at("{")) selector.name = take().text;
    if (accept("{")) {
      while (!at("}")) {
        CC_ASSIGN(Matcher matcher, parse_matcher());
        selector.matchers.push_back(std::move(matcher));
        if (at("}")) break;
        if (!accept(",")) return unexpected("label matching", "\",\" or \"}\"");
      }
      take();
    }
    // As they are printed.
    std::sort(selector.matchers.begin(), selector.matchers.end(),
              [](const Matcher& a, const Matcher& b) { return print(a) < print(b); });
    if (!selector.name.empty()) {
      selector.matchers.push_back({std::string(query::kNameLabel), MatchOp::equal, selector.name});
    }
    return finish(std::move(selector), start, 1);
  }

  Result<Matcher> parse_matcher() {
    constexpr std::string_view kContext = "label matching";
    const Token& name = peek();
    const bool quoted = name.kind == TokenKind::string;
    if (!quoted && name.kind != TokenKind::identifier) return unexpected(kContext, "identifier or \"}\"");
    const size_t start = name.start;
    Matcher matcher;
    matcher.name = name.text;
    take();
    if (quoted && (at(",") || at("}"))) {
      matcher.value = std::move(matcher.name);
      matcher.name = query::kNameLabel;
      return matcher;
    }
    bool found = false;
    for (const MatchOp op : {MatchOp::equal, MatchOp::not_equal, MatchOp::regex, MatchOp::not_regex}) {
      if (!at(name_of(op))) continue;
      matcher.op = op;
      found = true;
      break;
    }
    if (!found) return unexpected(kContext, quoted ? "\",\" or \"}\"" : "label matching operator");
    take();
    if (peek().kind != TokenKind::string) return unexpected(kContext, "string");
    matcher.value = take().text;
    if (matcher.op == MatchOp::regex || matcher.op == MatchOp::not_regex) {
      const auto regex = query::Regex::compile(matcher.value);
      if (!regex.ok()) return error(start, regex.error().message);
    }
    return matcher;
  }

  // ---- time ----
  // A duration or a number of seconds, in ms.
  Result<int64_t> parse_duration(std::string_view context, std::string_view expected) {
    const size_t start = peek().start;
    bool negative = false;
    while (at("+") || at("-")) {
      negative = negative != at("-");
      take();
    }
    const Token& token = peek();
    if (token.kind == TokenKind::keyword || at("(")) {
      return error(token.start, "experimental duration expression is not enabled");
    }
    if (token.kind != TokenKind::number && token.kind != TokenKind::duration) return unexpected(context, expected);
    const double seconds = negative ? -token.value : token.value;
    if (!(std::abs(seconds) < 9.2e9)) return error(start, "duration out of range");
    take();
    return static_cast<int64_t>(std::round(seconds * 1e9)) / 1'000'000;
  }

  Result<int64_t> parse_positive_duration(std::string_view context, std::string_view expected) {
    const size_t start = peek().start;
    CC_ASSIGN(const int64_t ms, parse_duration(context, expected));
    for (const std::string_view symbol : {"+", "-", "*", "/", "%", "^"}) {
      if (at(symbol)) return error(start, "experimental duration expression is not enabled");
    }
    if (ms <= 0) return error(start, "duration must be greater than 0");
    return ms;
  }

  Result<Measured> parse_range(Measured operand) {
    constexpr std::string_view kNumber = "number, duration, step(), or range()";
    const size_t bracket = take().start;
    CC_ASSIGN(const int64_t range_ms, parse_positive_duration("subquery or range selector", kNumber));
    const size_t start = operand.expr.start;
    if (accept(":")) {
      Subquery subquery;
      subquery.range_ms = range_ms;
      if (!at("]")) {
        CC_ASSIGN(subquery.step_ms, parse_positive_duration("subquery selector", std::string(kNumber) + ", or \"]\""));
      }
      if (!accept("]")) return unexpected("subquery selector", "\"]\"");
      subquery.operand.push_back(std::move(operand.expr));
      return finish(std::move(subquery), start, operand.height + 1);
    }
    if (!accept("]")) return unexpected("subquery or range", "\":\" or \"]\"");
    auto* selector = std::get_if<VectorSelector>(&operand.expr.node);
    if (selector == nullptr) return error(bracket, "ranges only allowed for vector selectors");
    if (selector->shift.offset_ms != 0) return error(bracket, "no offset modifiers allowed before range");
    if (selector->shift.at != TimeShift::At::none) return error(bracket, "no @ modifiers allowed before range");
    return finish(MatrixSelector{std::move(*selector), range_ms}, start, 1);
  }

  static TimeShift* shift_of(Expr& expr) {
    if (auto* selector = std::get_if<VectorSelector>(&expr.node)) return &selector->shift;
    if (auto* matrix = std::get_if<MatrixSelector>(&expr.node)) return &matrix->selector.shift;
    if (auto* subquery = std::get_if<Subquery>(&expr.node)) return &subquery->shift;
    return nullptr;
  }

  Status parse_offset(Expr& expr) {
    take();
    CC_ASSIGN(const int64_t offset_ms, parse_duration("offset", "number, duration, step(), or range()"));
    TimeShift* shift = shift_of(expr);
    if (shift == nullptr) {
      return error(expr.start,
                   "offset modifier must be preceded by an instant vector selector or range vector selector or a "
                   "subquery");
    }
    if (shift->offset_ms != 0) return error(expr.start, "offset may not be set multiple times");
    shift->offset_ms = offset_ms;
    expr.end = end_;
    return {};
  }

  Status parse_at(Expr& expr) {
    take();
    TimeShift to;
    const size_t start = peek().start;
    if (at("start") || at("end")) {
      to.at = at("start") ? TimeShift::At::start : TimeShift::At::end;
      take();
      if (!accept("(") || !accept(")")) return unexpected("@", "timestamp");
    } else {
      const bool negative = at("-");
      if (negative || at("+")) take();
      const Token& token = peek();
      if (token.kind != TokenKind::number && token.kind != TokenKind::duration) return unexpected("@", "timestamp");
      const double seconds = negative ? -token.value : token.value;
      if (!(std::abs(seconds) < 9.2e15)) return error(start, "timestamp out of bounds for @ modifier: " + token.text);
      to.at = TimeShift::At::time;
      to.at_ms = static_cast<int64_t>(std::llround(seconds * 1000));
      take();
    }
    TimeShift* shift = shift_of(expr);
    if (shift == nullptr) {
      return error(expr.start,
                   "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery");
    }
    if (shift->at != TimeShift::At::none) return error(expr.start, "@ <timestamp> may not be set multiple times");
    shift->at = to.at;
    shift->at_ms = to.at_ms;
    expr.end = end_;
    return {};
  }

  std::string_view query_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t end_ = 0;  // of the last token taken
  int depth_ = 0;
};

Status check_size(std::string_view query) {
  if (query.size() <= kQueryBytesMax) return {};
  return Error{Code::invalid_argument,
               "the query is too long (" + std::to_string(query.size()) + " bytes, " + std::to_string(kQueryBytesMax) +
                   " at most)",
               {},
               {},
               {}};
}

}  // namespace

Result<Expr> parse(std::string_view query) {
  CC_TRY(check_size(query));
  return Parser(query).parse_query();
}

Result<std::vector<Matcher>> parse_matchers(std::string_view selector) {
  CC_TRY(check_size(selector));
  return Parser(selector).parse_selector_only();
}

Error parse_error(std::string_view query, size_t at, std::string_view message) {
  size_t line = 1, line_start = 0;
  for (size_t i = 0; i < at && i < query.size(); ++i) {
    if (query[i] != '\n') continue;
    ++line;
    line_start = i + 1;
  }
  Error error{
      Code::invalid_argument,
      std::to_string(line) + ":" + std::to_string(at - line_start + 1) + ": parse error: " + std::string(message),
      {},
      {},
      {}};
  error.position = static_cast<int64_t>(at);
  return error;
}

}  // namespace contextcore::promql
