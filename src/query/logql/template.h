#pragma once
// Go's text/template as far as line_format and label_format need it: text, {{.name}}, functions
// with arguments, pipelines, if / else if / else / with / end, trim markers and comments. Loops,
// variables and template definitions are refused when the query is compiled. The functions are in
// template_functions.h.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/logql/labels.h"
#include "query/logql/template_functions.h"

namespace contextcore::logql {

struct TemplatePipeline;

// One value in an action: a literal, {{.name}}, the dot, or a pipeline in parentheses.
struct TemplateOperand {
  enum class Kind : uint8_t { literal, label, dot, pipeline };
  Kind kind = Kind::literal;
  TemplateValue literal;
  std::string label;
  std::shared_ptr<const TemplatePipeline> pipeline;
};

// A function and its arguments, or an operand alone (function == nullptr).
struct TemplateCommand {
  const TemplateFunction* function = nullptr;
  std::vector<TemplateOperand> arguments;
};

// The value of each command is the last argument of the next.
struct TemplatePipeline {
  std::vector<TemplateCommand> commands;
};

struct TemplateNode {
  enum class Kind : uint8_t { text, value, branch, with };
  Kind kind = Kind::text;
  std::string text;
  TemplatePipeline pipeline;          // of value, branch and with
  std::vector<TemplateNode> then_do;  // when the pipeline's value is not empty
  std::vector<TemplateNode> else_do;
};

class Template {
 public:
  static Result<Template> compile(std::string_view text);
  // A missing label prints nothing. invalid_argument: a function did not like its arguments.
  Result<std::string> render(const EntryLabels& labels, std::string_view line) const;

 private:
  std::vector<TemplateNode> nodes_;
};

}  // namespace contextcore::logql
