#pragma once
// What explorers of logs ask besides queries: how much there is, which labels and fields. Counted
// from the entries themselves, so that it is exact at any moment. Thread-safe, as engine.h.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/logql/engine.h"
#include "store/fetch.h"

namespace contextcore::logql {

// Entries with start ≤ time < end.
struct ExploreRange {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  std::function<bool()> cancelled;  // as RangeParams::cancelled
};

struct IndexStats {
  uint64_t streams = 0, bytes = 0, entries = 0;  // bytes of lines
};
// selector: matchers only, at least one of them selective.
Result<IndexStats> index_stats(const store::Source& source, std::string_view selector,
                               const ExploreRange& range);

struct VolumeParams {
  std::string_view selector;  // "{}" selects all
  int64_t step_ns = 0;        // 0: one bucket
  size_t limit = 100;         // of series in each bucket, the largest
  // The labels to add up by, which streams must have; empty: those that the selector names, all
  // without any.
  std::vector<std::string> target_labels;
  bool by_label = false;  // a series per label name instead of one per combination of values
};
// Bytes of lines. Buckets end at multiples of the step and at the range's end; a sample stands at
// the end of its bucket. Largest first. samples_max bounds buckets times series.
Result<std::vector<Series>> volume(const store::Source& source, const VolumeParams& params,
                                   const ExploreRange& range);

struct DetectedLabel {
  std::string name;
  uint64_t cardinality = 0;
};
// Labels of the streams that the selector ("" for all) matches, by name; those whose values are all
// numbers or UUIDs are left out, for nobody picks from such a list.
Result<std::vector<DetectedLabel>> detected_labels(const store::Source& source,
                                                   std::string_view selector, int64_t start_ns,
                                                   int64_t end_ns);

struct DetectedField {
  std::string name;
  std::string type;  // string, int, float, boolean, duration, bytes
  uint64_t cardinality = 0;
  std::vector<std::string> parsers;    // "json", "logfmt"; none: structured metadata
  std::vector<std::string> json_path;  // of the last line that was JSON
};
// Fields of the newest line_limit entries of a log query: metadata, and what the json or the logfmt
// parser finds in the line. By name; field_limit of them, the first found.
Result<std::vector<DetectedField>> detected_fields(const store::Source& source,
                                                   std::string_view query, int64_t line_limit,
                                                   size_t field_limit, const ExploreRange& range);
// The distinct values of one field, sorted.
Result<std::vector<std::string>> detected_field_values(const store::Source& source,
                                                       std::string_view query,
                                                       std::string_view field, int64_t line_limit,
                                                       size_t value_limit,
                                                       const ExploreRange& range);

}  // namespace contextcore::logql
