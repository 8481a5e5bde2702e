#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "query/traceql/parser_impl.h"
#include "query/traceql/printer.h"

namespace contextcore::traceql {

namespace {

using WordOf = std::pair<std::string_view, Intrinsic>;

constexpr std::array<WordOf, 12> kBareIntrinsics = {{
    {"duration", Intrinsic::duration},
    {"name", Intrinsic::name},
    {"status", Intrinsic::status},
    {"statusMessage", Intrinsic::status_message},
    {"kind", Intrinsic::kind},
    {"parent", Intrinsic::parent},
    {"rootName", Intrinsic::root_name},
    {"rootServiceName", Intrinsic::root_service},
    {"traceDuration", Intrinsic::trace_duration},
    {"nestedSetLeft", Intrinsic::nested_set_left},
    {"nestedSetRight", Intrinsic::nested_set_right},
    {"nestedSetParent", Intrinsic::nested_set_parent},
}};

struct ScopedIntrinsic {
  std::string_view scope, word;
  Intrinsic intrinsic;
};
constexpr std::array<ScopedIntrinsic, 18> kScopedIntrinsics = {{
    {"trace", "duration", Intrinsic::trace_duration},
    {"trace", "rootName", Intrinsic::root_name},
    {"trace", "rootService", Intrinsic::root_service},
    {"trace", "id", Intrinsic::trace_id},
    {"span", "duration", Intrinsic::duration},
    {"span", "name", Intrinsic::name},
    {"span", "kind", Intrinsic::kind},
    {"span", "status", Intrinsic::status},
    {"span", "statusMessage", Intrinsic::status_message},
    {"span", "id", Intrinsic::span_id},
    {"span", "parentID", Intrinsic::parent_id},
    {"span", "childCount", Intrinsic::child_count},
    {"event", "name", Intrinsic::event_name},
    {"event", "timeSinceStart", Intrinsic::event_time_since_start},
    {"link", "traceID", Intrinsic::link_trace_id},
    {"link", "spanID", Intrinsic::link_span_id},
    {"instrumentation", "name", Intrinsic::instrumentation_name},
    {"instrumentation", "version", Intrinsic::instrumentation_version},
}};

std::optional<Intrinsic> bare_intrinsic(std::string_view word) {
  for (const auto& [name, intrinsic] : kBareIntrinsics) {
    if (name == word) return intrinsic;
  }
  return std::nullopt;
}

std::optional<Static> word_static(std::string_view word) {
  if (word == "true") return Static(true);
  if (word == "false") return Static(false);
  if (word == "ok") return Static(SpanStatus::ok);
  if (word == "error") return Static(SpanStatus::error);
  if (word == "unset") return Static(SpanStatus::unset);
  if (word == "minInt") return Static(std::numeric_limits<int64_t>::min());
  if (word == "maxInt") return Static(std::numeric_limits<int64_t>::max());
  for (const SpanKind kind : {SpanKind::unspecified, SpanKind::internal, SpanKind::client,
                              SpanKind::server, SpanKind::producer, SpanKind::consumer}) {
    if (word == traceql::word(kind)) return Static(kind);
  }
  return std::nullopt;
}

class FieldParser {
 public:
  explicit FieldParser(Cursor& cursor) : cursor_(cursor) {}

  Result<FieldExpr> parse(int precedence_min) {
    CC_ASSIGN(FieldExpr left, prefix());
    for (;;) {
      const OperatorToken next = field_operator(cursor_.peek());
      if (next.op == Operator::none || next.precedence < precedence_min) return left;
      const Position position = cursor_.position();
      cursor_.take();
      const bool equality = next.op == Operator::equal || next.op == Operator::not_equal;
      if (equality && cursor_.peek().is_word("nil")) {
        cursor_.take();
        CC_TRY(make_unary(nil_operator(next.op), position, left));
        continue;
      }
      const bool to_right = next.op == Operator::power;
      CC_ASSIGN(FieldExpr right, to_right ? nested(kPower) : parse(next.precedence + 1));
      CC_TRY(join(next.op, position, left, std::move(right)));
    }
  }

 private:
  // parse() where the depth is not bounded by the number of precedence levels.
  Result<FieldExpr> nested(int precedence_min) {
    const auto nesting = cursor_.nest();
    CC_TRY(cursor_.check_nesting());
    return parse(precedence_min);
  }

  static Operator nil_operator(Operator equality) {
    return equality == Operator::equal ? Operator::not_exists : Operator::exists;
  }

  Status make_unary(Operator op, Position position, FieldExpr& operand) {
    FieldExpr node;
    node.op = op;
    node.position = position;
    node.height.value = operand.height.value + 1;
    CC_TRY(cursor_.check_height(node.height.value, position));
    node.operands.push_back(std::move(operand));
    operand = std::move(node);
    return {};
  }

  // left becomes (left op right); a chain of one logical operator stays one node.
  Status join(Operator op, Position position, FieldExpr& left, FieldExpr right) {
    const int right_height = right.height.value + 1;
    const bool logical = op == Operator::logical_and || op == Operator::logical_or;
    if (logical && left.op == op) {
      left.height.value = std::max(left.height.value, right_height);
      CC_TRY(cursor_.check_height(left.height.value, position));
      left.operands.push_back(std::move(right));
      return {};
    }
    CC_TRY(make_unary(op, position, left));
    left.height.value = std::max(left.height.value, right_height);
    CC_TRY(cursor_.check_height(left.height.value, position));
    left.operands.push_back(std::move(right));
    return {};
  }

  Result<FieldExpr> prefix() {
    const Position position = cursor_.position();
    if (cursor_.accept_symbol("(")) {
      CC_ASSIGN(FieldExpr inner, nested(kLogical));
      CC_TRY(cursor_.expect_symbol(")"));
      return inner;
    }
    // Both reach over * / % ^ but not over + and -.
    for (const auto& [symbol, op] :
         {std::pair("-", Operator::negate), std::pair("!", Operator::logical_not)}) {
      if (!cursor_.accept_symbol(symbol)) continue;
      CC_ASSIGN(FieldExpr operand, nested(kProduct));
      CC_TRY(make_unary(op, position, operand));
      return operand;
    }
    if (cursor_.peek().is_word("nil")) return nil_first();
    FieldExpr leaf;
    leaf.position = position;
    if (starts_static(cursor_.peek())) {
      CC_ASSIGN(leaf.leaf, parse_static(cursor_));
    } else {
      CC_ASSIGN(leaf.leaf, parse_field(cursor_));
    }
    return leaf;
  }

  // nil = x, nil != x; nil on both sides is false either way.
  Result<FieldExpr> nil_first() {
    const OperatorToken next = field_operator(cursor_.peek_next());
    if (next.op != Operator::equal && next.op != Operator::not_equal) {
      return cursor_.unexpected({}, "nil can only be compared: x = nil, x != nil");
    }
    cursor_.take();
    const Position position = cursor_.position();
    cursor_.take();
    if (cursor_.peek().is_word("nil")) {
      cursor_.take();
      FieldExpr never;
      never.leaf = Static(false);
      never.position = position;
      return never;
    }
    CC_ASSIGN(FieldExpr operand, nested(kSum));
    CC_TRY(make_unary(nil_operator(next.op), position, operand));
    return operand;
  }

  Cursor& cursor_;
};

Result<Attribute> scoped_intrinsic(Cursor& cursor) {
  const std::string_view scope = cursor.peek().text;
  Attribute attribute;
  attribute.position = cursor.position();
  cursor.take();
  std::string known;
  for (const ScopedIntrinsic& candidate : kScopedIntrinsics) {
    if (candidate.scope != scope) continue;
    if (cursor.peek().is_word(candidate.word)) {
      attribute.intrinsic = candidate.intrinsic;
      cursor.take();
      return attribute;
    }
    known += (known.empty() ? "" : ", ") + std::string(scope) + ":" + std::string(candidate.word);
  }
  return cursor.unexpected({}, "known here: " + known);
}

}  // namespace

OperatorToken field_operator(const Token& token) {
  if (token.kind != TokenKind::symbol) return {};
  struct Row {
    std::string_view symbol;
    Operator op;
    int precedence;
  };
  static constexpr std::array<Row, 16> kRows = {{
      {"&&", Operator::logical_and, kLogical},
      {"||", Operator::logical_or, kLogical},
      {"=", Operator::equal, kComparison},
      {"!=", Operator::not_equal, kComparison},
      {"<", Operator::less, kComparison},
      {"<=", Operator::less_equal, kComparison},
      {">", Operator::greater, kComparison},
      {">=", Operator::greater_equal, kComparison},
      {"=~", Operator::regex, kComparison},
      {"!~", Operator::not_regex, kComparison},
      {"+", Operator::add, kSum},
      {"-", Operator::subtract, kSum},
      {"*", Operator::multiply, kProduct},
      {"/", Operator::divide, kProduct},
      {"%", Operator::modulo, kProduct},
      {"^", Operator::power, kPower},
  }};
  for (const Row& row : kRows) {
    if (row.symbol == token.text) return {row.op, row.precedence};
  }
  return {};
}

bool starts_static(const Token& token) {
  switch (token.kind) {
    case TokenKind::string:
    case TokenKind::integer:
    case TokenKind::real:
    case TokenKind::duration:
      return true;
    case TokenKind::word:
      return word_static(token.text).has_value();
    default:
      return false;
  }
}

bool starts_field(const Token& token) {
  return token.kind == TokenKind::attribute || token.kind == TokenKind::scope ||
         (token.kind == TokenKind::word && bare_intrinsic(token.text));
}

Result<Static> parse_static(Cursor& cursor) {
  if (!starts_static(cursor.peek())) return cursor.unexpected("a value");
  const Token& token = cursor.take();
  switch (token.kind) {
    case TokenKind::string:
      return Static(token.string);
    case TokenKind::integer:
      return Static(token.integer);
    case TokenKind::real:
      return Static(token.real);
    case TokenKind::duration:
      return Static(Duration{token.integer});
    default:
      return *word_static(token.text);
  }
}

Result<Attribute> parse_field(Cursor& cursor) {
  const Token& token = cursor.peek();
  if (token.kind == TokenKind::scope) return scoped_intrinsic(cursor);
  if (token.kind == TokenKind::attribute) {
    cursor.take();
    if (token.bare) {
      CC_TRY(cursor.extension(token.attribute.position, std::string(token.text),
                              to_string(token.attribute)));
    }
    return token.attribute;
  }
  if (token.kind == TokenKind::word) {
    if (const auto intrinsic = bare_intrinsic(token.text)) {
      Attribute attribute;
      attribute.intrinsic = *intrinsic;
      attribute.position = cursor.position();
      cursor.take();
      return attribute;
    }
    return cursor.error_at(cursor.position(), "unknown identifier: " + std::string(token.text),
                           "attributes are written ." + std::string(token.text) + ", span." +
                               std::string(token.text) + " or resource." + std::string(token.text) +
                               "; strings stand in quotes");
  }
  return cursor.unexpected();
}

Result<FieldExpr> parse_field_expr(Cursor& cursor) { return FieldParser(cursor).parse(kLogical); }

}  // namespace contextcore::traceql
