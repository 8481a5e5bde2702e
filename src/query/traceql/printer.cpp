#include "query/traceql/printer.h"

#include <array>
#include <charconv>
#include <limits>

#include "base/time.h"
#include "query/common/lexing.h"
#include "query/traceql/lexer.h"
#include "query/traceql/parser_impl.h"

namespace contextcore::traceql {

namespace {

constexpr int kLeaf = kPower + 1;

std::string parenthesized(std::string text) { return "(" + std::move(text) + ")"; }

int precedence_of(Operator op) {
  switch (op) {
    case Operator::none:
      return kLeaf;
    case Operator::add:
    case Operator::subtract:
    case Operator::negate:
    case Operator::logical_not:
      return kSum;
    case Operator::multiply:
    case Operator::divide:
    case Operator::modulo:
      return kProduct;
    case Operator::power:
      return kPower;
    case Operator::logical_and:
    case Operator::logical_or:
      return kLogical;
    default:
      return kComparison;
  }
}

std::string print_double(double value) {
  std::array<char, 40> buffer{};
  const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), code == std::errc() ? end : buffer.data());
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Between spansets a name of the operator is enough; the level follows from the kind of operator.
int spanset_precedence(Operator op) { return is_structural(op) ? kComparison : kLogical; }

std::string print_field(const FieldExpr& expr, int precedence_min) {
  const int precedence = precedence_of(expr.op);
  std::string out;
  if (expr.op == Operator::none) {
    out = expr.is_literal() ? to_string(expr.literal()) : to_string(expr.attribute());
  } else if (expr.op == Operator::negate || expr.op == Operator::logical_not) {
    out = std::string(symbol(expr.op)) + print_field(expr.operands[0], kLeaf);
  } else if (expr.op == Operator::exists || expr.op == Operator::not_exists) {
    out = print_field(expr.operands[0], kComparison + 1) + " " + std::string(symbol(expr.op));
  } else {
    // Sums and products associate to the left and powers to the right; the rest is kept explicit.
    const bool left_chain = precedence == kSum || precedence == kProduct;
    for (size_t i = 0; i < expr.operands.size(); ++i) {
      if (i > 0) out += " " + std::string(symbol(expr.op)) + " ";
      const bool bare = (i == 0 && left_chain) || (i > 0 && expr.op == Operator::power);
      out += print_field(expr.operands[i], bare ? precedence : precedence + 1);
    }
  }
  return precedence < precedence_min ? parenthesized(std::move(out)) : out;
}

std::string print_spanset(const SpansetExpr& expr) {
  if (!expr.pipeline.empty()) return parenthesized(to_string(expr.pipeline[0]));
  if (expr.filter) return "{ " + to_string(*expr.filter) + " }";
  std::string out;
  for (size_t i = 0; i < 2; ++i) {
    const SpansetExpr& operand = expr.operands[i];
    const bool bare = operand.op == Operator::none || (i == 0 && operand.op == expr.op) ||
                      spanset_precedence(operand.op) > spanset_precedence(expr.op);
    if (i > 0) out += " " + std::string(symbol(expr.op)) + " ";
    out += bare ? print_spanset(operand) : parenthesized(print_spanset(operand));
  }
  return out;
}

// A folded constant; the grammar of scalars has no name for the smallest integer.
std::string print_constant(const Static& value) {
  const auto* integer = std::get_if<int64_t>(&value);
  if (integer == nullptr || *integer != std::numeric_limits<int64_t>::min()) {
    return integer != nullptr ? std::to_string(*integer) : to_string(value);
  }
  return "(-9223372036854775807 - 1)";
}

std::string print_scalar(const ScalarExpr& expr, int precedence_min) {
  if (!expr.pipeline.empty()) {
    return parenthesized(to_string(expr.pipeline[0].pipeline) + " | " +
                         to_string(expr.pipeline[0].aggregate));
  }
  if (expr.is_literal()) return print_constant(std::get<Static>(expr.leaf));
  if (expr.is_aggregate()) return to_string(std::get<Aggregate>(expr.leaf));
  const int precedence = precedence_of(expr.op);
  const bool right = expr.op == Operator::power;
  std::string out = print_scalar(expr.operands[0], right ? precedence + 1 : precedence) + " " +
                    std::string(symbol(expr.op)) + " " +
                    print_scalar(expr.operands[1], right ? precedence : precedence + 1);
  return precedence < precedence_min ? parenthesized(std::move(out)) : out;
}

std::string print_stage(const Stage& stage) {
  struct Printer {
    std::string operator()(const SpansetExpr& expr) const { return print_spanset(expr); }
    std::string operator()(const ScalarFilter& filter) const { return to_string(filter); }
    std::string operator()(const GroupBy& group) const {
      return "by(" + to_string(group.expr) + ")";
    }
    std::string operator()(const Coalesce&) const { return "coalesce()"; }
    std::string operator()(const Select& select) const {
      std::string out = "select(";
      for (size_t i = 0; i < select.attributes.size(); ++i) {
        out += (i > 0 ? ", " : "") + to_string(select.attributes[i]);
      }
      return out + ")";
    }
  };
  return std::visit(Printer{}, stage);
}

std::string print_list(const std::vector<Attribute>& attributes) {
  std::string out;
  for (size_t i = 0; i < attributes.size(); ++i) {
    out += (i > 0 ? ", " : "") + to_string(attributes[i]);
  }
  return out;
}

std::string print_metrics_pipeline(const MetricsPipeline& metrics) {
  std::string out = to_string(metrics.pipeline) + " | " + to_string(metrics.metrics);
  for (const SecondStage& stage : metrics.stages) out += to_string(stage);
  return out;
}

std::string print_metrics(const MetricsExpr& expr, int precedence_min) {
  if (expr.op == Operator::none) {
    if (expr.leaf.index() == 0) return print_constant(std::get<Static>(expr.leaf));
    return parenthesized(print_metrics_pipeline(std::get<MetricsPipeline>(expr.leaf)));
  }
  const int precedence = precedence_of(expr.op);
  std::string out = print_metrics(expr.operands[0], precedence) + " " +
                    std::string(symbol(expr.op)) + " " +
                    print_metrics(expr.operands[1], precedence + 1);
  return precedence < precedence_min ? parenthesized(std::move(out)) : out;
}

}  // namespace

std::string to_string(const Static& value) {
  struct Printer {
    std::string operator()(const Nil&) const { return "nil"; }
    std::string operator()(int64_t v) const {
      return v == std::numeric_limits<int64_t>::min() ? "minInt" : std::to_string(v);
    }
    std::string operator()(double v) const { return print_double(v); }
    std::string operator()(const std::string& v) const { return query::quote_string(v); }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(const Duration& v) const { return format_go_duration(v.ns); }
    std::string operator()(SpanStatus v) const { return std::string(word(v)); }
    std::string operator()(SpanKind v) const { return std::string(word(v)); }
  };
  return std::visit(Printer{}, value);
}

std::string to_string(const Attribute& attribute) {
  if (attribute.intrinsic != Intrinsic::none) return std::string(word(attribute.intrinsic));
  std::string out = attribute.of_parent ? "parent." : "";
  if (attribute.scope != Scope::none) out += std::string(word(attribute.scope)) + ".";
  if (out.empty()) out = ".";
  // parent."span.x" is the attribute span.x of the parent, parent.span.x is not.
  const bool looks_scoped =
      attribute.of_parent && attribute.scope == Scope::none &&
      (attribute.name.starts_with("span.") || attribute.name.starts_with("resource."));
  // A digit after a lone dot would read as a number.
  const bool looks_number =
      out == "." && !attribute.name.empty() && query::is_ascii_digit(attribute.name[0]);
  if (is_plain_attribute_name(attribute.name) && !looks_scoped && !looks_number) {
    return out + attribute.name;
  }
  out.push_back('"');
  for (const char c : attribute.name) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string to_string(const FieldExpr& expr) { return print_field(expr, 0); }
std::string to_string(const SpansetExpr& expr) { return print_spanset(expr); }
std::string to_string(const ScalarExpr& expr) { return print_scalar(expr, 0); }

std::string to_string(const ScalarFilter& filter) {
  return print_scalar(filter.left, kSum) + " " + std::string(symbol(filter.op)) + " " +
         print_scalar(filter.right, kSum);
}

std::string to_string(const Aggregate& aggregate) {
  return std::string(word(aggregate.function)) + "(" +
         (aggregate.argument ? to_string(*aggregate.argument) : "") + ")";
}

std::string to_string(const Pipeline& pipeline) {
  std::string out;
  for (const Stage& stage : pipeline.stages) {
    if (!out.empty()) out += " | ";
    out += print_stage(stage);
  }
  return out;
}

std::string to_string(const Metrics& metrics) {
  std::string out = std::string(word(metrics.function)) + "(";
  if (metrics.selection) {
    out += to_string(*metrics.selection);
    const bool timed = metrics.start_ns != 0 || metrics.end_ns != 0;
    if (metrics.top != 10 || timed) out += ", " + std::to_string(metrics.top);
    if (timed) {
      out += ", " + std::to_string(metrics.start_ns) + ", " + std::to_string(metrics.end_ns);
    }
  }
  if (metrics.attribute) out += to_string(*metrics.attribute);
  for (const double quantile : metrics.quantiles) out += ", " + print_double(quantile);
  out += ")";
  if (!metrics.by.empty()) out += " by (" + print_list(metrics.by) + ")";
  return out;
}

std::string to_string(const SecondStage& stage) {
  if (stage.function == SecondStage::Function::filter) {
    return " " + std::string(symbol(stage.op)) + " " + print_constant(stage.value);
  }
  const bool top = stage.function == SecondStage::Function::topk;
  return std::string(top ? " | topk(" : " | bottomk(") + std::to_string(stage.limit) + ")";
}

std::string to_string(const Query& query) {
  std::string out;
  if (query.is_metrics()) {
    const auto& metrics = std::get<MetricsQuery>(query.body);
    const auto* single = std::get_if<MetricsPipeline>(&metrics.expr.leaf);
    out = metrics.expr.op == Operator::none && single != nullptr ? print_metrics_pipeline(*single)
                                                                 : print_metrics(metrics.expr, 0);
    for (const SecondStage& stage : metrics.stages) out += to_string(stage);
  } else {
    out = to_string(query.pipeline());
  }
  if (query.trailing) {
    out += " | " + to_string(query.trailing->aggregate);
    if (!query.trailing->by.empty()) out += " by (" + print_list(query.trailing->by) + ")";
  }
  for (size_t i = 0; i < query.hints.size(); ++i) {
    out += i == 0 ? " with (" : ", ";
    out += query.hints[i].name + "=" + to_string(query.hints[i].value);
  }
  if (!query.hints.empty()) out += ")";
  return out;
}

}  // namespace contextcore::traceql
