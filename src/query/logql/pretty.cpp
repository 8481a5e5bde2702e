// AST to text over several lines, in the layout of Loki's format_query: what fits into a line stays
// on one, everything else is broken into its parts, two blanks deeper each.

#include "base/text.h"
#include "base/time.h"
#include "query/logql/print.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

constexpr size_t kLineChars = 100;

std::string indent(int level) { return std::string(2 * static_cast<size_t>(level), ' '); }

std::string grouping_text(const std::optional<Grouping>& grouping) {
  if (!grouping) return {};
  return (grouping->without ? " without (" : " by (") + join(grouping->labels, ", ") + ")";
}

// As a range is written ("1h"), where print() has Go's form.
std::string offset_text(const LogRange& range) {
  if (range.offset_ns == 0) return {};
  const bool whole = range.offset_ns > 0 && range.offset_ns % kMillisecondNs == 0;
  return " offset " + (whole ? format_range(range.offset_ns) : format_go_duration(range.offset_ns));
}

// Neighbouring line filters share a line as far as they fit.
std::string line_filters(const std::vector<Stage>& stages, size_t from, size_t to, int level) {
  std::string line;
  for (size_t i = from; i < to; ++i) line += (line.empty() ? "" : " ") + print(stages[i]);
  if (line.size() <= kLineChars || to - from == 1) return indent(level) + line;
  return line_filters(stages, from, to - 1, level) + "\n" + indent(level) + print(stages[to - 1]);
}

std::string selector_lines(const LogSelector& selector, int level) {
  std::string line = print(selector);
  if (line.size() <= kLineChars || selector.stages.empty()) return indent(level) + line;
  std::string out = indent(level) + print(selector.matchers);
  for (size_t i = 0; i < selector.stages.size();) {
    size_t end = i;
    while (end < selector.stages.size() &&
           std::holds_alternative<LineFilter>(selector.stages[end])) {
      ++end;
    }
    if (end > i) {
      out += "\n" + line_filters(selector.stages, i, end, level + 1);
      i = end;
    } else {
      out += "\n" + indent(level + 1) + print(selector.stages[i++]);
    }
  }
  return out;
}

std::string expr_lines(const Expr& expr, int level);

std::string lines_of(const LogSelector& selector, int level) {
  return selector_lines(selector, level);
}

std::string lines_of(const RangeAggregation& aggregation, int level) {
  std::string out = indent(level) + name_of(aggregation.op) + "(\n";
  if (aggregation.parameter)
    out += indent(level + 1) + format_number(*aggregation.parameter) + ",\n";
  out += selector_lines(aggregation.range.selector, level + 1);
  if (const auto& unwrap = aggregation.range.unwrap) {
    out += "\n" + indent(level + 2) + "| unwrap ";
    out += unwrap->conversion == Conversion::none
               ? unwrap->label
               : std::string(name_of(unwrap->conversion)) + "(" + unwrap->label + ")";
    for (const LabelFilter& filter : unwrap->filters)
      out += "\n" + indent(level + 2) + "| " + print(filter);
  }
  out += " [" + format_range(aggregation.range.range_ns) + "]" + offset_text(aggregation.range);
  out += "\n" + indent(level) + ")";
  return out + grouping_text(aggregation.grouping);
}

std::string lines_of(const VectorAggregation& aggregation, int level) {
  std::string out =
      indent(level) + name_of(aggregation.op) + grouping_text(aggregation.grouping) + "(\n";
  if (aggregation.parameter)
    out += indent(level + 1) + std::to_string(*aggregation.parameter) + ",\n";
  return out + expr_lines(aggregation.operand[0], level + 1) + "\n" + indent(level) + ")";
}

std::string operand_lines(const Expr& operand, int level) {
  // What one line holds has its parentheses.
  if (!std::holds_alternative<BinaryOperation>(operand.node) ||
      print(operand).size() <= kLineChars) {
    return expr_lines(operand, level);
  }
  return indent(level) + "(\n" + expr_lines(operand, level + 1) + "\n" + indent(level) + ")";
}

std::string lines_of(const BinaryOperation& operation, int level) {
  std::string op = name_of(operation.op);
  if (operation.return_bool) op += " bool";
  if (const auto& matching = operation.matching) {
    op += (matching->on ? " on (" : " ignoring (") + join(matching->labels, ", ") + ")";
    if (matching->cardinality != VectorMatching::Cardinality::one_to_one) {
      op += matching->cardinality == VectorMatching::Cardinality::many_to_one ? " group_left"
                                                                              : " group_right";
      if (!matching->include.empty()) op += " (" + join(matching->include, ", ") + ")";
    }
  }
  return operand_lines(operation.operands[0], level + 1) + "\n" + indent(level) + op + "\n" +
         operand_lines(operation.operands[1], level + 1);
}

std::string lines_of(const LabelReplace& replace, int level) {
  std::string out = indent(level) + "label_replace(\n" + expr_lines(replace.operand[0], level + 1);
  for (const std::string* text :
       {&replace.destination, &replace.replacement, &replace.source, &replace.regex}) {
    out += ",\n" + indent(level + 1) + quote(*text);
  }
  return out + "\n" + indent(level) + ")";
}

// Never too long for a line.
std::string lines_of(const Literal& literal, int level) {
  return indent(level) + print(Expr{literal});
}
std::string lines_of(const VectorLiteral& vector, int level) {
  return indent(level) + print(Expr{vector});
}

std::string expr_lines(const Expr& expr, int level) {
  std::string line = print(expr);
  if (line.size() <= kLineChars) return indent(level) + line;
  return std::visit([level](const auto& node) { return lines_of(node, level); }, expr.node);
}

}  // namespace

std::string pretty(const Expr& expr) { return expr_lines(expr, 0); }

}  // namespace contextcore::logql
