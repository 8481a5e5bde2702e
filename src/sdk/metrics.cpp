#include "sdk/metrics.h"

#include <iterator>

#include "base/time.h"
#include "query/promql/engine.h"

namespace contextcore::sdk {

namespace {

std::vector<Series> to_series(const std::vector<promql::Series>& all) {
  std::vector<Series> out;
  for (const promql::Series& one : all) {
    Series series{one.labels, {}};
    for (const promql::Sample& sample : one.samples) {
      series.samples.emplace_back(sample.time_ms * kMillisecondNs, sample.value);
    }
    out.push_back(std::move(series));
  }
  return out;
}

MetricAnswer to_answer(promql::QueryResult result) {
  MetricAnswer answer;
  if (const auto* matrix = std::get_if<promql::Matrix>(&result.data)) {
    answer.type = "matrix";
    answer.series = to_series(matrix->series);
  } else if (const auto* vector = std::get_if<promql::Vector>(&result.data)) {
    answer.type = "vector";
    answer.series = to_series(vector->series);
  } else if (const auto* scalar = std::get_if<promql::Scalar>(&result.data)) {
    answer.type = "scalar";
    answer.series = {{{}, {{scalar->sample.time_ms * kMillisecondNs, scalar->sample.value}}}};
  } else if (const auto* string = std::get_if<promql::String>(&result.data)) {
    answer.type = "string";
    answer.text = string->value;
  }
  answer.notes = std::move(result.warnings);
  answer.notes.insert(answer.notes.end(), std::make_move_iterator(result.infos.begin()),
                      std::make_move_iterator(result.infos.end()));
  return answer;
}

}  // namespace

Result<MetricAnswer> query_metrics(const store::MetricSource& source, const std::string& promql,
                                   const MetricOptions& options, int64_t now_ns) {
  const int64_t end_ms = (options.end_ns != 0 ? options.end_ns : now_ns) / kMillisecondNs;
  auto result =
      options.step_ns == 0
          ? promql::query_instant(source, promql, end_ms, {})
          : promql::query_range(source, promql,
                                {options.start_ns / kMillisecondNs, end_ms, options.step_ns / kMillisecondNs}, {});
  if (!result.ok()) {
    Error error = result.error();
    // A query that cannot be carried out is the asker's mistake, too.
    if (error.code == Code::failed_precondition) error.code = Code::invalid_argument;
    return error;
  }
  return to_answer(*std::move(result));
}

}  // namespace contextcore::sdk
