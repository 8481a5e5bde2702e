#include "query/logql/ast.h"

namespace contextcore::logql {

const char* name_of(MatchOp op) {
  constexpr const char* kNames[] = {"=", "!=", "=~", "!~"};
  return kNames[static_cast<size_t>(op)];
}

const char* name_of(LineOp op) {
  constexpr const char* kNames[] = {"|=", "!=", "|~", "!~", "|>", "!>"};
  return kNames[static_cast<size_t>(op)];
}

const char* name_of(CompareOp op) {
  constexpr const char* kNames[] = {"==", "!=", ">", ">=", "<", "<="};
  return kNames[static_cast<size_t>(op)];
}

const char* name_of(Conversion conversion) {
  constexpr const char* kNames[] = {"", "bytes", "duration", "duration_seconds"};
  return kNames[static_cast<size_t>(conversion)];
}

const char* name_of(RangeOp op) {
  constexpr const char* kNames[] = {
      "count_over_time",    "rate",
      "bytes_over_time",    "bytes_rate",
      "absent_over_time",   "rate_counter",
      "sum_over_time",      "avg_over_time",
      "max_over_time",      "min_over_time",
      "first_over_time",    "last_over_time",
      "stdvar_over_time",   "stddev_over_time",
      "quantile_over_time",
  };
  return kNames[static_cast<size_t>(op)];
}

const char* name_of(VectorOp op) {
  constexpr const char* kNames[] = {"sum",   "avg",         "max",    "min",
                                    "count", "stddev",      "stdvar", "bottomk",
                                    "topk",  "approx_topk", "sort",   "sort_desc"};
  return kNames[static_cast<size_t>(op)];
}

}  // namespace contextcore::logql
