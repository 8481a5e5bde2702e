#pragma once
// Template text to nodes. Private to this folder.

#include <map>
#include <string>
#include <string_view>

#include "query/logql/template.h"

namespace contextcore::logql {

constexpr int kTemplateDepthMax = 50;  // of blocks, of parentheses, of templates in templates

struct ParsedTemplate {
  TemplateNodes nodes;
  std::map<std::string, TemplateNodes> defined;
};
Result<ParsedTemplate> parse_template(std::string_view text);

Error bad_template(const std::string& what);

}  // namespace contextcore::logql
