#pragma once
// The values and functions of templates, named as Loki registers them: Go's built-ins, Go's strings
// package and sprig.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace contextcore::logql {

using TemplateValue = std::variant<std::string, bool, int64_t, double>;

// Empty text, zero and false count as no.
bool template_truth(const TemplateValue& value);
// As Go prints it.
std::string template_text(const TemplateValue& value);

using TemplateValues = std::vector<TemplateValue>;

struct TemplateFunction {
  std::string_view name;
  uint8_t arguments_min;
  uint8_t arguments_max;
  Result<TemplateValue> (*call)(const TemplateValues& arguments, std::string_view line);
};

// nullptr: no such function.
const TemplateFunction* find_template_function(std::string_view name);

}  // namespace contextcore::logql
