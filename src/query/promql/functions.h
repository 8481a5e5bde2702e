#pragma once
// The functions of PromQL: what they take and give.

#include <string_view>
#include <vector>

#include "query/promql/ast.h"

namespace contextcore::promql {

struct Function {
  std::string_view name;
  std::vector<ValueType> arguments;
  // 0: exactly these. n: the last one up to n times or not at all. -1: any number of times or not at all.
  int variadic = 0;
  ValueType result = ValueType::vector;
  bool experimental = false;  // behind a flag of the original: refused
};

// nullptr when there is none of the name.
const Function* find_function(std::string_view name);
const std::vector<Function>& functions();

}  // namespace contextcore::promql
