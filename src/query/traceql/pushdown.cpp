#include "query/traceql/pushdown.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "query/traceql/value.h"

namespace contextcore::traceql {

namespace {

using store::Condition;
using store::Op;
using store::Operand;
using store::SpanField;

// Of the spans that an expression accepts: nothing known, none exists, each satisfies all
// conditions, or each satisfies at least one.
struct Need {
  enum class Kind : uint8_t { unknown, never, all, any };
  Kind kind = Kind::unknown;
  std::vector<Condition> conditions;
};

Need unknown() { return {}; }
Need never() { return {Need::Kind::never, {}}; }

Need one_of(std::vector<Condition> conditions) {
  const auto kind = conditions.size() == 1 ? Need::Kind::all : Need::Kind::any;
  return {kind, std::move(conditions)};
}

// Rough order of usefulness: equality finds little, existence much.
int selectivity(const Condition& condition) {
  switch (condition.op) {
    case Op::equal:
      return condition.field == SpanField::kind || condition.field == SpanField::status ? 2 : 4;
    case Op::regex:
      return 3;
    case Op::exists:
    case Op::not_equal:
    case Op::not_regex:
      return 1;
    default:
      return 2;
  }
}

int selectivity(const Need& need) {
  if (need.kind == Need::Kind::never) return 5;
  if (need.kind == Need::Kind::unknown || need.conditions.empty()) return 0;
  int best = need.kind == Need::Kind::all ? 0 : 5;
  for (const Condition& condition : need.conditions) {
    best = need.kind == Need::Kind::all ? std::max(best, selectivity(condition))
                                        : std::min(best, selectivity(condition));
  }
  return best;
}

Need better(Need left, Need right) {
  return selectivity(right) > selectivity(left) ? std::move(right) : std::move(left);
}

Need both(Need left, Need right) {
  if (left.kind == Need::Kind::never || right.kind == Need::Kind::never) return never();
  if (left.kind != Need::Kind::all || right.kind != Need::Kind::all) {
    if (left.kind == Need::Kind::all) return left;
    if (right.kind == Need::Kind::all) return right;
    return better(std::move(left), std::move(right));
  }
  std::move(right.conditions.begin(), right.conditions.end(), std::back_inserter(left.conditions));
  return left;
}

bool same_question(const Condition& a, const Condition& b) {
  return a.field == b.field && a.column == b.column && a.op == b.op && a.op != Op::exists;
}

Need either(Need left, Need right) {
  if (left.kind == Need::Kind::never) return right;
  if (right.kind == Need::Kind::never) return left;
  if (left.kind == Need::Kind::unknown || right.kind == Need::Kind::unknown) return unknown();
  std::vector<Condition> conditions;
  for (Need* side : {&left, &right}) {
    if (side->kind == Need::Kind::all) {
      // Any one of them is implied; take the one that says most.
      const auto most = std::max_element(
          side->conditions.begin(), side->conditions.end(),
          [](const Condition& a, const Condition& b) { return selectivity(a) < selectivity(b); });
      std::iter_swap(side->conditions.begin(), most);
      side->conditions.resize(1);
    }
    for (Condition& condition : side->conditions) {
      const auto same = std::find_if(conditions.begin(), conditions.end(), [&](const Condition& c) {
        return same_question(c, condition);
      });
      if (same == conditions.end()) {
        conditions.push_back(std::move(condition));
      } else {
        std::move(condition.operands.begin(), condition.operands.end(),
                  std::back_inserter(same->operands));
      }
    }
  }
  return one_of(std::move(conditions));
}

std::optional<Op> store_op(Operator op) {
  switch (op) {
    case Operator::equal:
      return Op::equal;
    case Operator::less:
      return Op::less;
    case Operator::less_equal:
      return Op::less_equal;
    case Operator::greater:
      return Op::greater;
    case Operator::greater_equal:
      return Op::greater_equal;
    case Operator::regex:
      return Op::regex;
    default:
      return std::nullopt;
  }
}

Operator flipped(Operator op) {
  switch (op) {
    case Operator::less:
      return Operator::greater;
    case Operator::less_equal:
      return Operator::greater_equal;
    case Operator::greater:
      return Operator::less;
    case Operator::greater_equal:
      return Operator::less_equal;
    default:
      return op;
  }
}

// The integer n for which `x op n` holds of every integer x that satisfies `x op value`.
std::optional<int64_t> integer_bound(Operator op, double value) {
  const bool upper = op == Operator::less || op == Operator::greater_equal;
  const double bound = upper ? std::ceil(value) : std::floor(value);
  constexpr double kLimit = 9.0e18;
  if (!(bound > -kLimit && bound < kLimit)) return std::nullopt;
  if (op == Operator::equal && bound != value) return std::nullopt;
  return static_cast<int64_t>(bound);
}

// Operands that cover both number types of a column; empty when that is not certain.
std::vector<Operand> number_operands(Operator op, const Value& number) {
  if (number.type == Value::Type::real) {
    const auto bound = integer_bound(op, number.real);
    if (bound) return {Operand(number.real), Operand(*bound)};
    if (op == Operator::equal) return {Operand(number.real)};
    return {};
  }
  constexpr int64_t kExact = int64_t{1} << 53;
  if (number.integer > kExact || number.integer < -kExact) return {};
  return {Operand(number.integer), Operand(static_cast<double>(number.integer))};
}

std::vector<Condition> attribute_conditions(const Attribute& attribute, Op op,
                                            const std::vector<Operand>& operands) {
  using store::ColumnScope;
  std::vector<ColumnScope> scopes;
  switch (attribute.scope) {
    case Scope::none:
      scopes = {ColumnScope::span, ColumnScope::resource};
      break;
    case Scope::span:
      scopes = {ColumnScope::span};
      break;
    case Scope::resource:
      scopes = {ColumnScope::resource};
      break;
    case Scope::event:
      scopes = {ColumnScope::event};
      break;
    case Scope::link:
      scopes = {ColumnScope::link};
      break;
    case Scope::instrumentation:
      scopes = {ColumnScope::instrumentation};
      break;
  }
  std::vector<Condition> conditions;
  for (const ColumnScope scope : scopes) {
    conditions.push_back({SpanField::attribute, {scope, attribute.name}, op, operands});
  }
  return conditions;
}

Need attribute_need(const Attribute& attribute, Operator op, const Value& literal) {
  // Whatever the comparison: a missing attribute satisfies none.
  Need exists = one_of(attribute_conditions(attribute, Op::exists, {}));
  const auto asked = store_op(op);
  if (!asked) return exists;
  std::vector<Operand> operands;
  if (literal.type == Value::Type::string) {
    operands = {Operand(std::string(literal.string))};
  } else if (literal.type == Value::Type::boolean) {
    operands = {Operand(literal.boolean)};
  } else if (literal.is_numeric()) {
    operands = number_operands(op, literal);
  }
  if (operands.empty()) return exists;
  return one_of(attribute_conditions(attribute, *asked, operands));
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Need field_need(SpanField field, Op op, Operand operand) {
  return one_of({Condition{field, {}, op, {std::move(operand)}}});
}

// Ids are asked for whole and for equality only; how TraceQL writes them is the engine's affair.
Need id_need(SpanField field, Op op, std::string_view text, size_t width) {
  if (op != Op::equal || text.empty() || text.size() > width || !is_hex(text)) return unknown();
  return field_need(field, op, std::string(width - text.size(), '0') + std::string(text));
}

Need duration_need(Operator op, Op asked, const Value& literal) {
  if (!literal.is_numeric()) return unknown();
  if (literal.type != Value::Type::real) {
    return field_need(SpanField::duration, asked, literal.integer);
  }
  const auto bound = integer_bound(op, literal.real);
  return bound ? field_need(SpanField::duration, asked, *bound) : unknown();
}

Need intrinsic_need(Intrinsic intrinsic, Operator op, const Value& literal) {
  const auto asked = store_op(op);
  if (!asked) return unknown();
  const auto text = [&](SpanField field) {
    return literal.type == Value::Type::string
               ? field_need(field, *asked, std::string(literal.string))
               : unknown();
  };
  switch (intrinsic) {
    case Intrinsic::name:
      return text(SpanField::name);
    case Intrinsic::status_message:
      return text(SpanField::status_message);
    case Intrinsic::instrumentation_name:
      return text(SpanField::scope_name);
    case Intrinsic::instrumentation_version:
      return text(SpanField::scope_version);
    case Intrinsic::event_name:
      return text(SpanField::event_name);
    case Intrinsic::status:
      return literal.type == Value::Type::status
                 ? field_need(SpanField::status, *asked, literal.integer)
                 : unknown();
    case Intrinsic::kind:
      return literal.type == Value::Type::kind
                 ? field_need(SpanField::kind, *asked, literal.integer)
                 : unknown();
    case Intrinsic::duration:
      return duration_need(op, *asked, literal);
    case Intrinsic::span_id:
      return id_need(SpanField::span_id, *asked, literal.string, 16);
    case Intrinsic::parent_id:
      return id_need(SpanField::parent_span_id, *asked, literal.string, 16);
    case Intrinsic::link_span_id:
      return id_need(SpanField::link_span_id, *asked, literal.string, 16);
    case Intrinsic::trace_id:
      return id_need(SpanField::trace_id, *asked, literal.string, 32);
    case Intrinsic::link_trace_id:
      return id_need(SpanField::link_trace_id, *asked, literal.string, 32);
    default:
      return unknown();
  }
}

Need comparison_need(const Attribute& attribute, Operator op, const Value& literal) {
  if (attribute.of_parent) return unknown();
  if (attribute.intrinsic != Intrinsic::none) {
    return intrinsic_need(attribute.intrinsic, op, literal);
  }
  return attribute_need(attribute, op, literal);
}

Need need_of(const FieldExpr& expr) {
  if (expr.is_literal()) {
    const auto* value = std::get_if<bool>(&expr.literal());
    return value != nullptr && *value ? unknown() : never();
  }
  if (expr.is_attribute()) {
    return comparison_need(expr.attribute(), Operator::equal, make_boolean(true));
  }
  if (expr.op == Operator::logical_and || expr.op == Operator::logical_or) {
    Need need = need_of(expr.operands[0]);
    for (size_t i = 1; i < expr.operands.size(); ++i) {
      Need next = need_of(expr.operands[i]);
      need = expr.op == Operator::logical_and ? both(std::move(need), std::move(next))
                                              : either(std::move(need), std::move(next));
    }
    return need;
  }
  const FieldExpr& left = expr.operands[0];
  if (expr.op == Operator::exists && left.is_attribute() && !left.attribute().of_parent &&
      left.attribute().intrinsic == Intrinsic::none) {
    return one_of(attribute_conditions(left.attribute(), Op::exists, {}));
  }
  if (!is_comparison(expr.op)) return unknown();
  const FieldExpr& right = expr.operands[1];
  if (left.is_attribute() && right.is_literal()) {
    return comparison_need(left.attribute(), expr.op, make_value(right.literal()));
  }
  if (right.is_attribute() && left.is_literal()) {
    return comparison_need(right.attribute(), flipped(expr.op), make_value(left.literal()));
  }
  return unknown();
}

Need need_of(const Pipeline& pipeline);

// Of traces here: one span satisfies all, or one span satisfies any.
Need need_of(const SpansetExpr& expr) {
  if (!expr.pipeline.empty()) return need_of(expr.pipeline[0]);
  if (expr.filter) return need_of(*expr.filter);
  Need left = need_of(expr.operands[0]);
  Need right = need_of(expr.operands[1]);
  if (expr.op == Operator::logical_or) return either(std::move(left), std::move(right));
  const bool negated = expr.op >= Operator::not_child && expr.op <= Operator::not_sibling;
  if (negated) return right;
  if (left.kind == Need::Kind::never || right.kind == Need::Kind::never) return never();
  return better(std::move(left), std::move(right));
}

Need need_of(const Pipeline& pipeline) {
  Need need = unknown();
  bool filters_only = true;  // then a span of the answer satisfies every one of them
  for (const Stage& stage : pipeline.stages) {
    const auto* spanset = std::get_if<SpansetExpr>(&stage);
    if (spanset == nullptr) continue;
    filters_only = filters_only && spanset->filter.has_value();
    Need next = need_of(*spanset);
    if (filters_only) {
      need = both(std::move(need), std::move(next));
    } else if (next.kind == Need::Kind::never) {
      need = never();
    } else {
      need = better(std::move(need), std::move(next));
    }
  }
  return need;
}

// Whether the one condition that is asked for the comparison decides it.
bool is_decided(const Attribute& attribute, Operator op, const Need& need) {
  if (need.kind != Need::Kind::all || need.conditions.size() != 1) return false;
  if (attribute.intrinsic == Intrinsic::none) {
    const bool of_span = attribute.scope == Scope::span || attribute.scope == Scope::resource ||
                         attribute.scope == Scope::instrumentation;
    if (!of_span) return false;
  } else if (attribute.intrinsic == Intrinsic::duration ||
             attribute.intrinsic == Intrinsic::event_name ||
             attribute.intrinsic == Intrinsic::link_span_id ||
             attribute.intrinsic == Intrinsic::link_trace_id) {
    return false;  // open spans end now; another event or link may differ
  }
  return op == Operator::exists || need.conditions.front().op != Op::exists;
}

bool add_exact(const FieldExpr& expr, std::vector<Condition>& conditions) {
  if (expr.is_literal()) {
    const auto* value = std::get_if<bool>(&expr.literal());
    return value != nullptr && *value;
  }
  if (expr.op == Operator::logical_and) {
    return std::all_of(expr.operands.begin(), expr.operands.end(),
                       [&](const FieldExpr& operand) { return add_exact(operand, conditions); });
  }
  if (expr.is_attribute() || expr.operands.empty()) return false;
  const FieldExpr* field = &expr.operands[0];
  if (!field->is_attribute() && expr.operands.size() == 2) field = &expr.operands[1];
  if (!field->is_attribute()) return false;
  Need need = need_of(expr);
  if (!is_decided(field->attribute(), expr.op, need)) return false;
  conditions.push_back(std::move(need.conditions.front()));
  return true;
}

}  // namespace

std::optional<std::vector<Condition>> exact_conditions(const FieldExpr& filter) {
  std::vector<Condition> conditions;
  if (!add_exact(filter, conditions)) return std::nullopt;
  return conditions;
}

bool push_down(const Pipeline& pipeline, store::FetchRequest& request) {
  Need need = need_of(pipeline);
  if (need.kind == Need::Kind::never) return false;
  request.all_conditions = need.kind == Need::Kind::all;
  request.conditions = std::move(need.conditions);
  return true;
}

}  // namespace contextcore::traceql
