#pragma once
// One door for the command line and the libraries: commands, questions and queries against a store,
// through the server that runs for it or embedded in this process.
//
// Writes: when a live server holds the store the command goes there with the same command_id, so a
// command is carried out once whichever way it took. Thread-safe.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/network.h"
#include "base/random.h"
#include "base/result.h"
#include "otlp/metrics_model.h"
#include "otlp/model.h"
#include "work/command.h"
#include "work/execute.h"
#include "work/feed.h"

namespace contextcore::sdk {

using Labels = std::vector<std::pair<std::string, std::string>>;

struct FoundSpan {
  std::string span_id;  // hex
  std::string name;
  int64_t start_ns = 0;
  int64_t duration_ns = 0;
  std::vector<std::pair<std::string, Json>> attributes;  // what the query selected or compared
};
struct FoundTrace {
  std::string trace_id;  // hex
  std::string root_service, root_name;
  int64_t start_ns = 0;
  int64_t duration_ns = 0;
  int64_t matched = 0;  // spans that match, of which `spans` has at most spans_per_trace
  std::vector<FoundSpan> spans;
};
struct SearchOptions {
  int64_t start_ns = 0, end_ns = 0;  // 0, 0: all time
  int64_t limit = 20;
  int64_t spans_per_trace = 100;
};

struct LogLine {
  int64_t time_ns = 0;
  Labels labels;  // stream labels, structured metadata and parsed labels
  std::string line;
};
struct Series {
  Labels labels;
  std::vector<std::pair<int64_t, double>> samples;  // ns, value
};
struct LogAnswer {
  std::string type;            // "streams", "matrix", "vector", "scalar"
  std::vector<LogLine> lines;  // in the order asked for
  std::vector<Series> series;
};
struct LogOptions {
  int64_t start_ns = 0,
          end_ns = 0;   // 0, 0: all time for log queries; the last hour for metric queries
  int64_t step_ns = 0;  // 0: chosen from the range
  int64_t limit = 100;
  bool backward = true;
  bool instant = false;
};

struct Ingested {
  int64_t accepted = 0, rejected = 0;
  std::string message;  // why some were rejected, or what to know of kept ones
};

struct MetricAnswer {
  std::string type;                // "matrix", "vector", "scalar", "string"
  std::vector<Series> series;      // in the order of the answer
  std::string text;                // of a string
  std::vector<std::string> notes;  // warnings and infos
};
struct MetricOptions {
  int64_t start_ns = 0, end_ns = 0;  // end 0: now
  int64_t step_ns = 0;               // 0: one value, at the end
};

struct SpanMetricOptions {
  int64_t start_ns = 0, end_ns = 0;  // 0, 0: all time, for one value only
  int64_t step_ns = 0;               // 0: chosen from the range
  bool instant = false;              // one value over the whole range
};

struct BackendOptions {
  std::string store;   // folder
  std::string server;  // address: use this server and never the store
  bool create = true;  // make the store when absent
  work::Settings work;
  std::string durability = "sync";
  // Holds the store's lock until the backend goes, for loading much at once: no turn-taking with
  // other processes, and a sync per 100 ms instead of one per command; flush() when done.
  bool exclusive = false;
  FileSystem* file_system = nullptr;  // defaults: the real ones
  Clock* clock = nullptr;
  Random* random = nullptr;
  Network* network = nullptr;
};

struct WatchOptions {
  work::FeedFilter filter;
  std::optional<uint64_t> since;  // after this sequence; without it: what happens from now on
  bool follow = true;             // false: ends with what there is now
  // Told where to go on after, at the beginning and behind each transaction that was shown.
  std::function<void(uint64_t sequence)> position;
};
// Returns false to stop.
using WatchFunction = std::function<bool(const work::FeedItem& item)>;

class Backend {
 public:
  // Nothing is opened before it is needed. Errors then: unavailable, not_found, corruption …
  static std::unique_ptr<Backend> make(BackendOptions options);
  virtual ~Backend() = default;

  // A command without command_id gets a random one. Returns the answer (JSON object).
  virtual Result<Json> command(work::Command command) = 0;
  // shown: as of work::ask.
  virtual Result<Json> question(const work::Question& question, std::span<const std::string_view> shown = {}) = 0;
  // The members of the answer as JSON text (work::ask_text).
  virtual Result<std::string> question_text(const work::Question& question) = 0;
  virtual Result<std::vector<FoundTrace>> search(const std::string& traceql,
                                                 const SearchOptions& options) = 0;
  virtual Result<LogAnswer> logs(const std::string& logql, const LogOptions& options) = 0;
  virtual Result<MetricAnswer> metrics(const std::string& promql, const MetricOptions& options) = 0;
  // TraceQL that gives numbers: functions over time, or a bare aggregate at its end.
  virtual Result<MetricAnswer> span_metrics(const std::string& traceql,
                                            const SpanMetricOptions& options) = 0;
  virtual Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId& id) = 0;
  // What happens, in the order of arrival, until fn says stop (or the end, without follow). A
  // server that comes or goes meanwhile does not end it. The last transaction may come twice then.
  virtual Status watch(const WatchOptions& options, const WatchFunction& fn) = 0;
  // Writes every span anew from the log; {"spans": n, "changed": n, "forwards": n}.
  virtual Result<Json> rebuild() = 0;
  // What was loaded with `exclusive` is durable and in segments when it returns.
  virtual Status flush() = 0;
  // Adds events as contextcore export writes them; {"imported": n, "known": n, "spans": n}.
  virtual Result<Json> import_events(const std::string& ndjson) = 0;
  // Telemetry of others, as POST /v1/traces, /v1/logs and /v1/metrics take it.
  virtual Result<Ingested> ingest(const otlp::TracesData& data) = 0;
  virtual Result<Ingested> ingest(const otlp::LogsData& data) = 0;
  virtual Result<Ingested> ingest(const otlp::MetricsData& data) = 0;  // counted in points
  // Where OTLP over HTTP can be sent ("http://127.0.0.1:4319"), "" while no server runs.
  virtual std::string otlp_endpoint() = 0;
  // "server at 127.0.0.1:4319 (pid 12)", "store /path"; whether this call made the store.
  virtual std::string describe() = 0;
  virtual bool created_store() const = 0;
};

}  // namespace contextcore::sdk
