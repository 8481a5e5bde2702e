#include "api/prometheus.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "api/buildinfo.h"
#include "api/parameters.h"
#include "api/responses.h"
#include "base/json.h"
#include "base/step.h"
#include "base/time.h"
#include "query/common/text.h"
#include "query/promql/parser.h"
#include "query/promql/print.h"
#include "work/metrics/metric_sources.h"
#include "work/names.h"

namespace contextcore::api {

namespace {

constexpr int64_t kFarMs = 9'000'000'000'000;  // year 2255: still fits nanoseconds

// fn: the query's evaluation.
template <typename Fn>
auto evaluated(std::string_view query, const Fn& fn) {
  Step step("promql");
  step.note(work::names::attr::kDbQueryText, query);
  auto result = fn(query);
  if (result.ok()) step.done();
  return result;
}

Error invalid(std::string_view name, const std::string& reason) {
  return Error{Code::invalid_argument, "invalid parameter \"" + std::string(name) + "\": " + reason, {}, {}, {}};
}

// Seconds with a fraction, in ms; nullopt when it is no number.
std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(value)) return std::nullopt;
  return value;
}

// A number of seconds or RFC 3339.
Result<int64_t> time_ms(const Request& request, std::string_view name, std::optional<int64_t> fallback_ms) {
  const std::string_view text = request.param(name);
  if (text.empty() && fallback_ms) return *fallback_ms;
  if (const auto seconds = number(text)) {
    if (std::abs(*seconds) < 9.2e15) return static_cast<int64_t>(std::llround(*seconds * 1000));
  } else if (const auto time = parse_rfc3339(text); time.ok()) {
    return *time / kMillisecondNs;
  }
  return invalid(name, "cannot parse " + query::quote(text) + " to a valid timestamp");
}

// A number of seconds or a Prometheus duration.
Result<int64_t> duration_ms(const Request& request, std::string_view name, std::optional<int64_t> fallback_ms) {
  const std::string_view text = request.param(name);
  if (text.empty() && fallback_ms) return *fallback_ms;
  if (const auto seconds = number(text)) {
    if (std::abs(*seconds) < 9.2e9) return static_cast<int64_t>(std::llround(*seconds * 1000));
    return invalid(name, "cannot parse " + query::quote(text) + " to a valid duration. It overflows int64");
  }
  if (const auto duration = parse_prometheus_duration(text); duration.ok()) return *duration / kMillisecondNs;
  return invalid(name, "cannot parse " + query::quote(text) + " to a valid duration");
}

Result<size_t> limit_of(const Request& request) {
  if (request.param("limit").empty()) return size_t{0};
  const auto limit = integer_parameter(request, "limit", 0, 0, INT64_MAX);
  if (!limit.ok()) return invalid("limit", "limit must be non-negative");
  return static_cast<size_t>(*limit);
}

// What is wrong with the query is wrong with the parameter.
Error query_error(Error error) {
  if (error.code == Code::cancelled) {
    error.code = Code::deadline_exceeded;
    error.message = "query timed out in query execution";
  }
  if (error.code == Code::invalid_argument && error.message.find("parse error:") != std::string::npos) {
    error.message = "invalid parameter \"query\": " + error.message;
  }
  return error;
}

// Grafana's form of names that paths and identifiers cannot have: U__task_2e_status is task.status.
std::string unescape_name(const std::string& name) {
  constexpr std::string_view kPrefix = "U__";
  if (!name.starts_with(kPrefix)) return name;
  std::string out;
  for (size_t at = kPrefix.size(); at < name.size();) {
    if (name[at] != '_') {
      out.push_back(name[at++]);
      continue;
    }
    if (at + 1 < name.size() && name[at + 1] == '_') {
      out.push_back('_');
      at += 2;
      continue;
    }
    const size_t close = name.find('_', at + 1);
    uint32_t code = 0;
    if (close == std::string::npos) return name;
    const auto [end, error] = std::from_chars(name.data() + at + 1, name.data() + close, code, 16);
    if (error != std::errc() || end != name.data() + close || code == 0 || code > 0x7f) return name;
    out.push_back(static_cast<char>(code));
    at = close + 1;
  }
  return out;
}

Response list_response(const std::set<std::string>& texts, size_t limit) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("status", "success");
  writer.key("data");
  writer.begin_array();
  size_t written = 0;
  for (const std::string& text : texts) {
    if (limit != 0 && written++ == limit) break;
    writer.string(text);
  }
  writer.end_array();
  if (limit != 0 && texts.size() > limit) {
    writer.key("warnings");
    writer.begin_array();
    writer.string("results truncated due to limit");
    writer.end_array();
  }
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

Response finish(Result<Response> response) {
  return response.ok() ? std::move(*response) : prometheus_error(response.error());
}

}  // namespace

void Prometheus::mount(Router& router) {
  mount_below(router, "");
  mount_below(router, "/prometheus");
}

void Prometheus::mount_below(Router& router, const std::string& prefix) {
  const std::string base = prefix + "/api/v1";
  using Handle = Result<Response> (Prometheus::*)(const Request&) const;
  const auto add = [&](const char* method, const std::string& path, Handle handle) {
    router.add(method, base + path, [this, handle](const Call& call) { return finish((this->*handle)(call.request)); });
  };
  for (const char* method : {"GET", "POST"}) {
    add(method, "/query", &Prometheus::query);
    add(method, "/query_range", &Prometheus::query_range);
    add(method, "/series", &Prometheus::series);
    add(method, "/labels", &Prometheus::labels);
    add(method, "/format_query", &Prometheus::format_query);
  }
  add("GET", "/metadata", &Prometheus::metadata);
  router.add("POST", base + "/write", [this](const Call& call) { return remote_write(call.request); });
  router.add("GET", base + "/label/{name}/values",
             [this](const Call& call) { return finish(label_values(call.request, call.capture("name"))); });
  router.add("GET", base + "/status/buildinfo", [this](const Call&) { return build_info(); });
}

Result<std::shared_ptr<const store::MetricSource>> Prometheus::source(const Request& request, int64_t* now_ms) const {
  CC_ASSIGN(const store::Store::Read read, options_.store->read());
  if (now_ms != nullptr) *now_ms = read.source->now_ns() / kMillisecondNs;
  return work::all_metrics(views_, read, request.header(kTenantHeader));
}

Result<promql::QueryOptions> Prometheus::query_options(const Request& request) const {
  promql::QueryOptions options;
  CC_ASSIGN(options.lookback_ms, duration_ms(request, "lookback_delta", options.lookback_ms));
  if (options.lookback_ms <= 0) return invalid("lookback_delta", "it must be positive");
  const int64_t longest_ms = options_.query_timeout_ns / kMillisecondNs;
  CC_ASSIGN(const int64_t timeout_ms, duration_ms(request, "timeout", longest_ms));
  const int64_t deadline_ns =
      options_.clock->monotonic_ns() + std::clamp<int64_t>(timeout_ms, 0, longest_ms) * kMillisecondNs;
  options.cancelled = [this, deadline_ns] { return options_.clock->monotonic_ns() >= deadline_ns; };
  return options;
}

Result<Response> Prometheus::query(const Request& request) const {
  int64_t now_ms = 0;
  CC_ASSIGN(const auto metrics, source(request, &now_ms));
  CC_ASSIGN(const int64_t at_ms, time_ms(request, "time", now_ms));
  CC_ASSIGN(const promql::QueryOptions options, query_options(request));
  CC_ASSIGN(const size_t limit, limit_of(request));
  auto result = evaluated(request.param("query"), [&](std::string_view text) {
    return promql::query_instant(*metrics, text, at_ms, options);
  });
  if (!result.ok()) return query_error(result.error());
  return raw_json_response(200, encode_prometheus_result(*std::move(result), limit));
}

Result<Response> Prometheus::query_range(const Request& request) const {
  promql::RangeParams params;
  CC_ASSIGN(params.start_ms, time_ms(request, "start", std::nullopt));
  CC_ASSIGN(params.end_ms, time_ms(request, "end", std::nullopt));
  if (params.end_ms < params.start_ms) return invalid("end", "end timestamp must not be before start time");
  CC_ASSIGN(params.step_ms, duration_ms(request, "step", std::nullopt));
  if (params.step_ms <= 0) {
    return invalid("step", "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  CC_ASSIGN(const promql::QueryOptions options, query_options(request));
  CC_ASSIGN(const size_t limit, limit_of(request));
  CC_ASSIGN(const auto metrics, source(request));
  auto result = evaluated(request.param("query"), [&](std::string_view text) {
    return promql::query_range(*metrics, text, params, options);
  });
  if (!result.ok()) return query_error(result.error());
  return raw_json_response(200, encode_prometheus_result(*std::move(result), limit));
}

Result<std::vector<store::MetricSeries>> Prometheus::select(const Request& request,
                                                            const std::vector<std::string>& named_labels,
                                                            bool match_required) const {
  std::vector<std::string> selectors;
  for (const auto& [name, value] : request.query) {
    if (name == "match[]") selectors.push_back(value);
  }
  if (selectors.empty() && match_required) {
    return Error{Code::invalid_argument, "no match[] parameter provided", {}, {}, {}};
  }
  CC_ASSIGN(const int64_t start_ms, time_ms(request, "start", -kFarMs));
  CC_ASSIGN(const int64_t end_ms, time_ms(request, "end", kFarMs));
  if (end_ms < start_ms) return invalid("end", "end timestamp must not be before start time");
  std::vector<store::MetricRequest> requests;
  for (const std::string& selector : selectors) {
    const auto matchers = promql::parse_matchers(selector);
    if (!matchers.ok()) return invalid("match[]", matchers.error().message);
    requests.push_back(promql::request_of(*matchers));
  }
  if (requests.empty()) requests.emplace_back();
  CC_ASSIGN(const auto metrics, source(request));
  std::map<query::LabelPairs, store::MetricSeries> found;
  for (store::MetricRequest& one : requests) {
    one.start_ms = start_ms;
    one.end_ms = end_ms;
    one.labels_only = true;
    one.named_labels.insert(one.named_labels.end(), named_labels.begin(), named_labels.end());
    CC_ASSIGN(std::vector<store::MetricSeries> series, metrics->select(one));
    for (store::MetricSeries& each : series) {
      query::LabelPairs labels = each.labels;
      found.emplace(std::move(labels), std::move(each));
    }
  }
  std::vector<store::MetricSeries> out;
  for (auto& [labels, series] : found) out.push_back(std::move(series));
  return out;
}

Result<Response> Prometheus::series(const Request& request) const {
  CC_ASSIGN(const size_t limit, limit_of(request));
  CC_ASSIGN(const auto found, select(request, {}, true));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("status", "success");
  writer.key("data");
  writer.begin_array();
  for (size_t i = 0; i < found.size() && (limit == 0 || i < limit); ++i) {
    writer.begin_object();
    for (const auto& [name, value] : found[i].labels) writer.field(name, value);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

Result<Response> Prometheus::labels(const Request& request) const {
  CC_ASSIGN(const size_t limit, limit_of(request));
  CC_ASSIGN(const auto found, select(request, {}, false));
  std::set<std::string> names;
  for (const store::MetricSeries& series : found) {
    for (const auto& [name, value] : series.labels) names.insert(name);
  }
  if (!names.empty()) {
    CC_ASSIGN(const auto metrics, source(request));
    for (const std::string& name : metrics->labels_on_request()) names.insert(name);
  }
  return list_response(names, limit);
}

Result<Response> Prometheus::label_values(const Request& request, const std::string& name) const {
  const std::string label = unescape_name(name);
  CC_ASSIGN(const size_t limit, limit_of(request));
  CC_ASSIGN(const auto found, select(request, {label}, false));
  std::set<std::string> values;
  for (const store::MetricSeries& series : found) {
    const std::string_view value = query::label_of(series.labels, label);
    if (!value.empty()) values.emplace(value);
  }
  return list_response(values, limit);
}

Result<Response> Prometheus::metadata(const Request& request) const {
  CC_ASSIGN(const size_t limit, limit_of(request));
  CC_ASSIGN(const auto metrics, source(request));
  const std::string_view wanted = request.param("metric");
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("status", "success");
  writer.key("data");
  writer.begin_object();
  size_t written = 0;
  for (const store::MetricDescription& metric : metrics->describe()) {
    if (!wanted.empty() && metric.name != wanted) continue;
    if (limit != 0 && written++ == limit) break;
    writer.key(metric.name);
    writer.begin_array();
    writer.begin_object();
    writer.field("type", metric.type);
    writer.field("unit", metric.unit);
    writer.field("help", metric.help);
    writer.end_object();
    writer.end_array();
  }
  writer.end_object();
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

Result<Response> Prometheus::format_query(const Request& request) const {
  const auto expr = promql::parse(request.param("query"));
  if (!expr.ok()) return query_error(expr.error());
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("status", "success");
  writer.field("data", promql::print_pretty(*expr));
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

Response Prometheus::build_info() const {
  return json_response(
      200, JsonObject{{"status", "success"}, {"data", build_info_json(kPrometheusVersion, options_.version)}});
}

}  // namespace contextcore::api
