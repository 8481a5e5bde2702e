#include "sdk/embedded_backend.h"

#include <algorithm>

#include "base/hash.h"
#include "base/sort.h"
#include "query/logql/engine.h"
#include "query/logql/parser.h"
#include "query/traceql/engine.h"
#include "sdk/metrics.h"
#include "sdk/span_metrics.h"
#include "sdk/remote_backend.h"
#include "work/metrics/metric_sources.h"
#include "work/hooks.h"
#include "work/read.h"
#include "work/rebuild.h"
#include "work/transfer.h"

namespace contextcore::sdk {
namespace {

constexpr int64_t kHourNs = 3'600'000'000'000;
constexpr int64_t kStepsWanted = 60;
constexpr int64_t kWatchPauseNs = 100'000'000;

LogAnswer log_answer(logql::QueryResult result, bool backward) {
  LogAnswer answer;
  if (auto* streams = std::get_if<logql::Streams>(&result.data)) {
    answer.type = "streams";
    for (logql::ResultStream& stream : *streams) {
      for (logql::ResultEntry& entry : stream.entries) {
        answer.lines.push_back({entry.time_ns, stream.labels, std::move(entry.line)});
      }
    }
    sort_stably(answer.lines, [&](const LogLine& a, const LogLine& b) {
      return backward ? a.time_ns > b.time_ns : a.time_ns < b.time_ns;
    });
    return answer;
  }
  const auto add = [&](const std::vector<logql::Series>& all) {
    for (const logql::Series& one : all) {
      Series series{one.labels, {}};
      for (const logql::Sample& sample : one.samples)
        series.samples.emplace_back(sample.time_ns, sample.value);
      answer.series.push_back(std::move(series));
    }
  };
  if (const auto* matrix = std::get_if<logql::Matrix>(&result.data)) {
    answer.type = "matrix";
    add(matrix->series);
  } else if (const auto* vector = std::get_if<logql::Vector>(&result.data)) {
    answer.type = "vector";
    add(vector->series);
  } else if (const auto* scalar = std::get_if<logql::Scalar>(&result.data)) {
    answer.type = "scalar";
    answer.series.push_back({{}, {{scalar->sample.time_ns, scalar->sample.value}}});
  }
  return answer;
}

Json json_of(const otlp::Value& value) {
  if (const std::string* text = value.as_string()) return Json(*text);
  if (const bool* boolean = value.as_bool()) return Json(*boolean);
  if (const int64_t* integer = value.as_int()) return Json(*integer);
  if (const double* real = value.as_double()) return Json(*real);
  if (const otlp::Bytes* bytes = value.as_bytes()) return Json(to_base64(bytes->data));
  if (const otlp::Array* array = value.as_array()) {
    JsonArray out;
    for (const otlp::Value& item : *array) out.push_back(json_of(item));
    return Json(std::move(out));
  }
  if (const otlp::KeyValueList* list = value.as_kvlist()) {
    JsonObject out;
    for (const otlp::KeyValue& member : *list) out.emplace_back(member.key, json_of(member.value));
    return Json(std::move(out));
  }
  return Json();
}

FoundTrace found_trace(const traceql::MatchedTrace& matched) {
  FoundTrace trace;
  trace.trace_id = otlp::to_hex(matched.trace_id);
  trace.root_service = matched.root_service;
  trace.root_name = matched.root_name;
  trace.start_ns = matched.start_ns;
  trace.duration_ns = matched.duration_ns;
  for (const traceql::MatchedSpanset& set : matched.spansets) {
    trace.matched += static_cast<int64_t>(set.matched);
    for (const traceql::MatchedSpan& span : set.spans) {
      FoundSpan found{otlp::to_hex(span.span_id), span.name, span.start_ns, span.duration_ns, {}};
      for (const otlp::KeyValue& one : span.attributes)
        found.attributes.emplace_back(one.key, json_of(one.value));
      trace.spans.push_back(std::move(found));
    }
  }
  return trace;
}

class EmbeddedBackend : public Backend {
 public:
  EmbeddedBackend(std::unique_ptr<store::Store> store, work::Settings settings, Clock& clock)
      : store_(std::move(store)), settings_(std::move(settings)), clock_(clock) {
    settings_.store_id = store_->store_id();
  }

  Result<Json> command(work::Command command) override {
    CC_ASSIGN(const std::string answer, work::execute(*store_, command, settings_));
    return parse_json(answer);
  }
  Result<Json> question(const work::Question& question, std::span<const std::string_view> shown) override {
    CC_ASSIGN(const store::Store::Read read, store_->read());
    return work::ask(*read.work, *read.source, question, shown);
  }
  Result<std::string> question_text(const work::Question& question) override {
    CC_ASSIGN(const store::Store::Read read, store_->read());
    std::string text;
    CC_TRY(work::ask_text(*read.work, *read.source, question, text));
    return text;
  }
  Result<std::vector<FoundTrace>> search(const std::string& traceql,
                                         const SearchOptions& options) override;
  Result<LogAnswer> logs(const std::string& logql, const LogOptions& options) override;
  Result<MetricAnswer> metrics(const std::string& promql, const MetricOptions& options) override {
    CC_ASSIGN(const store::Store::Read read, store_->read());
    CC_ASSIGN(const auto source, work::all_metrics(views_, read));
    return query_metrics(*source, promql, options, read.source->now_ns());
  }
  Result<MetricAnswer> span_metrics(const std::string& traceql,
                                    const SpanMetricOptions& options) override {
    CC_ASSIGN(const store::Store::Read read, store_->read());
    return query_span_metrics(*read.source, traceql, options);
  }
  Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId& id) override {
    CC_ASSIGN(const store::Store::Read read, store_->read());
    return read.source->trace(id);
  }
  Result<Json> rebuild() override {
    CC_ASSIGN(const work::RebuildReport report, work::rebuild_store(*store_));
    return Json(JsonObject{
        {"spans", report.spans}, {"changed", report.changed}, {"forwards", report.forwards}});
  }
  Status watch(const WatchOptions& options, const WatchFunction& fn) override;
  Status flush() override { return store_->cut(); }
  Result<Json> import_events(const std::string& ndjson) override {
    CC_ASSIGN(std::vector<work::Event> events, work::read_export(ndjson));
    CC_ASSIGN(const work::ImportReport report, work::import_events(*store_, std::move(events)));
    return Json(JsonObject{
        {"imported", report.imported}, {"known", report.known}, {"spans", report.spans}});
  }
  Result<Ingested> ingest(const otlp::TracesData& data) override { return ingest_any(data); }
  Result<Ingested> ingest(const otlp::LogsData& data) override { return ingest_any(data); }
  Result<Ingested> ingest(const otlp::MetricsData& data) override {
    CC_ASSIGN(const store::IngestResult result, store_->ingest(data, {}, {}));
    return Ingested{result.accepted, result.rejected, result.message};
  }
  std::string otlp_endpoint() override { return {}; }
  std::string describe() override { return "store " + store_->path(); }
  bool created_store() const override { return false; }

 private:
  template <typename Data>
  Result<Ingested> ingest_any(const Data& data) {
    CC_ASSIGN(const store::IngestResult result, store_->ingest(data, {}));
    return Ingested{result.accepted, result.rejected, result.message};
  }

  std::unique_ptr<store::Store> store_;
  work::Settings settings_;
  Clock& clock_;
  work::MetricViews views_;
};

Result<std::vector<FoundTrace>> EmbeddedBackend::search(const std::string& text,
                                                        const SearchOptions& options) {
  CC_ASSIGN(const store::Store::Read read, store_->read());
  traceql::SearchOptions wanted;
  wanted.traces_max = static_cast<size_t>(options.limit);
  wanted.spans_per_spanset = static_cast<size_t>(options.spans_per_trace);
  if (options.start_ns != 0 || options.end_ns != 0)
    wanted.range = {options.start_ns, options.end_ns};
  CC_ASSIGN(const traceql::SearchResult result, traceql::search(*read.source, text, wanted));
  std::vector<FoundTrace> out;
  for (const traceql::MatchedTrace& matched : result.traces) out.push_back(found_trace(matched));
  return out;
}

// Follows the log as any reader does: what others commit is seen at the next look.
Status EmbeddedBackend::watch(const WatchOptions& options, const WatchFunction& fn) {
  std::optional<uint64_t> after = options.since;
  for (;;) {
    CC_ASSIGN(const store::Store::Read read, store_->read());
    if (!after) after = read.sequence;
    if (options.position) options.position(*after);
    CC_ASSIGN(const work::FeedPage page,
              work::read_feed(*read.source, read.sequence, *after, options.filter));
    for (const work::FeedItem& item : page.items) {
      if (!fn(item)) return {};
      if (item.last && options.position) options.position(item.sequence);
    }
    after = page.next;
    if (*after < read.sequence) continue;
    if (!options.follow) return {};
    clock_.sleep_ns(kWatchPauseNs);
  }
}

Result<LogAnswer> EmbeddedBackend::logs(const std::string& text, const LogOptions& options) {
  CC_ASSIGN(const store::Store::Read read, store_->read());
  const int64_t now_ns = read.source->now_ns();
  if (options.instant) {
    logql::InstantParams params;
    params.time_ns = options.end_ns != 0 ? options.end_ns : now_ns;
    CC_ASSIGN(logql::QueryResult result, logql::query_instant(*read.source, text, params));
    return log_answer(std::move(result), options.backward);
  }
  CC_ASSIGN(const logql::Expr expression, logql::parse(text));
  const bool metric = !expression.is_log();
  logql::RangeParams params;
  params.limit = options.limit;
  params.limits.entries_max = std::max(params.limits.entries_max, options.limit);
  params.direction = options.backward ? logql::Direction::backward : logql::Direction::forward;
  params.start_ns = options.start_ns;
  params.end_ns = options.end_ns;
  if (options.start_ns == 0 && options.end_ns == 0) {
    // Lines: all time, the last nanosecond included. Metrics: the last hour, as a terminal shows
    // it.
    params.start_ns = metric ? now_ns - kHourNs : INT64_MIN;
    params.end_ns = metric ? now_ns : INT64_MAX;
  }
  params.step_ns = options.step_ns;
  if (metric && params.step_ns == 0) {
    params.step_ns =
        std::max<int64_t>(1'000'000'000, (params.end_ns - params.start_ns) / kStepsWanted);
  }
  CC_ASSIGN(logql::QueryResult result, logql::query_range(*read.source, text, params));
  return log_answer(std::move(result), options.backward);
}

}  // namespace

Result<std::unique_ptr<Backend>> open_embedded_backend(const BackendOptions& options) {
  store::StoreOptions store_options;
  store_options.path = options.store;
  store_options.create = options.create;
  if (options.exclusive) store_options.mode = store::StoreMode::server;
  store_options.durability = options.durability == "interval" || options.exclusive
                                 ? store::Durability::interval
                                 : store::Durability::sync;
  store_options.hooks = work::hooks();
  store_options.file_system = options.file_system;
  store_options.clock = options.clock;
  store_options.random = options.random;
  CC_ASSIGN(std::unique_ptr<store::Store> store, store::Store::open(std::move(store_options)));
  return std::unique_ptr<Backend>(std::make_unique<EmbeddedBackend>(
      std::move(store), options.work, options.clock != nullptr ? *options.clock : real_clock()));
}

}  // namespace contextcore::sdk
