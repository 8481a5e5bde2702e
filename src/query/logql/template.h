#pragma once
// Go's text/template for line_format and label_format, whole: text, {{.name}}, functions,
// pipelines, variables, if / else if / else / with / range / break / continue, define / template /
// block, trim markers and comments. Values in template_value.h, functions in template_functions.h.
//
// A rendering is bounded: in text, in steps, in the depth of templates that call each other.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/logql/labels.h"
#include "query/logql/template_functions.h"

namespace contextcore::logql {

struct TemplatePipeline;

// One value in an action: a literal, the dot, a variable ("$" too), a pipeline in parentheses or a
// function without arguments; with the fields behind it (.a.b).
struct TemplateOperand {
  enum class Kind : uint8_t { literal, dot, variable, pipeline };
  Kind kind = Kind::literal;
  TemplateValue literal;
  std::string variable;
  std::shared_ptr<const TemplatePipeline> pipeline;
  std::vector<std::string> path;
};

// A function and its arguments, or an operand alone (function == nullptr).
struct TemplateCommand {
  const TemplateFunction* function = nullptr;
  std::vector<TemplateOperand> arguments;
};

// The value of each command is the last argument of the next; then it may become a variable's.
struct TemplatePipeline {
  std::vector<std::string> variables;  // one; two in range
  bool assigns = false;                // = rather than :=
  std::vector<TemplateCommand> commands;
};

struct TemplateNode {
  enum class Kind : uint8_t { text, value, branch, with, range, call, leave, next };
  Kind kind = Kind::text;
  std::string text;                   // of text; the name that call calls
  TemplatePipeline pipeline;          // none of call: without commands
  std::vector<TemplateNode> then_do;  // when the pipeline's value is not empty
  std::vector<TemplateNode> else_do;
};
using TemplateNodes = std::vector<TemplateNode>;

class Template {
 public:
  static Result<Template> compile(std::string_view text);
  // A missing label prints nothing. invalid_argument: a function did not like its arguments.
  Result<std::string> render(const EntryLabels& labels, std::string_view line) const;

 private:
  TemplateNodes nodes_;
  std::map<std::string, TemplateNodes> defined_;
};

}  // namespace contextcore::logql
