#include <algorithm>
#include <utility>

#include "query/traceql/compiled.h"

namespace contextcore::traceql {

namespace {

bool needs_tree(Intrinsic intrinsic) {
  return intrinsic == Intrinsic::child_count || intrinsic == Intrinsic::nested_set_left ||
         intrinsic == Intrinsic::nested_set_right || intrinsic == Intrinsic::nested_set_parent;
}

CompiledExpr make_constant(const Value& value) {
  CompiledExpr expr;
  expr.constant = value;
  return expr;
}

CompiledExpr compile_literal(const Static& literal) {
  CompiledExpr expr;
  if (const auto* text = std::get_if<std::string>(&literal)) {
    expr.text = std::make_shared<const std::string>(*text);
    expr.constant = make_string(*expr.text);
  } else {
    expr.constant = make_value(literal);
  }
  return expr;
}

// Both spellings of an id are to be found: trace ids compare without their leading zeros, span ids
// at full width.
void normalize_id(const CompiledExpr& side, CompiledExpr& other) {
  if (!side.field || !other.text) return;
  const Intrinsic intrinsic = side.field->attribute.intrinsic;
  std::string text = *other.text;
  if (intrinsic == Intrinsic::trace_id || intrinsic == Intrinsic::link_trace_id) {
    text.erase(0, text.find_first_not_of('0'));
  } else if (intrinsic == Intrinsic::span_id || intrinsic == Intrinsic::parent_id ||
             intrinsic == Intrinsic::link_span_id) {
    const bool hex = text.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (hex && !text.empty() && text.size() < 16) text.insert(0, 16 - text.size(), '0');
  } else {
    return;
  }
  other.text = std::make_shared<const std::string>(std::move(text));
  other.constant = make_string(*other.text);
}

// true && x is x as a condition, false && x is false; || the other way round.
void simplify_logical(CompiledExpr& expr) {
  const bool is_and = expr.op == Operator::logical_and;
  std::vector<CompiledExpr> kept;
  for (CompiledExpr& operand : expr.operands) {
    if (!operand.is_constant()) {
      kept.push_back(std::move(operand));
    } else if (operand.constant.is_true() != is_and) {
      expr = make_constant(make_boolean(!is_and));
      return;
    }
  }
  expr.operands = std::move(kept);
  if (expr.operands.empty()) expr = make_constant(make_boolean(is_and));
}

}  // namespace

size_t ColumnSet::add(store::ColumnScope scope, std::string_view key) {
  const store::Column column{scope, std::string(key)};
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  if (found != columns_.end()) return static_cast<size_t>(found - columns_.begin());
  columns_.push_back(column);
  return columns_.size() - 1;
}

FieldRef ColumnSet::resolve(const Attribute& attribute) {
  FieldRef field{attribute, std::nullopt, std::nullopt};
  with_events = with_events || field.of_event();
  with_links = with_links || field.of_link();
  with_tree = with_tree || attribute.of_parent || needs_tree(attribute.intrinsic);
  if (attribute.intrinsic != Intrinsic::none) return field;
  switch (attribute.scope) {
    case Scope::none:
      field.column = add(store::ColumnScope::span, attribute.name);
      field.resource_column = add(store::ColumnScope::resource, attribute.name);
      break;
    case Scope::span:
      field.column = add(store::ColumnScope::span, attribute.name);
      break;
    case Scope::resource:
      field.column = add(store::ColumnScope::resource, attribute.name);
      break;
    case Scope::event:
      field.column = add(store::ColumnScope::event, attribute.name);
      break;
    case Scope::link:
      field.column = add(store::ColumnScope::link, attribute.name);
      break;
    case Scope::instrumentation:
      field.column = add(store::ColumnScope::instrumentation, attribute.name);
      break;
  }
  return field;
}

Result<CompiledExpr> compile(const FieldExpr& expr, ColumnSet& columns) {
  if (expr.is_literal()) return compile_literal(expr.literal());
  CompiledExpr result;
  if (expr.is_attribute()) {
    result.field = columns.resolve(expr.attribute());
    result.events = result.field->of_event();
    result.links = result.field->of_link();
    return result;
  }
  result.op = expr.op;
  bool constant = true;
  for (const FieldExpr& operand : expr.operands) {
    CC_ASSIGN(CompiledExpr child, compile(operand, columns));
    constant = constant && child.is_constant();
    result.events = result.events || child.events;
    result.links = result.links || child.links;
    result.operands.push_back(std::move(child));
  }
  if (expr.op == Operator::regex || expr.op == Operator::not_regex) {
    CC_ASSIGN(result.regex, query::Regex::compile(*result.operands[1].text));
  } else if (is_comparison(expr.op)) {
    normalize_id(result.operands[0], result.operands[1]);
    normalize_id(result.operands[1], result.operands[0]);
  }
  if (constant) return make_constant(Evaluator().value(result, 0));
  if (expr.op == Operator::logical_and || expr.op == Operator::logical_or) {
    simplify_logical(result);
  }
  return result;
}

}  // namespace contextcore::traceql
