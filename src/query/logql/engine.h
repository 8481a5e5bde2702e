#pragma once
// LogQL queries against a snapshot of the store. Thread-safe: a query owns its state.
//
// Log queries give entries with start ≤ time < end. Metric queries give a value per step t, of the
// entries in (t - range, t]; their start and end are moved outward to multiples of the step. What
// is not built is refused with Code::unsupported before anything is read.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "query/logql/ast.h"
#include "query/logql/labels.h"
#include "store/fetch.h"

namespace contextcore::logql {

enum class Direction : uint8_t { backward, forward };  // newest first, oldest first

struct Limits {
  size_t points_max = 11'000;  // per series
  size_t series_max = 100'000;
  size_t samples_max = 50'000'000;  // entries that a metric query holds at a time
  int64_t entries_max = 5'000;      // of a log query
};

struct RangeParams {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  int64_t step_ns = 0;  // metric queries
  int64_t limit = 100;  // log queries
  Direction direction = Direction::backward;
  bool categorize_labels = false;  // streams carry stream labels only
  Limits limits;
  std::function<bool()> cancelled;  // asked now and then; true ends the query with Code::cancelled
};

struct InstantParams {
  int64_t time_ns = 0;
  Limits limits;
  std::function<bool()> cancelled;
};

struct ResultEntry {
  int64_t time_ns = 0;
  std::string line;
  LabelPairs metadata;  // structured metadata
  LabelPairs parsed;    // what the pipeline made
};

// Entries in the order asked for. labels holds all three categories, or the stream's alone.
struct ResultStream {
  LabelPairs labels;
  std::vector<ResultEntry> entries;
};
using Streams = std::vector<ResultStream>;  // sorted by labels

struct Sample {
  int64_t time_ns = 0;
  double value = 0;
};
struct Series {
  LabelPairs labels;
  std::vector<Sample> samples;  // by time; a vector has one
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

struct Statistics {
  uint64_t entries_read = 0;
  uint64_t bytes_read = 0;  // of lines
};

struct QueryResult {
  std::variant<Streams, Matrix, Vector, Scalar> data;
  Statistics statistics;
};

Result<QueryResult> query_range(const store::Source& source, std::string_view query,
                                const RangeParams& params);
// Metric queries only.
Result<QueryResult> query_instant(const store::Source& source, std::string_view query,
                                  const InstantParams& params);

// Stream labels of the streams with entries in [start, end). selector: "" or "{...}"; {} selects
// all.
Result<std::vector<std::string>> label_names(const store::Source& source, std::string_view selector,
                                             int64_t start_ns, int64_t end_ns);
Result<std::vector<std::string>> label_values(const store::Source& source, std::string_view name,
                                              std::string_view selector, int64_t start_ns,
                                              int64_t end_ns);
// The streams that match any of the selectors; all, without one.
Result<std::vector<LabelPairs>> series(const store::Source& source,
                                       const std::vector<std::string>& selectors, int64_t start_ns,
                                       int64_t end_ns);

}  // namespace contextcore::logql
