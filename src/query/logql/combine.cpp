#include "query/logql/series_math.h"
#include "query/logql/validate.h"
#include "query/vector/match.h"
#include "query/vector/relabel.h"

namespace contextcore::logql {

Result<GridValue> combine(const BinaryOperation& operation, GridValue left, GridValue right,
                          const Grid& grid) {
  GridValue out;
  if (left.is_scalar && right.is_scalar) {
    out.is_scalar = true;
    out.scalar = fold(operation.op, left.scalar, right.scalar);
    return out;
  }
  const query::BinaryCall call{operation.op, operation.return_bool, operation.matching,
                               kMatchRules};
  if (left.is_scalar) {
    CC_ASSIGN(out.series,
              query::combine(call, query::StepNumbers{{left.scalar}}, std::move(right.series)));
  } else if (right.is_scalar) {
    CC_ASSIGN(out.series,
              query::combine(call, std::move(left.series), query::StepNumbers{{right.scalar}}));
  } else {
    CC_ASSIGN(out.series, query::combine(call, left.series, right.series, grid.points));
  }
  return out;
}

Result<GridValue> replace_label(const LabelReplace& replace, GridValue operand) {
  CC_ASSIGN(query::Regex regex, query::Regex::compile(replace.regex));
  GridValue out;
  out.ordered = operand.ordered;
  CC_ASSIGN(out.series, query::replace_label({replace.destination, replace.replacement,
                                              replace.source, std::move(regex)},
                                             std::move(operand.series)));
  return out;
}

}  // namespace contextcore::logql
