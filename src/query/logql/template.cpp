#include "query/logql/template.h"

#include <algorithm>
#include <utility>

#include "query/logql/template_parser.h"

namespace contextcore::logql {
namespace {

constexpr size_t kRenderedBytesMax = 1 << 20;
constexpr size_t kStepsMax = 100'000;

Error failed(std::string what) {
  return Error{Code::invalid_argument, std::move(what), {}, {}, {}};
}

// The dot of the outermost template is the labels; it becomes a map only where it is used whole.
using Dot = const TemplateValue*;
constexpr Dot kLabels = nullptr;

class Renderer {
 public:
  Renderer(const EntryLabels& labels, std::string_view line,
           const std::map<std::string, TemplateNodes>& defined)
      : labels_(labels),
        context_{line, labels.time_ns(), labels.now_ns()},
        defined_(defined),
        variables_{{"$", TemplateValue(), true}} {}

  Status run(const TemplateNodes& nodes, std::string& out) {
    return this->nodes(nodes, kLabels, out);
  }

 private:
  enum class Flow : uint8_t { on, leave, next };
  struct Variable {
    std::string name;
    TemplateValue value;
    bool is_labels = false;
  };

  Status nodes(const TemplateNodes& nodes, Dot dot, std::string& out) {
    const size_t outer = variables_.size();
    for (const TemplateNode& node : nodes) {
      CC_TRY(step());
      CC_TRY(this->node(node, dot, out));
      if (out.size() > kRenderedBytesMax)
        return Error{Code::resource_exhausted, "the template's text is too long", {}, {}, {}};
      if (flow_ != Flow::on) break;
    }
    variables_.resize(outer);
    return {};
  }

  Status step() {
    if (++steps_ <= kStepsMax) return {};
    return Error{Code::resource_exhausted, "the template takes too many steps", {}, {}, {}};
  }

  Status node(const TemplateNode& node, Dot dot, std::string& out) {
    switch (node.kind) {
      case TemplateNode::Kind::text:
        out += node.text;
        return {};
      case TemplateNode::Kind::value:
        return value_node(node, dot, out);
      case TemplateNode::Kind::branch:
      case TemplateNode::Kind::with:
        return branch(node, dot, out);
      case TemplateNode::Kind::range:
        return range(node, dot, out);
      case TemplateNode::Kind::call:
        return call(node, dot, out);
      case TemplateNode::Kind::leave:
        flow_ = Flow::leave;
        return {};
      case TemplateNode::Kind::next:
        flow_ = Flow::next;
        return {};
    }
    return {};
  }

  Status value_node(const TemplateNode& node, Dot dot, std::string& out) {
    CC_ASSIGN(TemplateValue value, pipeline(node.pipeline, dot));
    if (node.pipeline.variables.empty()) {
      out += template_text(value);
      return {};
    }
    store(node.pipeline, 0, std::move(value));
    return {};
  }

  Status branch(const TemplateNode& node, Dot dot, std::string& out) {
    const size_t outer = variables_.size();
    CC_ASSIGN(const TemplateValue value, pipeline(node.pipeline, dot));
    if (!node.pipeline.variables.empty()) store(node.pipeline, 0, value);
    const bool yes = template_truth(value);
    const Dot inner = yes && node.kind == TemplateNode::Kind::with ? &value : dot;
    CC_TRY(nodes(yes ? node.then_do : node.else_do, inner, out));
    variables_.resize(outer);
    return {};
  }

  Status range(const TemplateNode& node, Dot dot, std::string& out) {
    const size_t outer = variables_.size();
    CC_ASSIGN(const TemplateValue over, pipeline(node.pipeline, dot));
    bool any = false;
    bool go_on = true;
    const auto turn = [&](const TemplateValue& key, const TemplateValue& element) -> Status {
      any = true;
      // One variable takes the element, two the key besides.
      const auto& names = node.pipeline.variables;
      if (names.size() == 2) store(node.pipeline, 0, key);
      if (!names.empty()) store(node.pipeline, names.size() - 1, element);
      CC_TRY(nodes(node.then_do, &element, out));
      go_on = flow_ != Flow::leave;
      flow_ = Flow::on;
      if (!node.pipeline.assigns) variables_.resize(outer);
      return step();
    };
    if (const TemplateList* list = over.list()) {
      for (size_t i = 0; i < list->size() && go_on; ++i)
        CC_TRY(turn(static_cast<int64_t>(i), (*list)[i]));
    } else if (const TemplateMap* map = over.map()) {
      for (auto at = map->begin(); at != map->end() && go_on; ++at)
        CC_TRY(turn(at->first, at->second));
    } else if (const auto* count = std::get_if<int64_t>(&over)) {
      for (int64_t i = 0; i < *count && go_on; ++i) CC_TRY(turn(i, i));
    } else if (!over.is_nil()) {
      return failed("range can't iterate over " + template_text(over));
    }
    if (!any) CC_TRY(nodes(node.else_do, dot, out));
    variables_.resize(outer);
    return {};
  }

  Status call(const TemplateNode& node, Dot dot, std::string& out) {
    const auto found = defined_.find(node.text);
    if (found == defined_.end()) return failed("template \"" + node.text + "\" not defined");
    if (depth_ >= kTemplateDepthMax)
      return Error{Code::resource_exhausted, "templates call each other too deeply", {}, {}, {}};
    // Without a pipeline the dot is nil.
    TemplateValue value;
    bool is_labels = false;
    if (!node.pipeline.commands.empty()) {
      is_labels = is_the_dot(node.pipeline) && dot == kLabels;
      if (!is_labels) {
        CC_ASSIGN(value, pipeline(node.pipeline, dot));
      }
    }
    std::vector<Variable> outer{{"$", value, is_labels}};
    outer.swap(variables_);
    ++depth_;
    Status status = nodes(found->second, is_labels ? kLabels : &value, out);
    --depth_;
    outer.swap(variables_);
    return status;
  }

  static bool is_the_dot(const TemplatePipeline& pipeline) {
    if (pipeline.commands.size() != 1 || pipeline.commands[0].function != nullptr) return false;
    const TemplateOperand& operand = pipeline.commands[0].arguments[0];
    return operand.kind == TemplateOperand::Kind::dot && operand.path.empty();
  }

  void store(const TemplatePipeline& pipeline, size_t index, TemplateValue value) {
    const std::string& name = pipeline.variables[index];
    if (!pipeline.assigns) {
      variables_.push_back({name, std::move(value), false});
      return;
    }
    const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                    [&](const Variable& v) { return v.name == name; });
    if (found != variables_.rend()) *found = {name, std::move(value), false};
  }

  // ---- values ----

  Result<TemplateValue> pipeline(const TemplatePipeline& pipeline, Dot dot) {
    TemplateValue value;
    const TemplateValue* piped = nullptr;
    for (const TemplateCommand& command : pipeline.commands) {
      CC_TRY(step());
      CC_ASSIGN(TemplateValue next, this->command(command, piped, dot));
      value = std::move(next);
      piped = &value;
    }
    return value;
  }

  Result<TemplateValue> command(const TemplateCommand& command, const TemplateValue* piped,
                                Dot dot) {
    if (command.function == nullptr) return operand(command.arguments[0], dot);
    // and, or: what decides ends it.
    const bool is_and = command.function->name == "and";
    const bool is_or = command.function->name == "or";
    TemplateValues arguments;
    for (const TemplateOperand& operand : command.arguments) {
      CC_ASSIGN(TemplateValue argument, this->operand(operand, dot));
      if ((is_and || is_or) && template_truth(argument) == is_or) return argument;
      arguments.push_back(std::move(argument));
    }
    if (piped != nullptr) arguments.push_back(*piped);
    return command.function->call(arguments, context_);
  }

  Result<TemplateValue> operand(const TemplateOperand& operand, Dot dot) {
    switch (operand.kind) {
      case TemplateOperand::Kind::literal:
        return operand.literal;
      case TemplateOperand::Kind::dot:
        return dot == kLabels ? of_labels(operand.path) : field(*dot, operand.path, 0);
      case TemplateOperand::Kind::variable:
        return variable(operand);
      case TemplateOperand::Kind::pipeline:
        break;
    }
    CC_ASSIGN(const TemplateValue value, pipeline(*operand.pipeline, dot));
    return field(value, operand.path, 0);
  }

  Result<TemplateValue> variable(const TemplateOperand& operand) const {
    const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                    [&](const Variable& v) { return v.name == operand.variable; });
    if (found == variables_.rend()) return failed("undefined variable: " + operand.variable);
    return found->is_labels ? of_labels(operand.path) : field(found->value, operand.path, 0);
  }

  Result<TemplateValue> of_labels(const std::vector<std::string>& path) const {
    if (!path.empty()) return field(TemplateValue(std::string(labels_.get(path[0]))), path, 1);
    TemplateMap out;
    for (const auto& [name, value] : labels_.merged()) out[name] = value;
    return TemplateValue(std::make_shared<const TemplateMap>(std::move(out)));
  }

  static Result<TemplateValue> field(TemplateValue value, const std::vector<std::string>& path,
                                     size_t from) {
    // A value that is nil as a whole has every field; nil within another has none.
    if (value.is_nil()) return value;
    for (size_t i = from; i < path.size(); ++i) {
      const TemplateMap* map = value.map();
      if (map == nullptr) {
        if (value.is_nil()) return failed("nil pointer evaluating interface {}." + path[i]);
        return failed("can't evaluate field " + path[i] + " in type " +
                      std::string(template_type(value)));
      }
      const auto found = map->find(path[i]);
      value = TemplateValue(found == map->end() ? TemplateValue() : found->second);
    }
    return value;
  }

  const EntryLabels& labels_;
  const TemplateContext context_;
  const std::map<std::string, TemplateNodes>& defined_;
  std::vector<Variable> variables_;
  Flow flow_ = Flow::on;
  size_t steps_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<Template> Template::compile(std::string_view text) {
  CC_ASSIGN(ParsedTemplate parsed, parse_template(text));
  Template out;
  out.nodes_ = std::move(parsed.nodes);
  out.defined_ = std::move(parsed.defined);
  return out;
}

Result<std::string> Template::render(const EntryLabels& labels, std::string_view line) const {
  std::string out;
  CC_TRY(Renderer(labels, line, defined_).run(nodes_, out));
  return out;
}

}  // namespace contextcore::logql
