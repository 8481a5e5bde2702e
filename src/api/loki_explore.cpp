#include "api/loki_explore.h"

#include <utility>

#include "api/loki.h"
#include "api/parameters.h"
#include "api/responses.h"
#include "query/logql/explore.h"
#include "query/logql/parser.h"
#include "query/logql/print.h"

namespace contextcore::api {

namespace {

constexpr int64_t kVolumeLimit = 100;
constexpr int64_t kFieldLimit = 1000;
constexpr int64_t kLineLimit = 100;
constexpr int64_t kStepsMax = 11'000;

Error invalid(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

template <typename T>
Result<T> timed(Result<T> result) {
  if (result.ok()) return result;
  return deadline_error(std::move(result).error());
}

Result<Bounds> explored_bounds(const Request& request, int64_t now_ns) {
  CC_ASSIGN(Bounds bounds, loki_bounds(request, now_ns));
  if (bounds.end_ns < bounds.start_ns)
    return invalid("end timestamp must not be before or equal to start time");
  return bounds;
}

Result<int64_t> positive(const Request& request, std::string_view name, int64_t fallback) {
  CC_ASSIGN(int64_t value, integer_parameter(request, name, fallback, INT64_MIN, UINT32_MAX));
  if (value <= 0) return invalid("limit must be a positive value");
  return value;
}

Status check_steps(const Bounds& bounds, int64_t step_ns) {
  // In double: the whole of time does not fit the difference.
  const double range = static_cast<double>(bounds.end_ns) - static_cast<double>(bounds.start_ns);
  if (range / static_cast<double>(step_ns) <= static_cast<double>(kStepsMax)) return {};
  return invalid(
      "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of "
      "the step parameter");
}

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return out;
}

Response format_query(const Request& request) {
  std::string out;
  JsonWriter writer(out);
  Result<logql::Expr> expr = logql::parse(request.param("query"));
  writer.begin_object();
  writer.field("status", expr.ok() ? "success" : "invalid-query");
  if (expr.ok()) {
    writer.field("data", logql::pretty(*expr));
  } else {
    writer.field("error", expr.error().message);
  }
  writer.end_object();
  return raw_json_response(expr.ok() ? 200 : 400, std::move(out));
}

void write_names(const std::vector<std::string>& names, JsonWriter& writer) {
  writer.begin_array();
  for (const std::string& name : names) writer.string(name);
  writer.end_array();
}

void write_field(const logql::DetectedField& field, JsonWriter& writer) {
  writer.begin_object();
  writer.field("label", field.name);
  writer.field("type", field.type);
  writer.field("cardinality", field.cardinality);
  writer.key("parsers");
  if (field.parsers.empty()) {
    writer.null();
  } else {
    write_names(field.parsers, writer);
  }
  if (!field.json_path.empty()) {
    writer.key("jsonPath");
    write_names(field.json_path, writer);
  }
  writer.end_object();
}

}  // namespace

void LokiExplore::mount(Router& router) {
  const std::string base = "/loki/api/v1/";
  for (const char* method : {"GET", "POST"}) {
    router.add(method, base + "index/stats",
               [this](const Call& call) { return loki_answer(index_stats(call.request)); });
    router.add(method, base + "index/volume",
               [this](const Call& call) { return loki_answer(volume(call.request, false)); });
    router.add(method, base + "index/volume_range",
               [this](const Call& call) { return loki_answer(volume(call.request, true)); });
    router.add(method, base + "detected_labels",
               [this](const Call& call) { return loki_answer(detected_labels(call.request)); });
    router.add(method, base + "detected_fields",
               [this](const Call& call) { return loki_answer(detected_fields(call.request)); });
    router.add(method, base + "detected_field/{name}/values", [this](const Call& call) {
      return loki_answer(detected_values(call.request, call.capture("name")));
    });
    router.add(method, base + "format_query",
               [](const Call& call) { return format_query(call.request); });
    // As a Loki without pattern ingesters answers: no patterns are made here.
    router.add(method, base + "patterns", [](const Call&) { return text_response(404, "\n"); });
  }
}

Result<Response> LokiExplore::index_stats(const Request& request) const {
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(Bounds bounds, explored_bounds(request, read.source->now_ns()));
  CC_ASSIGN(logql::IndexStats stats,
            timed(logql::index_stats(*read.source, request.param("query"),
                                     {bounds.start_ns, bounds.end_ns, query_deadline(options_)})));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("streams", stats.streams);
  writer.field("chunks", stats.streams);  // this store has none: one for each stream
  writer.field("bytes", stats.bytes);
  writer.field("entries", stats.entries);
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

Result<Response> LokiExplore::volume(const Request& request, bool ranged) const {
  int64_t start_ns = options_.clock->monotonic_ns();
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(Bounds bounds, explored_bounds(request, read.source->now_ns()));
  logql::VolumeParams params;
  params.selector = request.param("query");
  CC_ASSIGN(int64_t limit,
            integer_parameter(request, "limit", kVolumeLimit, INT64_MIN, UINT32_MAX));
  if (limit < 0) return invalid("limit must be a positive value");
  params.limit = static_cast<size_t>(limit == 0 ? kVolumeLimit : limit);
  params.target_labels = split_names(request.param("targetLabels"));
  std::string_view aggregate_by = request.param("aggregateBy");
  if (!aggregate_by.empty() && aggregate_by != "series" && aggregate_by != "labels")
    return invalid("invalid aggregation option");
  params.by_label = aggregate_by == "labels";
  if (ranged) {
    CC_ASSIGN(params.step_ns, loki_step(request, bounds));
    CC_TRY(check_steps(bounds, params.step_ns));
  }
  CC_ASSIGN(auto series,
            timed(logql::volume(*read.source, params,
                                {bounds.start_ns, bounds.end_ns, query_deadline(options_)})));
  // Loki answers a vector unless some series has more than one sample.
  bool matrix = false;
  for (const logql::Series& one : series) matrix = matrix || one.samples.size() > 1;
  logql::QueryResult result;
  if (matrix) {
    result.data = logql::Matrix{std::move(series)};
  } else {
    result.data = logql::Vector{std::move(series)};
  }
  int64_t duration_ns = options_.clock->monotonic_ns() - start_ns;
  return raw_json_response(200, encode_loki_result(result, false, duration_ns));
}

Result<Response> LokiExplore::detected_labels(const Request& request) const {
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(Bounds bounds, explored_bounds(request, read.source->now_ns()));
  CC_ASSIGN(auto labels, logql::detected_labels(*read.source, request.param("query"),
                                                bounds.start_ns, bounds.end_ns));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  if (!labels.empty()) {
    writer.key("detectedLabels");
    writer.begin_array();
    for (const logql::DetectedLabel& label : labels) {
      writer.begin_object();
      writer.field("label", label.name);
      writer.field("cardinality", label.cardinality);
      writer.end_object();
    }
    writer.end_array();
  }
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

namespace {

struct FieldRequest {
  Bounds bounds;
  int64_t line_limit = 0;
  int64_t limit = 0;
};

Result<FieldRequest> field_request(const Request& request, int64_t now_ns) {
  FieldRequest out;
  CC_ASSIGN(out.bounds, explored_bounds(request, now_ns));
  CC_ASSIGN(out.line_limit, positive(request, "line_limit", kLineLimit));
  // field_limit is the name of old.
  CC_ASSIGN(out.limit, positive(request, request.param("limit").empty() ? "field_limit" : "limit",
                                kFieldLimit));
  CC_ASSIGN(int64_t step_ns, loki_step(request, out.bounds));
  CC_TRY(check_steps(out.bounds, step_ns));
  return out;
}

}  // namespace

Result<Response> LokiExplore::detected_fields(const Request& request) const {
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(FieldRequest wanted, field_request(request, read.source->now_ns()));
  CC_ASSIGN(auto fields,
            timed(logql::detected_fields(
                *read.source, request.param("query"), wanted.line_limit,
                static_cast<size_t>(wanted.limit),
                {wanted.bounds.start_ns, wanted.bounds.end_ns, query_deadline(options_)})));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  if (!fields.empty()) {
    writer.key("fields");
    writer.begin_array();
    for (const logql::DetectedField& field : fields) write_field(field, writer);
    writer.end_array();
    writer.field("limit", wanted.limit);
  }
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

Result<Response> LokiExplore::detected_values(const Request& request,
                                              const std::string& field) const {
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(FieldRequest wanted, field_request(request, read.source->now_ns()));
  CC_ASSIGN(auto values,
            timed(logql::detected_field_values(
                *read.source, request.param("query"), field, wanted.line_limit,
                static_cast<size_t>(wanted.limit),
                {wanted.bounds.start_ns, wanted.bounds.end_ns, query_deadline(options_)})));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  if (!values.empty()) {
    writer.field("limit", wanted.limit);
    writer.key("values");
    write_names(values, writer);
  }
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

}  // namespace contextcore::api
