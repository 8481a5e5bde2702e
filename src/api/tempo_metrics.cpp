// Tempo's /api/metrics: TraceQL metrics over a range, or as one number for each series.

#include <charconv>
#include <cmath>

#include "api/parameters.h"
#include "api/responses.h"
#include "api/tempo.h"
#include "api/tempo_json.h"
#include "base/step.h"
#include "base/time.h"
#include "query/traceql/parser.h"
#include "query/traceql/validate.h"
#include "work/names.h"

namespace contextcore::api {

namespace {

constexpr int64_t kExemplarsMax = 100;
constexpr size_t kSeriesMax = 1000;

Error invalid(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

// Grafana says "query" for historical reasons.
std::string_view query_text(const Request& request) {
  const std::string_view text = request.param("q");
  return text.empty() ? request.param("query") : text;
}

// A number of seconds, or a Go duration.
Result<int64_t> step_of(const Request& request, const Bounds& bounds) {
  const std::string_view text = request.param("step");
  if (text.empty()) return traceql::default_step(bounds.start_ns, bounds.end_ns);
  const std::string quoted = "cannot parse \"" + std::string(text) + "\"";
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  int64_t step_ns = 0;
  if (error == std::errc() && end == text.data() + text.size()) {
    if (!(std::abs(seconds) < 9.2e9)) {
      return invalid(quoted + " to a valid duration. It overflows int64");
    }
    step_ns = std::llround(seconds * 1e9);
  } else {
    const Result<int64_t> duration = parse_go_duration(text);
    if (!duration.ok()) return invalid(quoted + " to a valid duration");
    step_ns = *duration;
  }
  if (step_ns < 0) return invalid(quoted + ": step must be positive");
  return step_ns;
}

// A whole number; anything else counts as none, as in Tempo.
int64_t count_of(const Request& request, std::string_view name) {
  const std::string_view text = request.param(name);
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size() && count > 0 ? count : 0;
}

// Errors say what Tempo says: it compiles what it has parsed, instants both at once.
Result<traceql::Query> metrics_query(const Request& request, bool instant) {
  constexpr std::string_view kCompiling = "compiling query: ";
  const auto compiling = [&](Error error) {
    error.message.insert(0, kCompiling);
    return error;
  };
  const std::string_view text = query_text(request);
  Result<traceql::Query> query = traceql::parse(text);
  if (!query.ok()) return instant ? compiling(query.error()) : query.error();
  const Status valid = traceql::validate(*query, text);
  if (!valid.ok()) return compiling(valid.error());
  if (!traceql::is_metrics_query(*query)) return invalid("not a metrics query");
  return query;
}

void write_series(const traceql::MetricsSeries& series, const traceql::MetricsGrid& grid,
                  JsonWriter& writer) {
  writer.begin_object();
  write_attributes("labels", series.labels, writer);
  const auto value = [&](double number) {
    if (number == 0) return;  // as protobuf has it
    writer.key("value");
    write_double(number, writer);
  };
  if (grid.instant) {
    value(series.points.front().value);
    writer.end_object();
    return;
  }
  writer.key("samples");
  writer.begin_array();
  for (const query::Point& point : series.points) {
    writer.begin_object();
    writer.field("timestampMs", std::to_string(grid.time_of(point.step) / kMillisecondNs));
    value(point.value);
    writer.end_object();
  }
  writer.end_array();
  if (!series.exemplars.empty()) {
    writer.key("exemplars");
    writer.begin_array();
    for (const traceql::Exemplar& exemplar : series.exemplars) {
      writer.begin_object();
      write_attributes("labels", exemplar.labels, writer);
      value(exemplar.value);
      writer.field("timestampMs", std::to_string(exemplar.time_ns / kMillisecondNs));
      writer.end_object();
    }
    writer.end_array();
  }
  writer.end_object();
}

}  // namespace

std::string encode_tempo_metrics(const traceql::MetricsResult& result,
                                 const traceql::MetricsOptions& options) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("series");
  writer.begin_array();
  for (const traceql::MetricsSeries& series : result.series) {
    write_series(series, options.grid, writer);
  }
  writer.end_array();
  writer.key("metrics");
  writer.begin_object();
  if (result.inspected_traces > 0) writer.field("inspectedTraces", result.inspected_traces);
  writer.field("completedJobs", 1);
  writer.field("totalJobs", 1);
  if (result.inspected_spans > 0) {
    writer.field("inspectedSpans", std::to_string(result.inspected_spans));
  }
  writer.end_object();
  if (result.truncated) {
    writer.field("status", "PARTIAL");
    writer.field("message", "Response exceeds maximum series limit of " +
                                std::to_string(options.series_max) +
                                ", a partial response is returned");
  }
  writer.end_object();
  return out;
}

Result<Response> Tempo::metrics_range(const Request& request) const {
  CC_ASSIGN(const traceql::Query query, metrics_query(request, false));
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(const Bounds bounds, loki_bounds(request, read.source->now_ns()));
  CC_ASSIGN(const int64_t step_ns, step_of(request, bounds));
  traceql::MetricsOptions options;
  CC_ASSIGN(options.grid, traceql::range_grid(bounds.start_ns, bounds.end_ns, step_ns));
  const int64_t exemplars = count_of(request, "exemplars");
  options.exemplars_max =
      static_cast<size_t>(exemplars == 0 ? kExemplarsMax : std::min(exemplars, kExemplarsMax));
  const auto series = static_cast<size_t>(count_of(request, "maxSeries"));
  options.series_max = series == 0 ? kSeriesMax : std::min(series, kSeriesMax);
  options.checkpoint = checkpoint();
  Step step("traceql");
  step.note(work::names::attr::kDbQueryText, query_text(request));
  CC_ASSIGN(const traceql::MetricsResult result,
            traceql::query_metrics(*read.source, query, options));
  step.done();
  return raw_json_response(200, encode_tempo_metrics(result, options));
}

Result<Response> Tempo::metrics_instant(const Request& request) const {
  CC_ASSIGN(const traceql::Query query, metrics_query(request, true));
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(const Bounds bounds, loki_bounds(request, read.source->now_ns()));
  traceql::MetricsOptions options;
  CC_ASSIGN(options.grid, traceql::instant_grid(bounds.start_ns, bounds.end_ns));
  options.series_max = kSeriesMax;
  options.checkpoint = checkpoint();
  Step step("traceql");
  step.note(work::names::attr::kDbQueryText, query_text(request));
  CC_ASSIGN(const traceql::MetricsResult result,
            traceql::query_metrics(*read.source, query, options));
  step.done();
  return raw_json_response(200, encode_tempo_metrics(result, options));
}

}  // namespace contextcore::api
