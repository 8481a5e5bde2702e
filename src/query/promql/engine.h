#pragma once
// PromQL queries over a source of metrics. Thread-safe: a query owns its state.
//
// Times are milliseconds. A selector's window is open on the left: an instant looks back less than lookback_ms, a range
// of 5m at t sees (t - 5m, t]. What is not built is refused with Code::unsupported before anything is read; a query
// that cannot be carried out (many-to-many matching, too many samples) fails with failed_precondition or
// resource_exhausted.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "query/promql/ast.h"
#include "store/metric_source.h"

namespace contextcore::promql {

struct Limits {
  int64_t points_max = 11'000;       // per series
  size_t series_max = 1'000'000;     // of one selector
  int64_t samples_max = 50'000'000;  // held at a time
};

struct QueryOptions {
  int64_t lookback_ms = 300'000;
  int64_t subquery_step_ms = 60'000;  // where a subquery names none
  Limits limits;
  std::function<bool()> cancelled;  // asked now and then; true ends the query with Code::cancelled
};

struct RangeParams {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 0;
};

struct Sample {
  int64_t time_ms = 0;
  double value = 0;
};
struct Series {
  query::LabelPairs labels;
  std::vector<Sample> samples;  // by time; a vector's has one
};
struct Matrix {
  std::vector<Series> series;
};
struct Vector {
  std::vector<Series> series;
};
struct Scalar {
  Sample sample;
};
struct String {
  int64_t time_ms = 0;
  std::string value;
};

struct QueryResult {
  std::variant<Matrix, Vector, Scalar, String> data;
  std::vector<std::string> warnings, infos;  // "PromQL info: ...", in order and once each
};

Result<QueryResult> query_range(const store::MetricSource& source, std::string_view query, const RangeParams& params,
                                const QueryOptions& options);
Result<QueryResult> query_instant(const store::MetricSource& source, std::string_view query, int64_t time_ms,
                                  const QueryOptions& options);

// Matchers as a source takes them. REQUIRES: they were parsed
store::MetricRequest request_of(const std::vector<Matcher>& matchers);

}  // namespace contextcore::promql
