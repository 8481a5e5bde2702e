#include "query/promql/print.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/time.h"
#include "query/common/text.h"
#include "query/promql/functions.h"

namespace contextcore::promql {
namespace {

constexpr size_t kLineCharactersMax = 100;

std::string print_ms(int64_t ms) {
  return ms < 0 ? "-" + query::format_range(-ms * kMillisecondNs) : query::format_range(ms * kMillisecondNs);
}

std::string print_labels(const std::vector<std::string>& labels) {
  std::string out = "(";
  for (const std::string& label : labels) {
    if (out.size() > 1) out += ", ";
    out += print_label(label);
  }
  return out + ")";
}

std::string print_at(int64_t ms) {
  char buffer[64];
  const auto [end, error] =
      std::to_chars(buffer, buffer + sizeof(buffer), static_cast<double>(ms) / 1000, std::chars_format::fixed, 3);
  return error == std::errc() ? std::string(buffer, end) : std::string("0");
}

std::string print_shift(const TimeShift& shift) {
  std::string out;
  if (shift.at == TimeShift::At::time) out += " @ " + print_at(shift.at_ms);
  if (shift.at == TimeShift::At::start) out += " @ start()";
  if (shift.at == TimeShift::At::end) out += " @ end()";
  if (shift.offset_ms != 0) out += " offset " + print_ms(shift.offset_ms);
  return out;
}

std::string print_head(const Aggregation& aggregation) {
  std::string out = name_of(aggregation.op);
  if (aggregation.grouping.without) {
    out += " without " + print_labels(aggregation.grouping.labels) + " ";
  } else if (!aggregation.grouping.labels.empty()) {
    out += " by " + print_labels(aggregation.grouping.labels) + " ";
  }
  return out;
}

// The operator with what modifies it.
std::string print_operator(const BinaryOperation& binary) {
  std::string out = query::name_of(binary.op);
  if (binary.return_bool) out += " bool";
  if (!binary.matching) return out;
  const VectorMatching& matching = *binary.matching;
  out += (matching.on ? " on " : " ignoring ") + print_labels(matching.labels);
  if (matching.cardinality == VectorMatching::Cardinality::many_to_one) {
    out += " group_left " + print_labels(matching.include);
  } else if (matching.cardinality == VectorMatching::Cardinality::one_to_many) {
    out += " group_right " + print_labels(matching.include);
  }
  return out;
}

std::string print_suffix(const Subquery& subquery) {
  std::string out = "[" + print_ms(subquery.range_ms) + ":";
  if (subquery.step_ms != 0) out += print_ms(subquery.step_ms);
  return out + "]" + print_shift(subquery.shift);
}

struct Printer {
  std::string operator()(const NumberLiteral& number) const {
    if (!number.duration) return query::format_sample(number.value);
    return print_ms(static_cast<int64_t>(std::llround(number.value * 1000)));
  }
  std::string operator()(const StringLiteral& literal) const { return query::quote(literal.value); }
  std::string operator()(const VectorSelector& selector) const {
    return print_selector(selector) + print_shift(selector.shift);
  }
  std::string operator()(const MatrixSelector& matrix) const {
    return print_selector(matrix.selector) + "[" + print_ms(matrix.range_ms) + "]" + print_shift(matrix.selector.shift);
  }
  std::string operator()(const Subquery& subquery) const { return print(subquery.operand[0]) + print_suffix(subquery); }
  std::string operator()(const Call& call) const {
    std::string out(call.function->name);
    out += "(";
    for (size_t i = 0; i < call.arguments.size(); ++i) out += (i > 0 ? ", " : "") + print(call.arguments[i]);
    return out + ")";
  }
  std::string operator()(const Aggregation& aggregation) const {
    std::string out = print_head(aggregation) + "(";
    if (!aggregation.parameter.empty()) out += print(aggregation.parameter[0]) + ", ";
    return out + print(aggregation.operand[0]) + ")";
  }
  std::string operator()(const BinaryOperation& binary) const {
    return print(binary.operands[0]) + " " + print_operator(binary) + " " + print(binary.operands[1]);
  }
  std::string operator()(const Unary& unary) const { return (unary.negative ? "-" : "+") + print(unary.operand[0]); }
  std::string operator()(const Parentheses& parentheses) const { return "(" + print(parentheses.operand[0]) + ")"; }
};

// A node that does not fit its line is split; level is its depth.
class Pretty {
 public:
  std::string node(const Expr& expr, size_t level) const {
    if (print(expr).size() <= kLineCharactersMax) return indent(level) + print(expr);
    return std::visit([&](const auto& value) { return split(value, expr, level); }, expr.node);
  }

 private:
  static std::string indent(size_t level) { return std::string(2 * level, ' '); }

  template <typename Node>
  std::string split(const Node&, const Expr& expr, size_t level) const {
    return indent(level) + print(expr);
  }
  std::string split(const Subquery& subquery, const Expr&, size_t level) const {
    return node(subquery.operand[0], level) + print_suffix(subquery);
  }
  std::string split(const Call& call, const Expr&, size_t level) const {
    std::string out = indent(level) + std::string(call.function->name) + "(\n";
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      out += (i > 0 ? ",\n" : "") + node(call.arguments[i], level + 1);
    }
    return out + "\n" + indent(level) + ")";
  }
  std::string split(const Aggregation& aggregation, const Expr&, size_t level) const {
    std::string out = indent(level) + print_head(aggregation) + "(\n";
    if (!aggregation.parameter.empty()) out += node(aggregation.parameter[0], level + 1) + ",\n";
    return out + node(aggregation.operand[0], level + 1) + "\n" + indent(level) + ")";
  }
  std::string split(const BinaryOperation& binary, const Expr&, size_t level) const {
    return node(binary.operands[0], level + 1) + "\n" + indent(level) + print_operator(binary) + "\n" +
           node(binary.operands[1], level + 1);
  }
  std::string split(const Unary& unary, const Expr&, size_t level) const {
    std::string operand = node(unary.operand[0], level);
    operand.erase(0, operand.find_first_not_of(' '));
    return indent(level) + (unary.negative ? "-" : "+") + operand;
  }
  std::string split(const Parentheses& parentheses, const Expr&, size_t level) const {
    return indent(level) + "(\n" + node(parentheses.operand[0], level + 1) + "\n" + indent(level) + ")";
  }
};

}  // namespace

std::string print_label(std::string_view name) {
  return query::is_label_name(name) ? std::string(name) : query::quote(name);
}

std::string print(const Matcher& matcher) {
  return print_label(matcher.name) + name_of(matcher.op) + query::quote(matcher.value);
}

std::string print_selector(const VectorSelector& selector) {
  std::vector<std::string> matchers;
  for (size_t i = 0; i < selector.matchers.size(); ++i) {
    const bool written_before = !selector.name.empty() && i + 1 == selector.matchers.size();
    if (!written_before) matchers.push_back(print(selector.matchers[i]));
  }
  std::string out = selector.name;
  if (matchers.empty()) return out;
  out += "{";
  for (size_t i = 0; i < matchers.size(); ++i) out += (i > 0 ? "," : "") + matchers[i];
  return out + "}";
}

std::string print(const Expr& expr) { return std::visit(Printer{}, expr.node); }

std::string print_pretty(const Expr& expr) { return Pretty().node(expr, 0); }

}  // namespace contextcore::promql
