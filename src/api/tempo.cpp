#include "api/tempo.h"

#include <array>
#include <charconv>

#include "api/buildinfo.h"
#include "api/parameters.h"
#include "api/responses.h"
#include "base/step.h"
#include "base/time.h"
#include "otlp/tempo_json.h"
#include "query/common/lexing.h"
#include "query/traceql/parser.h"
#include "work/names.h"

namespace contextcore::api {

namespace {

constexpr int64_t kLimitDefault = 20, kLimitMax = 262'144;
constexpr int64_t kSpansDefault = 3, kSpansMax = 10'000;
constexpr size_t kTraceIdDigitsMax = 32;

Error invalid(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

Result<otlp::TraceId> parse_trace_id(const std::string& text) {
  size_t bad = text.find_first_not_of("0123456789abcdefABCDEF");
  if (bad != std::string::npos) {
    return invalid("trace IDs can only contain hex characters: invalid character '" +
                   text.substr(bad, query::utf8_length(std::string_view(text).substr(bad))) +
                   "' at position " + std::to_string(bad + 1));
  }
  if (text.size() > kTraceIdDigitsMax) return invalid("trace IDs can't be larger than 128 bits");
  otlp::TraceId id;
  if (!otlp::parse_hex(text, id)) return invalid("not a trace ID: " + text);
  return id;
}

Result<store::TimeRange> search_range(const Request& request, int64_t now_ns) {
  store::TimeRange range;
  bool has_start = !request.param("start").empty(), has_end = !request.param("end").empty();
  if (has_start != has_end) {
    return invalid("invalid request: start and end have to be given both or neither");
  }
  if (!has_start) {
    CC_ASSIGN(int64_t since_ns, go_duration(request, "since", 0));
    if (since_ns < 0) return invalid("invalid since: it is negative");
    if (since_ns > 0) range = store::TimeRange{now_ns - since_ns, now_ns};
    return range;
  }
  CC_ASSIGN(range.start_ns, unix_seconds(request, "start", 0));
  CC_ASSIGN(range.end_ns, unix_seconds(request, "end", 0));
  if (range.end_ns <= range.start_ns) {
    return invalid("invalid request: end (" + std::string(request.param("end")) +
                   ") has to be after start (" + std::string(request.param("start")) + ")");
  }
  return range;
}

Result<std::string> search_query(const Request& request) {
  std::string_view query = request.param("q");
  bool has_tags = request.has_param("tags") || request.has_param("minDuration") ||
                  request.has_param("maxDuration");
  if (!query.empty()) {
    if (!request.param("tags").empty()) {
      return invalid("invalid request: can't specify tags and q in the same query");
    }
    return std::string(query);
  }
  if (!has_tags) return std::string("{}");
  return tags_to_traceql(request.param("tags"), request.param("minDuration"),
                         request.param("maxDuration"));
}

// ---- logfmt ----

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct Tag {
  std::string key, value;
};

// The next k=v of text, which moves past it. REQUIRES: text does not start with a blank.
Result<Tag> next_tag(std::string_view& text) {
  size_t equals = 0;
  while (equals < text.size() && text[equals] != '=' && !is_blank(text[equals])) ++equals;
  if (equals == 0 || equals == text.size() || text[equals] != '=') {
    return invalid("invalid tags: \"" + std::string(text.substr(0, 64)) +
                   "\" does not start with key=value");
  }
  Tag tag;
  tag.key = std::string(text.substr(0, equals));
  text.remove_prefix(equals + 1);
  if (!text.empty() && text.front() == '"') {
    Result<query::StringLiteral> literal = query::scan_string_literal(text);
    if (!literal.ok()) return invalid("invalid tags: " + literal.error().message);
    tag.value = std::move(literal->value);
    text.remove_prefix(literal->length);
    return tag;
  }
  size_t end = 0;
  while (end < text.size() && !is_blank(text[end])) ++end;
  tag.value = std::string(text.substr(0, end));
  text.remove_prefix(end);
  return tag;
}

// Intrinsics that a tag search can name; everything else is an attribute of span or resource.
std::string tag_field(const std::string& key) {
  if (key == "name") return "name";
  if (key == "root.name") return "rootName";
  if (key == "root.service.name") return "rootServiceName";
  std::string quoted = ".\"";
  for (char c : key) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

// Tags are text: 500 finds the text and the number, true likewise.
std::string tag_condition(const std::string& field, const std::string& value) {
  std::string condition = field + " = " + query::quote_string(value);
  int64_t integer = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), integer);
  const bool is_integer = !value.empty() && error == std::errc() &&
                          end == value.data() + value.size() && integer >= 0;
  if (field[0] != '.' || (!is_integer && value != "true" && value != "false")) return condition;
  return "(" + condition + " || " + field + " = " + value + ")";
}

Response finish(Result<Response> response) {
  return response.ok() ? std::move(*response) : text_error(response.error());
}

bool wants_protobuf(const Request& request) {
  std::string_view accept = request.header("accept");
  return accepts(accept, kApplicationProtobuf) || accepts(accept, "application/x-protobuf");
}

Response protobuf_response(std::string body) {
  Response response;
  response.content_type = kApplicationProtobuf;
  response.body = std::move(body);
  return response;
}

}  // namespace

Result<int64_t> unix_seconds(const Request& request, std::string_view name, int64_t fallback_ns) {
  std::string_view text = request.param(name);
  if (text.empty()) return fallback_ns;
  int64_t seconds = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  bool fits = seconds <= INT64_MAX / kSecondNs && seconds >= INT64_MIN / kSecondNs;
  if (error != std::errc() || end != text.data() + text.size() || !fits) {
    return invalid("invalid " + std::string(name) + ": \"" + std::string(text) +
                   "\" is not a Unix time in seconds");
  }
  return seconds * kSecondNs;
}

Result<std::string> tags_to_traceql(std::string_view tags, std::string_view min_duration,
                                    std::string_view max_duration) {
  std::vector<std::string> conditions;
  while (true) {
    while (!tags.empty() && is_blank(tags.front())) tags.remove_prefix(1);
    if (tags.empty()) break;
    CC_ASSIGN(Tag tag, next_tag(tags));
    conditions.push_back(tag_condition(tag_field(tag.key), tag.value));
  }
  const std::array<std::pair<std::string_view, const char*>, 2> bounds = {
      {{min_duration, "traceDuration >= "}, {max_duration, "traceDuration <= "}}};
  for (const auto& [text, prefix] : bounds) {
    if (text.empty()) continue;
    Result<int64_t> duration = parse_go_duration(text);
    if (!duration.ok()) {
      return invalid("invalid duration: " + duration.error().message);
    }
    conditions.push_back(prefix + format_go_duration(*duration));
  }
  if (conditions.empty()) return std::string("{}");
  std::string query = "{ ";
  for (size_t i = 0; i < conditions.size(); ++i) query += (i > 0 ? " && " : "") + conditions[i];
  return query + " }";
}

void Tempo::mount(Router& router) {
  router.add("GET", "/api/echo", [](const Call&) { return text_response(200, "echo"); });
  router.add("GET", "/api/status/buildinfo",
             [this](const Call&) { return build_info(kTempoVersion, options_.version); });
  router.add("GET", "/api/traces/{trace_id}", [this](const Call& call) {
    return finish(trace(call.request, call.capture("trace_id"), false));
  });
  router.add("GET", "/api/v2/traces/{trace_id}", [this](const Call& call) {
    return finish(trace(call.request, call.capture("trace_id"), true));
  });
  for (const char* method : {"GET", "POST"}) {
    router.add(method, "/api/search",
               [this](const Call& call) { return finish(search(call.request)); });
    router.add(method, "/api/metrics/query_range",
               [this](const Call& call) { return finish(metrics_range(call.request)); });
    router.add(method, "/api/metrics/query",
               [this](const Call& call) { return finish(metrics_instant(call.request)); });
  }
  for (const bool v2 : {false, true}) {
    const std::string prefix = v2 ? "/api/v2/search/" : "/api/search/";
    router.add("GET", prefix + "tags",
               [this, v2](const Call& call) { return finish(tags(call.request, v2)); });
    router.add("GET", prefix + "tag/{name}/values", [this, v2](const Call& call) {
      return finish(tag_values(call.request, call.capture("name"), v2));
    });
  }
}

std::function<Status()> Tempo::checkpoint() const {
  const int64_t deadline_ns = options_.clock->monotonic_ns() + options_.query_timeout_ns;
  return [this, deadline_ns]() -> Status {
    if (options_.clock->monotonic_ns() < deadline_ns) return {};
    return Status(Code::deadline_exceeded, "the query took too long; narrow it or its range");
  };
}

Result<Response> Tempo::trace(const Request& request, const std::string& id_text, bool v2) const {
  CC_ASSIGN(otlp::TraceId id, parse_trace_id(id_text));
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(std::optional<otlp::TracesData> found, read.source->trace(id));
  bool protobuf = wants_protobuf(request);
  if (!v2) {
    if (!found) return text_response(404, "");
    return protobuf ? protobuf_response(otlp::encode_tempo_trace_protobuf(*found))
                    : raw_json_response(200, otlp::encode_tempo_trace_json(*found));
  }
  // Here an unknown trace is an empty one.
  otlp::TracesData data = found ? std::move(*found) : otlp::TracesData{};
  otlp::TempoTraceByIdInfo info;
  return protobuf ? protobuf_response(otlp::encode_tempo_trace_by_id_protobuf(data, info))
                  : raw_json_response(200, otlp::encode_tempo_trace_by_id_json(data, info));
}

Result<Response> Tempo::search(const Request& request) const {
  CC_ASSIGN(std::string text, search_query(request));
  CC_ASSIGN(int64_t limit, integer_parameter(request, "limit", kLimitDefault, 1, kLimitMax));
  CC_ASSIGN(int64_t spans, integer_parameter(request, "spss", kSpansDefault, 0, kSpansMax));
  Result<traceql::Query> query = traceql::parse_and_validate(text);
  if (!query.ok()) {
    Error error = std::move(query).error();
    error.message = "invalid TraceQL query: " + error.message;
    return error;
  }
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  traceql::SearchOptions options;
  CC_ASSIGN(options.range, search_range(request, read.source->now_ns()));
  options.traces_max = static_cast<size_t>(limit);
  options.spans_per_spanset = static_cast<size_t>(spans == 0 ? kSpansDefault : spans);
  options.checkpoint = checkpoint();
  Step step("traceql");
  step.note(work::names::attr::kDbQueryText, text);
  CC_ASSIGN(traceql::SearchResult result, traceql::search(*read.source, *query, options));
  step.note(work::names::attr::kContextcoreInspectedTraces, result.inspected_traces);
  step.note(work::names::attr::kContextcoreInspectedSpans, result.inspected_spans);
  step.done();
  return raw_json_response(200, encode_tempo_search(result));
}

}  // namespace contextcore::api
