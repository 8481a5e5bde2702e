#pragma once
// The functions of templates, named as Loki registers them: Go's built-ins (template_builtins.cpp),
// Go's strings package and sprig (template_functions.cpp).

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "query/logql/template_value.h"

namespace contextcore::logql {

struct TemplateContext {
  std::string_view line;
  int64_t time_ns = 0;  // of the entry
  int64_t now_ns = 0;
};

struct TemplateFunction {
  std::string_view name;
  uint8_t arguments_min;
  uint8_t arguments_max;
  Result<TemplateValue> (*call)(const TemplateValues& arguments, const TemplateContext& context);
};
constexpr uint8_t kManyArguments = 64;

// nullptr: no such function.
const TemplateFunction* find_template_function(std::string_view name);

// Those of template_builtins.cpp, sorted by name.
std::span<const TemplateFunction> template_builtins();

// A value as a number of sprig: what is no number is 0, a fraction is cut off.
double template_real(const TemplateValue& value);
int64_t template_integer(const TemplateValue& value);

}  // namespace contextcore::logql
