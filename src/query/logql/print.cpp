#include "query/logql/print.h"

#include <cmath>
#include <string_view>

#include "base/time.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

template <typename Items, typename Append>
void join(const Items& items, std::string_view separator, std::string& out, Append append) {
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += separator;
    first = false;
    append(item);
  }
}

class Printer {
 public:
  std::string take() { return std::move(out_); }

  void add(const Matcher& matcher) {
    out_ += matcher.name + name_of(matcher.op) + quote(matcher.value);
  }

  void add(const std::vector<Matcher>& matchers) {
    out_ += '{';
    join(matchers, ", ", out_, [&](const Matcher& matcher) { add(matcher); });
    out_ += '}';
  }

  void add(const LogSelector& selector) {
    add(selector.matchers);
    for (const Stage& stage : selector.stages) {
      out_ += ' ';
      add(stage);
    }
  }

  void add(const Stage& stage) {
    std::visit([&](const auto& node) { add_stage(node); }, stage);
  }

  void add(const LabelFilter& filter) {
    std::visit([&](const auto& node) { add_filter(node); }, filter.node);
  }

  void add(const Expr& expr) {
    std::visit([&](const auto& node) { add_node(node); }, expr.node);
  }

 private:
  // ---- stages ----

  void add_stage(const LineFilter& filter) {
    out_ += name_of(filter.op);
    out_ += ' ';
    join(filter.operands, " or ", out_, [&](const LineFilter::Operand& operand) {
      out_ += operand.ip ? "ip(" + quote(operand.text) + ")" : quote(operand.text);
    });
  }
  void add_stage(const LabelFilter& filter) {
    out_ += "| ";
    add(filter);
  }
  void add_stage(const JsonStage& stage) {
    out_ += "| json";
    add_extractions(stage.extractions);
  }
  void add_stage(const LogfmtStage& stage) {
    out_ += "| logfmt";
    if (stage.strict) out_ += " --strict";
    if (stage.keep_empty) out_ += " --keep-empty";
    add_extractions(stage.extractions);
  }
  void add_extractions(const std::vector<Extraction>& extractions) {
    if (!extractions.empty()) out_ += ' ';
    join(extractions, ",", out_, [&](const Extraction& extraction) {
      out_ += extraction.label + "=" + quote(extraction.path);
    });
  }
  void add_stage(const RegexpStage& stage) { out_ += "| regexp " + quote(stage.regex); }
  void add_stage(const PatternStage& stage) { out_ += "| pattern " + quote(stage.pattern); }
  void add_stage(const UnpackStage&) { out_ += "| unpack"; }
  void add_stage(const DecolorizeStage&) { out_ += "| decolorize"; }
  void add_stage(const LineFormatStage& stage) { out_ += "| line_format " + quote(stage.text); }
  void add_stage(const LabelFormatStage& stage) {
    out_ += "| label_format ";
    join(stage.assignments, ",", out_, [&](const LabelFormatStage::Assignment& assignment) {
      out_ +=
          assignment.name + "=" + (assignment.rename ? assignment.value : quote(assignment.value));
    });
  }
  void add_stage(const DropStage& stage) { add_choices("| drop ", stage.labels); }
  void add_stage(const KeepStage& stage) { add_choices("| keep ", stage.labels); }
  void add_choices(std::string_view verb, const std::vector<LabelChoice>& labels) {
    out_ += verb;
    join(labels, ",", out_, [&](const LabelChoice& choice) {
      if (choice.matcher) {
        add(*choice.matcher);
      } else {
        out_ += choice.name;
      }
    });
  }

  // ---- label filters ----

  void add_filter(const Matcher& matcher) { add(matcher); }
  void add_filter(const NumberFilter& filter) {
    out_ += filter.name + name_of(filter.op) + format_number(filter.value);
  }
  void add_filter(const DurationFilter& filter) {
    out_ += filter.name + name_of(filter.op) + format_go_duration(filter.value_ns);
  }
  void add_filter(const BytesFilter& filter) {
    out_ += filter.name + name_of(filter.op) + format_bytes(filter.value_bytes);
  }
  void add_filter(const IpFilter& filter) {
    out_ += filter.name + (filter.negated ? "!=" : "=") + "ip(" + quote(filter.pattern) + ")";
  }
  void add_filter(const LabelFilterGroup& group) {
    out_ += "( ";
    join(group.operands, group.any ? " or " : " , ", out_,
         [&](const LabelFilter& operand) { add(operand); });
    out_ += " )";
  }

  // ---- expressions ----

  void add_labels(const std::vector<std::string>& labels) {
    out_ += '(';
    join(labels, ",", out_, [&](const std::string& label) { out_ += label; });
    out_ += ')';
  }
  void add_grouping(const std::optional<Grouping>& grouping) {
    if (!grouping) return;
    out_ += grouping->without ? " without " : " by ";
    add_labels(grouping->labels);
  }

  void add_node(const LogSelector& selector) { add(selector); }

  void add_node(const RangeAggregation& aggregation) {
    out_ += name_of(aggregation.op);
    out_ += '(';
    if (aggregation.parameter) out_ += format_number(*aggregation.parameter) + ",";
    add(aggregation.range.selector);
    if (const auto& unwrap = aggregation.range.unwrap) {
      out_ += " | unwrap ";
      out_ += unwrap->conversion == Conversion::none
                  ? unwrap->label
                  : std::string(name_of(unwrap->conversion)) + "(" + unwrap->label + ")";
      for (const LabelFilter& filter : unwrap->filters) {
        out_ += " | ";
        add(filter);
      }
    }
    out_ += "[" + format_range(aggregation.range.range_ns) + "]";
    if (aggregation.range.offset_ns != 0)
      out_ += " offset " + format_go_duration(aggregation.range.offset_ns);
    out_ += ')';
    add_grouping(aggregation.grouping);
  }

  void add_node(const VectorAggregation& aggregation) {
    out_ += name_of(aggregation.op);
    add_grouping(aggregation.grouping);
    out_ += '(';
    if (aggregation.parameter) out_ += std::to_string(*aggregation.parameter) + ",";
    add(aggregation.operand[0]);
    out_ += ')';
  }

  void add_node(const BinaryOperation& operation) {
    out_ += '(';
    add(operation.operands[0]);
    out_ += std::string(" ") + name_of(operation.op);
    if (operation.return_bool) out_ += " bool";
    if (const auto& matching = operation.matching) {
      out_ += matching->on ? " on " : " ignoring ";
      add_labels(matching->labels);
      if (matching->cardinality != VectorMatching::Cardinality::one_to_one) {
        out_ += matching->cardinality == VectorMatching::Cardinality::many_to_one ? " group_left"
                                                                                  : " group_right";
        if (!matching->include.empty()) {
          out_ += ' ';
          add_labels(matching->include);
        }
      }
    }
    out_ += ' ';
    add(operation.operands[1]);
    out_ += ')';
  }

  void add_node(const LabelReplace& replace) {
    out_ += "label_replace(";
    add(replace.operand[0]);
    for (const std::string* text :
         {&replace.destination, &replace.replacement, &replace.source, &replace.regex}) {
      out_ += "," + quote(*text);
    }
    out_ += ')';
  }

  void add_node(const Literal& literal) {
    // Values that only folding can make are written as an operation that folds to them.
    if (std::isnan(literal.value)) {
      out_ += "(0 / 0)";
    } else if (std::isinf(literal.value)) {
      out_ += literal.value > 0 ? "(1e+308 * 10)" : "(-1e+308 * 10)";
    } else {
      out_ += format_number(literal.value);
    }
  }
  void add_node(const VectorLiteral& vector) {
    out_ += "vector(" + format_number(vector.value) + ")";
  }

  std::string out_;
};

template <typename T>
std::string print_with(const T& node) {
  Printer printer;
  printer.add(node);
  return printer.take();
}

}  // namespace

std::string print(const Expr& expr) { return print_with(expr); }
std::string print(const LogSelector& selector) { return print_with(selector); }
std::string print(const Stage& stage) { return print_with(stage); }
std::string print(const LabelFilter& filter) { return print_with(filter); }
std::string print(const std::vector<Matcher>& matchers) { return print_with(matchers); }

}  // namespace contextcore::logql
