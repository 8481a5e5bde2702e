#pragma once
// What the parts of a metrics query give each other: series on the grid, whose labels are texts
// that stand for typed values, so that the algebra of src/query/vector serves. Not for use outside
// of the metrics files.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/traceql/metrics.h"
#include "query/traceql/value.h"

namespace contextcore::traceql {

// Typed values and the texts that stand for them, distinct for distinct values and never empty.
class LabelValues {
 public:
  std::string text_of(const Value& value);
  // REQUIRES: text came from text_of
  const otlp::Value& value_of(const std::string& text) const { return values_.find(text)->second; }
  // Names show in the order in which they were noted.
  void note_name(std::string_view name);
  // The labels as they are shown.
  otlp::Attributes show(const query::LabelPairs& labels) const;

 private:
  std::map<std::string, otlp::Value, std::less<>> values_;
  std::vector<std::string> names_;
};

struct MetricsVector {
  query::GridVector series;                                // distinct labels, sorted by name
  std::optional<std::string> name;                         // of the one series without labels
  std::map<std::string, std::vector<Exemplar>> exemplars;  // by key_of() of the labels
};

// One query while it runs.
struct MetricsRun {
  const store::Source& source;
  const MetricsOptions& options;
  size_t exemplars_max = 0;
  LabelValues labels;
  uint64_t inspected_traces = 0;
  uint64_t inspected_spans = 0;

  const MetricsGrid& grid() const { return options.grid; }
};

// What the spans of a pipeline give: one function over time, or an aggregate. argument: what of the
// span is summed up.
struct MetricsCall {
  MetricsFunction function = MetricsFunction::rate;
  std::optional<FieldExpr> argument;
  std::vector<double> quantiles;
  std::vector<Attribute> by;
  std::string name;  // of the series without labels
};

Result<MetricsVector> collect(MetricsRun& run, const Pipeline& pipeline, const MetricsCall& call);
Result<MetricsVector> collect_comparison(MetricsRun& run, const Pipeline& pipeline,
                                         const Metrics& compare);

// Seconds for durations; nullopt for what is no number.
std::optional<double> number_of(const Value& value);
// Series that were collected may not take more memory than this.
constexpr size_t kMetricsCellsMax = 10'000'000;
Error too_many_series();

}  // namespace contextcore::traceql
