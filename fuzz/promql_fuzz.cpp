// PromQL: whatever the bytes are, parsing ends; what parses prints, in one line and in many, to text that parses to the
// same tree; and is evaluated over a few series, at one time and over a range, to an answer whose samples are in order,
// or to an error that says why.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

#include "query/promql/engine.h"
#include "query/promql/parser.h"
#include "query/promql/print.h"
#include "store/metric_source.h"

namespace {

using namespace contextcore;
using namespace contextcore::promql;

// Counters, gauges, a histogram, gaps, stale markers, runs.
class FewSeries : public store::MetricSource {
 public:
  FewSeries() {
    for (const char* job : {"a", "b"}) {
      add({{"__name__", "foo"}, {"job", job}}, {{0, 60'000, 10, 1}, {600'000, 60'000, 5, 4}, {900'000, 0, 1, 2}});
      add({{"__name__", "bar"}, {"job", job}, {"x", job}},
          {{60'000, 0, 1, store::stale_marker()}, {120'000, 0, 1, 0.5}});
      for (const char* le : {"0.1", "1", "+Inf"}) {
        add({{"__name__", "lat_bucket"}, {"job", job}, {"le", le}}, {{0, 60'000, 20, 3}});
      }
    }
    add({{"__name__", "nan"}, {"task.id", "t"}}, {{0, 60'000, 20, std::numeric_limits<double>::quiet_NaN()}});
  }
  Result<std::vector<store::MetricSeries>> select(const store::MetricRequest& request) const override {
    std::vector<store::MetricSeries> out;
    for (const store::MetricSeries& one : all_) {
      if (store::matches(request.matchers, one.labels)) out.push_back(one);
    }
    return out;
  }
  std::vector<store::MetricDescription> describe() const override { return {}; }

 private:
  void add(store::LabelPairs labels, std::vector<store::SampleRun> runs) {
    all_.push_back({std::move(labels), std::move(runs)});
  }
  std::vector<store::MetricSeries> all_;
};

void check(const Result<QueryResult>& result) {
  if (!result.ok()) {
    const Code code = result.error().code;
    const bool expected = code == Code::invalid_argument || code == Code::unsupported ||
                          code == Code::failed_precondition || code == Code::resource_exhausted;
    if (!expected || result.error().message.empty()) std::abort();
    return;
  }
  const auto* matrix = std::get_if<Matrix>(&result->data);
  if (matrix == nullptr) return;
  for (const Series& series : matrix->series) {
    for (size_t i = 1; i < series.samples.size(); ++i) {
      if (series.samples[i - 1].time_ms >= series.samples[i].time_ms) std::abort();
    }
  }
}

void check_printed(const Expr& expr, const std::string& text) {
  // The canonical form may be longer than the limit for what people send.
  if (text.size() >= kQueryBytesMax) return;
  const auto again = parse(text);
  if (!again.ok() || !(*again == expr)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const FewSeries source;
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  const auto expr = parse(query);
  if (!expr.ok()) return 0;
  const std::string text = print(*expr);
  check_printed(*expr, text);
  check_printed(*expr, print_pretty(*expr));
  if (text.size() < kQueryBytesMax && print(*parse(text)) != text) std::abort();
  QueryOptions options;
  options.limits.samples_max = 100'000;
  check(query_instant(source, query, 900'000, options));
  check(query_range(source, query, {0, 1'200'000, 150'000}, options));
  return 0;
}
