#include "api/loki.h"

#include <algorithm>

#include "api/buildinfo.h"
#include "api/parameters.h"
#include "api/responses.h"
#include "base/step.h"
#include "base/time.h"
#include "work/names.h"

namespace contextcore::api {

namespace {

constexpr int64_t kDefaultSteps = 250;

Error invalid(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

bool wants_categories(const Request& request) {
  std::string_view flags = request.header("x-loki-response-encoding-flags");
  return flags.find("categorize-labels") != std::string_view::npos;
}

Result<logql::Direction> direction_of(const Request& request) {
  std::string text(request.param("direction"));
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (text.empty() || text == "backward") return logql::Direction::backward;
  if (text == "forward") return logql::Direction::forward;
  return invalid("invalid direction '" + std::string(request.param("direction")) + "'");
}

// Loki leaves "data" out of an empty list.
Response list_response(const std::vector<std::string>& names) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("status", "success");
  if (!names.empty()) {
    writer.key("data");
    writer.begin_array();
    for (const std::string& name : names) writer.string(name);
    writer.end_array();
  }
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

// fn: the query's evaluation.
template <typename Fn>
Result<logql::QueryResult> evaluated(std::string_view query, const Fn& fn) {
  Step step("logql");
  step.note(work::names::attr::kDbQueryText, query);
  Result<logql::QueryResult> result = fn();
  if (!result.ok()) return deadline_error(std::move(result).error());
  step.note(work::names::attr::kContextcoreInspectedLines, result->statistics.entries_read);
  step.done();
  return result;
}

}  // namespace

std::function<bool()> query_deadline(const ServiceOptions& options) {
  Clock* clock = options.clock;
  int64_t deadline_ns = clock->monotonic_ns() + options.query_timeout_ns;
  return [clock, deadline_ns] { return clock->monotonic_ns() >= deadline_ns; };
}

Error deadline_error(Error error) {
  if (error.code != Code::cancelled) return error;
  return Error{
      Code::deadline_exceeded, "the query took too long; narrow it or its range", {}, {}, {}};
}

Response loki_answer(Result<Response> response) {
  return response.ok() ? std::move(*response) : text_error(response.error());
}

Result<int64_t> loki_step(const Request& request, const Bounds& bounds) {
  // In double: the whole of time does not fit the difference.
  double range_s =
      (static_cast<double>(bounds.end_ns) - static_cast<double>(bounds.start_ns)) / 1e9;
  auto default_s = std::max(int64_t{1}, static_cast<int64_t>(range_s / kDefaultSteps));
  CC_ASSIGN(int64_t step_ns, loki_duration(request, "step", default_s * kSecondNs));
  if (step_ns <= 0) {
    return invalid(
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  return step_ns;
}

void Loki::mount(Router& router) {
  for (const char* method : {"GET", "POST"}) {
    router.add(method, "/loki/api/v1/query",
               [this](const Call& call) { return loki_answer(query(call.request)); });
    router.add(method, "/loki/api/v1/query_range",
               [this](const Call& call) { return loki_answer(query_range(call.request)); });
    for (const char* path : {"/loki/api/v1/labels", "/loki/api/v1/label"}) {
      router.add(method, path,
                 [this](const Call& call) { return loki_answer(labels(call.request)); });
    }
    router.add(method, "/loki/api/v1/label/{name}/values", [this](const Call& call) {
      return loki_answer(label_values(call.request, call.capture("name")));
    });
    router.add(method, "/loki/api/v1/series",
               [this](const Call& call) { return loki_answer(series(call.request)); });
  }
  router.add("GET", "/loki/api/v1/status/buildinfo",
             [this](const Call&) { return build_info(kLokiVersion, options_.version); });
}

Result<Response> Loki::query(const Request& request) const {
  int64_t start_ns = options_.clock->monotonic_ns();
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  logql::InstantParams params;
  CC_ASSIGN(params.time_ns, loki_time(request, "time", read.source->now_ns()));
  params.cancelled = query_deadline(options_);
  const std::string_view text = request.param("query");
  CC_ASSIGN(logql::QueryResult result,
            evaluated(text, [&] { return logql::query_instant(*read.source, text, params); }));
  int64_t duration_ns = options_.clock->monotonic_ns() - start_ns;
  return raw_json_response(200, encode_loki_result(result, wants_categories(request), duration_ns));
}

Result<Response> Loki::query_range(const Request& request) const {
  int64_t start_ns = options_.clock->monotonic_ns();
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(Bounds bounds, loki_bounds(request, read.source->now_ns()));
  if (bounds.end_ns <= bounds.start_ns) {
    return invalid("end timestamp must not be before or equal to start time");
  }
  logql::RangeParams params;
  params.start_ns = bounds.start_ns;
  params.end_ns = bounds.end_ns;
  CC_ASSIGN(params.step_ns, loki_step(request, bounds));
  // The engine knows what it allows.
  CC_ASSIGN(params.limit, integer_parameter(request, "limit", params.limit, INT64_MIN, INT64_MAX));
  CC_ASSIGN(params.direction, direction_of(request));
  params.categorize_labels = wants_categories(request);
  params.cancelled = query_deadline(options_);
  const std::string_view text = request.param("query");
  CC_ASSIGN(logql::QueryResult result,
            evaluated(text, [&] { return logql::query_range(*read.source, text, params); }));
  int64_t duration_ns = options_.clock->monotonic_ns() - start_ns;
  return raw_json_response(200, encode_loki_result(result, params.categorize_labels, duration_ns));
}

Result<Response> Loki::labels(const Request& request) const {
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(Bounds bounds, loki_bounds(request, read.source->now_ns()));
  CC_ASSIGN(std::vector<std::string> names, logql::label_names(*read.source, request.param("query"),
                                                               bounds.start_ns, bounds.end_ns));
  return list_response(names);
}

Result<Response> Loki::label_values(const Request& request, const std::string& name) const {
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(Bounds bounds, loki_bounds(request, read.source->now_ns()));
  CC_ASSIGN(std::vector<std::string> values,
            logql::label_values(*read.source, name, request.param("query"), bounds.start_ns,
                                bounds.end_ns));
  return list_response(values);
}

Result<Response> Loki::series(const Request& request) const {
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(Bounds bounds, loki_bounds(request, read.source->now_ns()));
  std::vector<std::string> selectors;
  for (const auto& [name, value] : request.query) {
    if (name == "match[]" || name == "match") selectors.push_back(value);
  }
  if (selectors.empty()) return invalid("0 matcher groups supplied");
  CC_ASSIGN(std::vector<logql::LabelPairs> found,
            logql::series(*read.source, selectors, bounds.start_ns, bounds.end_ns));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("status", "success");
  writer.key("data");
  writer.begin_array();
  for (const logql::LabelPairs& labels : found) {
    writer.begin_object();
    for (const auto& [name, value] : labels) writer.field(name, value);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

}  // namespace contextcore::api
