#pragma once
// Binary operations between vectors, and between a vector and a number.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/vector/series.h"

namespace contextcore::query {

enum class BinaryOp : uint8_t {
  or_,
  and_,
  unless,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  power,
  equal,
  not_equal,
  greater,
  greater_equal,
  less,
  less_equal,
  atan2,  // PromQL only
};
const char* name_of(BinaryOp op);
constexpr bool is_set_operation(BinaryOp op) { return op <= BinaryOp::unless; }
constexpr bool is_comparison(BinaryOp op) { return op >= BinaryOp::equal && op <= BinaryOp::less_equal; }

struct VectorMatching {
  enum class Cardinality : uint8_t { one_to_one, many_to_one, one_to_many };
  bool on = false;  // else ignoring
  std::vector<std::string> labels;
  Cardinality cardinality = Cardinality::one_to_one;
  std::vector<std::string> include;
  bool operator==(const VectorMatching&) const = default;
};

// Arithmetic as IEEE 754 has it; comparisons give 1 or 0. REQUIRES: no set operation
double calculate(BinaryOp op, double left, double right);

struct MatchRules {
  // __name__ never pairs series, and goes where the value means something else.
  bool metric_names = false;
  // x/0 and x%0 are NaN, as Loki has it.
  bool zero_division_is_nan = false;
};

struct BinaryCall {
  BinaryOp op = BinaryOp::add;
  bool return_bool = false;
  std::optional<VectorMatching> matching;
  MatchRules rules;
};

double calculate(const BinaryCall& call, double left, double right);

Result<GridVector> combine(const BinaryCall& call, const GridVector& left, const GridVector& right, size_t points);
// REQUIRES: no set operation
Result<GridVector> combine(const BinaryCall& call, GridVector left, const StepNumbers& right);
Result<GridVector> combine(const BinaryCall& call, const StepNumbers& left, GridVector right);

}  // namespace contextcore::query
