#include "query/traceql/ast.h"

#include <algorithm>
#include <array>

namespace contextcore::traceql {

std::string_view symbol(Operator op) {
  constexpr std::array<std::string_view, 36> kSymbols = {
      "",   "+",  "-",  "*",  "/",   "%",   "^",  "=",      "!=",    "<",   "<=",  ">",
      ">=", "=~", "!~", "&&", "||",  "-",   "!",  "!= nil", "= nil", ">",   "<",   ">>",
      "<<", "~",  "!>", "!<", "!>>", "!<<", "!~", "&>",     "&<",    "&>>", "&<<", "&~"};
  return kSymbols[static_cast<size_t>(op)];
}

bool is_arithmetic(Operator op) { return op >= Operator::add && op <= Operator::power; }
bool is_comparison(Operator op) { return op >= Operator::equal && op <= Operator::not_regex; }
bool is_structural(Operator op) { return op >= Operator::child; }
bool is_boolean(Operator op) {
  return is_comparison(op) || op == Operator::logical_and || op == Operator::logical_or ||
         op == Operator::logical_not || op == Operator::exists || op == Operator::not_exists;
}

std::string_view word(SpanStatus status) {
  constexpr std::array<std::string_view, 3> kWords = {"error", "ok", "unset"};
  return kWords[static_cast<size_t>(status)];
}

std::string_view word(SpanKind kind) {
  constexpr std::array<std::string_view, 6> kWords = {"unspecified", "internal", "client",
                                                      "server",      "producer", "consumer"};
  return kWords[static_cast<size_t>(kind)];
}

std::string_view word(Scope scope) {
  constexpr std::array<std::string_view, 6> kWords = {"",      "span", "resource",
                                                      "event", "link", "instrumentation"};
  return kWords[static_cast<size_t>(scope)];
}

std::string_view word(Intrinsic intrinsic) {
  constexpr std::array<std::string_view, 23> kWords = {"",
                                                       "duration",
                                                       "name",
                                                       "status",
                                                       "statusMessage",
                                                       "kind",
                                                       "span:childCount",
                                                       "span:id",
                                                       "span:parentID",
                                                       "rootName",
                                                       "rootServiceName",
                                                       "traceDuration",
                                                       "trace:id",
                                                       "event:name",
                                                       "event:timeSinceStart",
                                                       "link:traceID",
                                                       "link:spanID",
                                                       "instrumentation:name",
                                                       "instrumentation:version",
                                                       "nestedSetLeft",
                                                       "nestedSetRight",
                                                       "nestedSetParent",
                                                       "parent"};
  return kWords[static_cast<size_t>(intrinsic)];
}

std::string_view word(AggregateFunction function) {
  constexpr std::array<std::string_view, 5> kWords = {"count", "avg", "min", "max", "sum"};
  return kWords[static_cast<size_t>(function)];
}

std::string_view word(MetricsFunction function) {
  constexpr std::array<std::string_view, 9> kWords = {
      "rate",          "count_over_time", "min_over_time",      "max_over_time",
      "avg_over_time", "sum_over_time",   "quantile_over_time", "histogram_over_time",
      "compare"};
  return kWords[static_cast<size_t>(function)];
}

Type type_of(const Static& value) {
  constexpr std::array<Type, 8> kTypes = {Type::nil,     Type::integer,  Type::real,   Type::string,
                                          Type::boolean, Type::duration, Type::status, Type::kind};
  return kTypes[value.index()];
}

Type type_of(const Attribute& attribute) {
  switch (attribute.intrinsic) {
    case Intrinsic::duration:
    case Intrinsic::trace_duration:
    case Intrinsic::event_time_since_start:
      return Type::duration;
    case Intrinsic::child_count:
    case Intrinsic::nested_set_left:
    case Intrinsic::nested_set_right:
    case Intrinsic::nested_set_parent:
      return Type::integer;
    case Intrinsic::status:
      return Type::status;
    case Intrinsic::kind:
      return Type::kind;
    case Intrinsic::name:
    case Intrinsic::status_message:
    case Intrinsic::span_id:
    case Intrinsic::parent_id:
    case Intrinsic::root_name:
    case Intrinsic::root_service:
    case Intrinsic::trace_id:
    case Intrinsic::event_name:
    case Intrinsic::link_trace_id:
    case Intrinsic::link_span_id:
      return Type::string;
    case Intrinsic::parent:
      return Type::nil;
    case Intrinsic::none:
    // Tempo leaves the type of these two open; a comparison with a number is valid and false.
    case Intrinsic::instrumentation_name:
    case Intrinsic::instrumentation_version:
      return Type::attribute;
  }
  return Type::attribute;
}

bool references_span(const FieldExpr& expr) {
  if (expr.op == Operator::none) return expr.is_attribute();
  return std::any_of(expr.operands.begin(), expr.operands.end(), references_span);
}

Type type_of(const FieldExpr& expr) {
  if (expr.is_literal()) return type_of(expr.literal());
  if (expr.is_attribute()) return type_of(expr.attribute());
  if (is_boolean(expr.op)) return Type::boolean;
  const Type left = type_of(expr.operands.front());
  return left != Type::attribute ? left : type_of(expr.operands.back());
}

}  // namespace contextcore::traceql
