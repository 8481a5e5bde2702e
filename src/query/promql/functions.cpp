#include "query/promql/functions.h"

#include <algorithm>

namespace contextcore::promql {
namespace {

constexpr ValueType S = ValueType::scalar;
constexpr ValueType V = ValueType::vector;
constexpr ValueType M = ValueType::matrix;
constexpr ValueType T = ValueType::string;

Function experimental(Function function) {
  function.experimental = true;
  return function;
}

// tidy: table
std::vector<Function> make_functions() {
  std::vector<Function> all = {
      {"histogram_fraction", {S, S, V}},
      {"histogram_quantile", {S, V}},
      {"clamp", {V, S, S}},
      {"clamp_max", {V, S}},
      {"clamp_min", {V, S}},
      {"round", {V, S}, 1},
      {"label_replace", {V, T, T, T, T}},
      {"label_join", {V, T, T, T}, -1},
      {"predict_linear", {M, S}},
      {"quantile_over_time", {S, M}},
      {"pi", {}, 0, S},
      {"scalar", {V}, 0, S},
      {"time", {}, 0, S},
      {"vector", {S}},
      experimental({"end", {}, 0, S}),
      experimental({"start", {}, 0, S}),
      experimental({"step", {}, 0, S}),
      experimental({"range", {}, 0, S}),
      experimental({"max_of", {S, S}, 0, S}),
      experimental({"min_of", {S, S}, 0, S}),
      experimental({"double_exponential_smoothing", {M, S, S}}),
      experimental({"histogram_quantiles", {V, T, S, S}, 9}),
      experimental({"info", {V, V}, 1}),
      experimental({"mad_over_time", {M}}),
      experimental({"sort_by_label", {V, T}, -1}),
      experimental({"sort_by_label_desc", {V, T}, -1}),
      experimental({"start_timestamp", {V}}),
      experimental({"ts_of_first_over_time", {M}}),
      experimental({"ts_of_last_over_time", {M}}),
      experimental({"ts_of_max_over_time", {M}}),
      experimental({"ts_of_min_over_time", {M}}),
  };
  for (const std::string_view name : {"abs",
                                      "absent",
                                      "acos",
                                      "acosh",
                                      "asin",
                                      "asinh",
                                      "atan",
                                      "atanh",
                                      "ceil",
                                      "cos",
                                      "cosh",
                                      "deg",
                                      "exp",
                                      "floor",
                                      "ln",
                                      "log10",
                                      "log2",
                                      "histogram_avg",
                                      "histogram_count",
                                      "histogram_sum",
                                      "rad",
                                      "sgn",
                                      "sin",
                                      "sinh",
                                      "sort",
                                      "sqrt",
                                      "tan",
                                      "histogram_stddev",
                                      "histogram_stdvar",
                                      "sort_desc",
                                      "tanh",
                                      "timestamp"}) {
    all.push_back({name, {V}});
  }
  for (const std::string_view name :
       {"absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv", "first_over_time",
        "idelta", "increase", "irate", "last_over_time", "max_over_time", "min_over_time", "present_over_time", "rate",
        "resets", "stddev_over_time", "stdvar_over_time", "sum_over_time"}) {
    all.push_back({name, {M}});
  }
  for (const std::string_view name :
       {"days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year"}) {
    all.push_back({name, {V}, 1});
  }
  std::sort(all.begin(), all.end(), [](const Function& a, const Function& b) { return a.name < b.name; });
  return all;
}

}  // namespace

const std::vector<Function>& functions() {
  static const std::vector<Function> kFunctions = make_functions();
  return kFunctions;
}

const Function* find_function(std::string_view name) {
  const auto& all = functions();
  const auto at = std::lower_bound(all.begin(), all.end(), name, [](const Function& function, std::string_view text) {
    return function.name < text;
  });
  return at != all.end() && at->name == name ? &*at : nullptr;
}

}  // namespace contextcore::promql
