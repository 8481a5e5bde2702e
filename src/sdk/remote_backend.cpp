#include "sdk/remote_backend.h"

#include <algorithm>
#include <charconv>
#include <mutex>

#include "base/hash.h"
#include "base/sort.h"
#include "base/time.h"
#include "otlp/json.h"
#include "otlp/protobuf.h"
#include "query/logql/parser.h"
#include "sdk/span_metrics.h"

namespace contextcore::sdk {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

Code code_of(std::string_view name, int status) {
  static constexpr Code kCodes[] = {Code::invalid_argument,
                                    Code::not_found,
                                    Code::already_exists,
                                    Code::conflict,
                                    Code::failed_precondition,
                                    Code::resource_exhausted,
                                    Code::unavailable,
                                    Code::deadline_exceeded,
                                    Code::cancelled,
                                    Code::permission_denied,
                                    Code::unsupported,
                                    Code::corruption,
                                    Code::io_error,
                                    Code::internal};
  for (const Code code : kCodes) {
    if (code_name(code) == name) return code;
  }
  switch (status) {
    case 400:
      return Code::invalid_argument;
    case 403:
      return Code::permission_denied;
    case 404:
      return Code::not_found;
    case 409:
      return Code::conflict;
    case 412:
      return Code::failed_precondition;
    case 413:
    case 429:
      return Code::resource_exhausted;
    case 501:
      return Code::unsupported;
    case 503:
      return Code::unavailable;
    case 504:
      return Code::deadline_exceeded;
    default:
      return Code::internal;
  }
}

// An integer that JSON carries as a number or as a string.
int64_t integer(const Json* value) {
  if (value == nullptr) return 0;
  if (const int64_t* number = value->as_int()) return *number;
  if (const std::string* text = value->as_string()) {
    int64_t number = 0;
    std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
  }
  return value->is_number() ? static_cast<int64_t>(value->number()) : 0;
}

// {"stringValue": …} of OTLP JSON to plain JSON.
Json plain_value(const Json& value) {
  if (const Json* one = value.find("stringValue")) return *one;
  if (const Json* one = value.find("boolValue")) return *one;
  if (const Json* one = value.find("intValue")) return integer(one);
  if (const Json* one = value.find("doubleValue")) return *one;
  if (const Json* one = value.find("arrayValue")) {
    JsonArray items;
    if (const Json* values = one->find("values");
        values != nullptr && values->as_array() != nullptr) {
      for (const Json& item : *values->as_array()) items.push_back(plain_value(item));
    }
    return items;
  }
  return value;
}

FoundSpan parse_span(const Json& json) {
  FoundSpan span;
  span.span_id = json.string_or("spanID");
  span.name = json.string_or("name");
  span.start_ns = integer(json.find("startTimeUnixNano"));
  span.duration_ns = integer(json.find("durationNanos"));
  if (const Json* attributes = json.find("attributes");
      attributes != nullptr && attributes->as_array()) {
    for (const Json& attribute : *attributes->as_array()) {
      const Json* value = attribute.find("value");
      span.attributes.emplace_back(attribute.string_or("key"),
                                   value ? plain_value(*value) : Json());
    }
  }
  return span;
}

Labels parse_labels(const Json* json) {
  Labels labels;
  if (json == nullptr || json->as_object() == nullptr) return labels;
  for (const auto& [name, value] : *json->as_object()) {
    labels.emplace_back(name, value.as_string() != nullptr ? *value.as_string() : to_string(value));
  }
  return labels;
}

std::pair<int64_t, double> parse_sample(const JsonArray& pair) {
  if (pair.size() != 2) return {0, 0};
  const double seconds = pair[0].number();
  double value = 0;
  if (const std::string* text = pair[1].as_string()) {
    if (*text == "NaN") {
      value = std::numeric_limits<double>::quiet_NaN();
    } else if (text->ends_with("Inf")) {
      value = text->starts_with('-') ? -std::numeric_limits<double>::infinity()
                                     : std::numeric_limits<double>::infinity();
    } else {
      std::from_chars(text->data(), text->data() + text->size(), value);
    }
  }
  return {static_cast<int64_t>(seconds * 1000.0 + (seconds < 0 ? -0.5 : 0.5)) * 1'000'000, value};
}

// The result of a metric query: one sample, or series of them.
std::vector<Series> parse_series(std::string_view type, const JsonArray& result) {
  std::vector<Series> out;
  if (type == "scalar") {
    out.push_back({{}, {parse_sample(result)}});
    return out;
  }
  for (const Json& one : result) {
    Series series{parse_labels(one.find("metric")), {}};
    if (const Json* value = one.find("value"); value != nullptr && value->as_array() != nullptr) {
      series.samples.push_back(parse_sample(*value->as_array()));
    }
    if (const Json* values = one.find("values");
        values != nullptr && values->as_array() != nullptr) {
      for (const Json& sample : *values->as_array()) {
        if (sample.as_array() != nullptr)
          series.samples.push_back(parse_sample(*sample.as_array()));
      }
    }
    out.push_back(std::move(series));
  }
  return out;
}

void parse_streams(const JsonArray& result, bool backward, LogAnswer& answer) {
  for (const Json& stream : result) {
    const Labels labels = parse_labels(stream.find("stream"));
    const Json* values = stream.find("values");
    if (values == nullptr || values->as_array() == nullptr) continue;
    for (const Json& entry : *values->as_array()) {
      const JsonArray* pair = entry.as_array();
      if (pair == nullptr || pair->size() < 2) continue;
      LogLine line;
      line.time_ns = integer(&(*pair)[0]);
      line.labels = labels;
      line.line = (*pair)[1].as_string() != nullptr ? *(*pair)[1].as_string() : "";
      answer.lines.push_back(std::move(line));
    }
  }
  sort_stably(answer.lines, [&](const LogLine& a, const LogLine& b) {
    return backward ? a.time_ns > b.time_ns : a.time_ns < b.time_ns;
  });
}

class RemoteBackend : public Backend {
 public:
  RemoteBackend(Network& network, Random& random, Endpoint endpoint, std::string description)
      : network_(network),
        random_(random),
        endpoint_(endpoint),
        client_(network, std::move(endpoint)),
        description_(std::move(description)) {}

  Result<Json> command(work::Command command) override {
    if (command.command_id.empty()) command.command_id = make_command_id(random_);
    return post_json("/tracker/v1/commands", contextcore::to_string(work::to_json(command)));
  }
  Result<std::string> question_text(const work::Question& question_) override {
    CC_ASSIGN(const Json answer, question(question_, {}));
    std::string text;
    append_members(answer, text);
    return text;
  }
  Result<Json> question(const work::Question& question, std::span<const std::string_view>) override {
    return post_json("/tracker/v1/questions", contextcore::to_string(work::to_json(question)));
  }
  Result<std::vector<FoundTrace>> search(const std::string& traceql,
                                         const SearchOptions& options) override {
    Parameters parameters{{"q", traceql},
                          {"limit", std::to_string(options.limit)},
                          {"spss", std::to_string(options.spans_per_trace)}};
    if (options.start_ns != 0 || options.end_ns != 0) {
      parameters.emplace_back("start", std::to_string(options.start_ns / 1'000'000'000));
      parameters.emplace_back("end",
                              std::to_string((options.end_ns + 999'999'999) / 1'000'000'000));
    }
    CC_ASSIGN(const std::string body, get("/api/search", parameters, {}));
    return parse_search_answer(body);
  }
  Result<LogAnswer> logs(const std::string& logql, const LogOptions& options) override {
    // The server hands out at most kLogLinesPerRequest lines at a time, as Loki does. The order of
    // lines is stable, so the next page starts at the time of the last line and leaves out what was
    // seen of that time.
    LogOptions page = options;
    page.limit = std::min(options.limit, kLogLinesPerRequest);
    CC_ASSIGN(LogAnswer answer, logs_page(logql, page));
    size_t got = answer.lines.size();
    while (answer.type == "streams" && static_cast<int64_t>(got) == page.limit &&
           static_cast<int64_t>(answer.lines.size()) < options.limit) {
      const int64_t last_ns = answer.lines.back().time_ns;
      size_t seen = 0;
      while (seen < answer.lines.size() &&
             answer.lines[answer.lines.size() - 1 - seen].time_ns == last_ns)
        ++seen;
      if (static_cast<int64_t>(seen) >= kLogLinesPerRequest) {
        return Error{Code::resource_exhausted,
                     "more than " + std::to_string(seen) + " lines carry the same time",
                     "narrow the query, or stop the server and ask the store",
                     {},
                     {}};
      }
      // All time is a range, too, once there is a page to go on from.
      if (page.start_ns == 0 && page.end_ns == 0) page.start_ns = 1, page.end_ns = INT64_MAX;
      (options.backward ? page.end_ns : page.start_ns) = options.backward ? last_ns + 1 : last_ns;
      page.limit = kLogLinesPerRequest;
      CC_ASSIGN(LogAnswer more, logs_page(logql, page));
      got = more.lines.size();
      if (got <= seen) break;
      const size_t wanted =
          std::min(got - seen, static_cast<size_t>(options.limit) - answer.lines.size());
      std::move(more.lines.begin() + static_cast<ptrdiff_t>(seen),
                more.lines.begin() + static_cast<ptrdiff_t>(seen + wanted),
                std::back_inserter(answer.lines));
    }
    return answer;
  }
  Result<MetricAnswer> metrics(const std::string& promql, const MetricOptions& options) override {
    const auto seconds = [](int64_t ns) {
      return std::to_string(ns / kSecondNs) + "." +
             std::to_string(1000 + ns / 1'000'000 % 1000).substr(1);
    };
    Parameters parameters{{"query", promql}};
    if (options.step_ns != 0) {
      parameters.emplace_back("start", seconds(options.start_ns));
      parameters.emplace_back("end", seconds(options.end_ns));
      parameters.emplace_back("step", seconds(options.step_ns));
    } else if (options.end_ns != 0) {
      parameters.emplace_back("time", seconds(options.end_ns));
    }
    CC_ASSIGN(const std::string body,
              get(options.step_ns != 0 ? "/api/v1/query_range" : "/api/v1/query", parameters, {}));
    return parse_metrics_answer(body);
  }
  Result<MetricAnswer> span_metrics(const std::string& traceql,
                                    const SpanMetricOptions& options) override {
    Parameters parameters{{"q", traceql}};
    // Few digits are taken for seconds: all time begins with 1970 here.
    constexpr int64_t kFewDigitsNs = 10'000'000'000;
    const bool all_time = options.start_ns == 0 && options.end_ns == 0;
    const int64_t start_ns = options.start_ns < kFewDigitsNs ? 0 : options.start_ns;
    parameters.emplace_back("start", std::to_string(start_ns));
    if (!all_time) parameters.emplace_back("end", std::to_string(options.end_ns));
    if (options.step_ns != 0) {
      parameters.emplace_back("step", format_go_duration(options.step_ns));
    }
    CC_ASSIGN(const std::string body,
              get(options.instant ? "/api/metrics/query" : "/api/metrics/query_range", parameters,
                  {}));
    return parse_span_metrics_answer(body, options.instant);
  }
  Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId& id) override {
    auto body = get("/api/traces/" + otlp::to_hex(id), {}, {{"Accept", "application/protobuf"}});
    if (!body.ok() && body.error().code == Code::not_found)
      return std::optional<otlp::TracesData>();
    if (!body.ok()) return std::move(body).error();
    CC_ASSIGN(otlp::TracesData traces, otlp::decode_traces_protobuf(*body));
    return std::optional<otlp::TracesData>(std::move(traces));
  }
  Result<Json> rebuild() override { return post_json("/tracker/v1/rebuild", "{}"); }
  Status watch(const WatchOptions& options, const WatchFunction& fn) override;
  Status flush() override { return {}; }  // the server acknowledges what is durable
  Result<Json> import_events(const std::string& ndjson) override {
    return post_json("/tracker/v1/import", ndjson);
  }
  Result<Ingested> ingest(const otlp::TracesData& data) override {
    return ingest_json("/v1/traces", otlp::encode_json(data), "rejectedSpans", static_cast<int64_t>(data.span_count()));
  }
  Result<Ingested> ingest(const otlp::MetricsData& data) override {
    return ingest_json("/v1/metrics", otlp::encode_json(data), "rejectedDataPoints",
                       static_cast<int64_t>(data.point_count()));
  }
  Result<Ingested> ingest(const otlp::LogsData& data) override {
    return ingest_json("/v1/logs", otlp::encode_json(data), "rejectedLogRecords",
                       static_cast<int64_t>(data.record_count()));
  }
  std::string otlp_endpoint() override { return {}; }
  std::string describe() override { return description_; }
  bool created_store() const override { return false; }

 private:
  static constexpr int64_t kLogLinesPerRequest = 5000;

  Result<LogAnswer> logs_page(const std::string& logql, const LogOptions& options) {
    Parameters parameters{{"query", logql},
                          {"limit", std::to_string(options.limit)},
                          {"direction", options.backward ? "backward" : "forward"}};
    if (options.instant) {
      if (options.end_ns != 0) parameters.emplace_back("time", std::to_string(options.end_ns));
    } else if (options.start_ns != 0 || options.end_ns != 0) {
      parameters.emplace_back("start", std::to_string(options.start_ns));
      parameters.emplace_back("end", std::to_string(options.end_ns));
    } else if (!logql_is_metric(logql)) {
      // Loki's default is the last hour; ours, for lines, is all time.
      parameters.emplace_back("start", "1");
      parameters.emplace_back("end", std::to_string(INT64_MAX));
    }
    if (options.step_ns != 0) {
      parameters.emplace_back("step", std::to_string(static_cast<double>(options.step_ns) / 1e9));
    }
    const char* path = options.instant ? "/loki/api/v1/query" : "/loki/api/v1/query_range";
    CC_ASSIGN(const std::string body, get(path, parameters, {}));
    return parse_logs_answer(body, options.backward);
  }

  // A query that does not parse is no metric query; the server says what is wrong with it.
  static bool logql_is_metric(const std::string& text) {
    const auto parsed = logql::parse(text);
    return parsed.ok() && !parsed->is_log();
  }

  Result<std::string> get(const std::string& path, const Parameters& parameters,
                          const Parameters& headers) {
    const std::string query = client::query_string(parameters);
    return send("GET", query.empty() ? path : path + "?" + query, headers, {});
  }
  Result<Ingested> ingest_json(const std::string& path, const std::string& body, std::string_view rejected, int64_t sent) {
    CC_ASSIGN(const Json answer, post_json(path, body));
    Ingested out{sent, 0, {}};
    if (const Json* partial = answer.find("partialSuccess"); partial != nullptr) {
      out.rejected = integer(partial->find(rejected));
      out.accepted -= out.rejected;
      out.message = partial->string_or("errorMessage");
    }
    return out;
  }
  Result<Json> post_json(const std::string& path, const std::string& body) {
    CC_ASSIGN(const std::string answer,
              send("POST", path, {{"Content-Type", "application/json"}}, body));
    return parse_json(answer);
  }
  Result<std::string> send(std::string_view method, const std::string& target,
                           const Parameters& headers, const std::string& body) {
    const std::lock_guard lock(mutex_);
    CC_ASSIGN(client::HttpResponse response, client_.request(method, target, headers, body));
    if (response.status / 100 == 2) return std::move(response.body);
    return parse_error_answer(response.status, response.header("content-type"), response.body);
  }

  Network& network_;
  Random& random_;
  const Endpoint endpoint_;
  std::mutex mutex_;
  client::HttpClient client_;
  std::string description_;
};

constexpr size_t kEventBytesMax = size_t{64} << 20;
// Three keep-alives of the server's.
constexpr int64_t kWatchSilenceNs = 45'000'000'000;

Status RemoteBackend::watch(const WatchOptions& options, const WatchFunction& fn) {
  Parameters parameters;
  if (!options.filter.project.empty()) parameters.emplace_back("project", options.filter.project);
  if (!options.filter.task.empty()) parameters.emplace_back("task", options.filter.task);
  for (const std::string& event : options.filter.events) parameters.emplace_back("event", event);
  if (options.since) parameters.emplace_back("since", std::to_string(*options.since));
  if (!options.follow) parameters.emplace_back("follow", "false");
  // A connection of its own: commands go on meanwhile.
  client::HttpClient client(network_, endpoint_);
  EventStreamParser parser;
  Status failed;
  bool stopped = false;
  const auto response = client.stream("/tracker/v1/events?" + client::query_string(parameters),
                                      {{"Accept", "text/event-stream"}}, kWatchSilenceNs,
                                      [&](std::string_view piece) {
                                        const auto show = [&](const work::FeedItem& item) {
                                          stopped = !fn(item);
                                          return !stopped;
                                        };
                                        failed = parser.read(piece, show, options.position);
                                        return failed.ok() && !stopped;
                                      });
  if (!failed.ok()) return failed;
  if (!response.ok()) return response.error();
  if (response->status / 100 != 2)
    return parse_error_answer(response->status, response->header("content-type"), response->body);
  if (stopped || !options.follow) return {};
  return Status(Code::unavailable, "the server ended the stream");
}

}  // namespace

Status EventStreamParser::read(std::string_view piece, const WatchFunction& fn,
                               const std::function<void(uint64_t)>& position) {
  rest_ += piece;
  for (size_t end = rest_.find("\n\n"); end != std::string::npos; end = rest_.find("\n\n")) {
    const std::string message = rest_.substr(0, end);
    rest_.erase(0, end + 2);
    std::string event, data;
    std::optional<uint64_t> id;
    for (std::string_view left = message; !left.empty();) {
      const std::string_view line = left.substr(0, left.find('\n'));
      left.remove_prefix(std::min(left.size(), line.size() + 1));
      if (line.starts_with("event: ")) event = line.substr(7);
      if (line.starts_with("data: ")) data = line.substr(6);
      if (uint64_t value = 0;
          line.starts_with("id: ") &&
          std::from_chars(line.data() + 4, line.data() + line.size(), value).ec == std::errc()) {
        id = value;
      }
    }
    if (data.empty()) {
      if (id && position) position(*id);
      continue;
    }
    CC_ASSIGN(Json json, parse_json(data));
    if (event == "error") {
      return Status(code_of(json.string_or("code"), 500), std::string(json.string_or("message")));
    }
    const auto sequence = static_cast<uint64_t>(integer(json.find("sequence")));
    if (!fn(work::FeedItem{sequence, id.has_value(), std::move(event), std::move(json)})) return {};
    if (id && position) position(*id);
  }
  if (rest_.size() <= kEventBytesMax) return {};
  return Status(Code::io_error, "the server sent an event without an end");
}

std::string make_command_id(Random& random) {
  std::string bytes(16, '\0');
  random.fill(bytes.data(), bytes.size());
  return to_hex(bytes);
}

std::unique_ptr<Backend> make_remote_backend(Network& network, Random& random, Endpoint endpoint,
                                             std::string description) {
  return std::make_unique<RemoteBackend>(network, random, std::move(endpoint),
                                         std::move(description));
}

Error parse_error_answer(int status, std::string_view content_type, std::string_view body) {
  Error error{code_of({}, status), {}, {}, {}, {}};
  if (content_type.starts_with("application/json")) {
    if (auto json = parse_json(body); json.ok()) {
      // Prometheus' form.
      if (json->find("errorType") != nullptr) {
        error.message = json->string_or("error");
        if (status == 400 || status == 422) error.code = Code::invalid_argument;
      }
      if (const Json* detail = json->find("error");
          detail != nullptr && detail->as_object() != nullptr) {
        error.code = code_of(detail->string_or("code"), status);
        error.message = detail->string_or("message");
        error.hint = detail->string_or("hint");
        if (const Json* candidates = detail->find("candidates");
            candidates && candidates->as_array()) {
          for (const Json& one : *candidates->as_array()) {
            if (one.as_string() != nullptr) error.candidates.push_back(*one.as_string());
          }
        }
      }
    }
  }
  if (error.message.empty()) error.message = std::string(body.substr(0, 1000));
  while (!error.message.empty() && error.message.back() == '\n') error.message.pop_back();
  if (error.message.empty())
    error.message = "the server answered with status " + std::to_string(status);
  return error;
}

Result<std::vector<FoundTrace>> parse_search_answer(std::string_view text) {
  CC_ASSIGN(const Json json, parse_json(text));
  std::vector<FoundTrace> found;
  const Json* traces = json.find("traces");
  if (traces == nullptr || traces->as_array() == nullptr) return found;
  for (const Json& one : *traces->as_array()) {
    FoundTrace trace;
    trace.trace_id = one.string_or("traceID");
    trace.trace_id.insert(0, 32 - std::min<size_t>(32, trace.trace_id.size()), '0');
    trace.root_service = one.string_or("rootServiceName");
    trace.root_name = one.string_or("rootTraceName");
    trace.start_ns = integer(one.find("startTimeUnixNano"));
    trace.duration_ns = integer(one.find("durationMs")) * 1'000'000;
    if (const Json* sets = one.find("spanSets"); sets != nullptr && sets->as_array() != nullptr) {
      for (const Json& set : *sets->as_array()) {
        trace.matched += integer(set.find("matched"));
        const Json* spans = set.find("spans");
        if (spans == nullptr || spans->as_array() == nullptr) continue;
        for (const Json& span : *spans->as_array()) trace.spans.push_back(parse_span(span));
      }
    }
    found.push_back(std::move(trace));
  }
  return found;
}

Result<LogAnswer> parse_logs_answer(std::string_view text, bool backward) {
  CC_ASSIGN(const Json json, parse_json(text));
  LogAnswer answer;
  const Json* data = json.find("data");
  if (data == nullptr) return Error{Code::io_error, "the server's answer has no data", {}, {}, {}};
  answer.type = data->string_or("resultType");
  const Json* result = data->find("result");
  if (result == nullptr || result->as_array() == nullptr) return answer;
  if (answer.type == "streams") {
    parse_streams(*result->as_array(), backward, answer);
  } else {
    answer.series = parse_series(answer.type, *result->as_array());
  }
  return answer;
}

Result<MetricAnswer> parse_metrics_answer(std::string_view text) {
  CC_ASSIGN(const Json json, parse_json(text));
  MetricAnswer answer;
  for (const std::string_view name : {"warnings", "infos"}) {
    const Json* notes = json.find(name);
    if (notes == nullptr || notes->as_array() == nullptr) continue;
    for (const Json& note : *notes->as_array()) {
      if (note.as_string() != nullptr) answer.notes.push_back(*note.as_string());
    }
  }
  const Json* data = json.find("data");
  if (data == nullptr) return Error{Code::io_error, "the server's answer has no data", {}, {}, {}};
  answer.type = data->string_or("resultType");
  const Json* result = data->find("result");
  if (result == nullptr || result->as_array() == nullptr) return answer;
  const JsonArray& array = *result->as_array();
  if (answer.type != "string") {
    answer.series = parse_series(answer.type, array);
  } else if (array.size() == 2 && array[1].as_string() != nullptr) {
    answer.text = *array[1].as_string();
  }
  return answer;
}

}  // namespace contextcore::sdk
