#pragma once
// What stands between {{ and }}: tokens and pipelines. Private to this folder.

#include <string>
#include <string_view>
#include <vector>

#include "query/logql/template.h"

namespace contextcore::logql {

// The variables that can be seen, innermost last.
using TemplateScope = std::vector<std::string>;

// Reads one pipeline up to the end of the text. max_variables: how many it may declare; what it
// declares comes into the scope.
Result<TemplatePipeline> parse_template_pipeline(std::string_view text, size_t max_variables,
                                                 TemplateScope& scope);

// The quoted string at the start of text, and what follows it.
Result<std::string> take_template_string(std::string_view& text);

}  // namespace contextcore::logql
