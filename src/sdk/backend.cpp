#include "sdk/backend.h"

#include <algorithm>
#include <mutex>

#include "sdk/deliverables.h"
#include "sdk/embedded_backend.h"
#include "sdk/remote_backend.h"
#include "store/store.h"

namespace contextcore::sdk {
namespace {

constexpr uint16_t kDefaultPort = 4319;
constexpr int64_t kWatchRetryNs = 200'000'000;
constexpr int64_t kSwitchWaitNs = 10'000'000'000;  // for a server to come or go

// Chooses, before each call, between the server that runs for the store and the store itself. A
// server may come or go at any time; the same call is then tried the other way, commands with the
// same id.
class ChoosingBackend : public Backend {
 public:
  explicit ChoosingBackend(BackendOptions options) : options_(std::move(options)) {}

  Result<Json> command(work::Command command) override {
    if (command.command_id.empty()) command.command_id = make_command_id(*options_.random);
    if (command.op == "task.complete" && !command.time_ns) CC_TRY(add_verification(command));
    // A server does not know the words of the project that the caller works in.
    if (command.vocabulary == work::Vocabulary()) command.vocabulary = options_.work.vocabulary;
    return attempt<Json>(true, [&](Backend& backend) { return backend.command(command); });
  }
  Result<Json> question(const work::Question& asked, std::span<const std::string_view> shown) override {
    const work::Question question = with_vocabulary(asked);
    return attempt<Json>(false, [&](Backend& backend) { return backend.question(question, shown); });
  }
  Result<std::string> question_text(const work::Question& asked) override {
    const work::Question question = with_vocabulary(asked);
    return attempt<std::string>(false, [&](Backend& backend) { return backend.question_text(question); });
  }
  Result<std::vector<FoundTrace>> search(const std::string& traceql,
                                         const SearchOptions& options) override {
    return attempt<std::vector<FoundTrace>>(
        false, [&](Backend& backend) { return backend.search(traceql, options); });
  }
  Result<LogAnswer> logs(const std::string& logql, const LogOptions& options) override {
    return attempt<LogAnswer>(false,
                              [&](Backend& backend) { return backend.logs(logql, options); });
  }
  Result<MetricAnswer> metrics(const std::string& promql, const MetricOptions& options) override {
    return attempt<MetricAnswer>(
        false, [&](Backend& backend) { return backend.metrics(promql, options); });
  }
  Result<MetricAnswer> span_metrics(const std::string& traceql,
                                    const SpanMetricOptions& options) override {
    return attempt<MetricAnswer>(
        false, [&](Backend& backend) { return backend.span_metrics(traceql, options); });
  }
  Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId& id) override {
    return attempt<std::optional<otlp::TracesData>>(
        false, [&](Backend& backend) { return backend.trace(id); });
  }
  Result<Json> rebuild() override {
    return attempt<Json>(true, [&](Backend& backend) { return backend.rebuild(); });
  }
  Status watch(const WatchOptions& options, const WatchFunction& fn) override {
    WatchOptions from = options;
    int64_t deadline_ns = options_.clock->monotonic_ns() + kSwitchWaitNs;
    from.position = [&](uint64_t sequence) {
      from.since = sequence;
      deadline_ns = options_.clock->monotonic_ns() + kSwitchWaitNs;
      if (options.position) options.position(sequence);
    };
    for (;;) {
      CC_ASSIGN(const std::shared_ptr<Backend> backend, choose(false));
      Status ended = backend->watch(from, fn);
      if (ended.ok() || ended.error().code != Code::unavailable ||
          options_.clock->monotonic_ns() >= deadline_ns) {
        return ended;
      }
      forget_remote();
      options_.clock->sleep_ns(kWatchRetryNs);
    }
  }
  Status flush() override {
    CC_ASSIGN(const std::shared_ptr<Backend> backend, choose(true));
    return backend->flush();
  }
  Result<Json> import_events(const std::string& ndjson) override {
    return attempt<Json>(true, [&](Backend& backend) { return backend.import_events(ndjson); });
  }
  Result<Ingested> ingest(const otlp::TracesData& data) override {
    return attempt<Ingested>(true, [&](Backend& backend) { return backend.ingest(data); });
  }
  Result<Ingested> ingest(const otlp::LogsData& data) override {
    return attempt<Ingested>(true, [&](Backend& backend) { return backend.ingest(data); });
  }
  Result<Ingested> ingest(const otlp::MetricsData& data) override {
    return attempt<Ingested>(true, [&](Backend& backend) { return backend.ingest(data); });
  }
  std::string otlp_endpoint() override {
    if (!options_.server.empty()) return "http://" + options_.server;
    const auto server = store::find_server(*options_.file_system, *options_.clock, options_.store);
    return server.ok() && *server ? "http://" + (*server)->address : std::string();
  }
  std::string describe() override {
    auto backend = choose(false);
    return backend.ok() ? (*backend)->describe() : backend.error().message;
  }
  bool created_store() const override { return created_; }

 private:
  // A task that ends tells what there is of its deliverables, unless somebody has looked at them
  // already. What is missing does not hold it up; an end in the past is not looked at today.
  Status add_verification(work::Command& command) {
    JsonObject* args = std::get_if<JsonObject>(&command.args.data);
    if (!args || command.args.find("results")) return {};
    work::Question asked;
    asked.op = "task.get";
    asked.project = command.project;
    asked.args = Json(JsonObject{{"id", Json(command.args.string_or("id"))}});
    auto task = question(asked, {});
    if (!task.ok() || !task->find("deliverables") || task->find("deliverables_verified")) return {};
    args->emplace_back("results", look_at_deliverables(*options_.file_system, *task, {}, {}));
    return {};
  }

  work::Question with_vocabulary(work::Question question) const {
    if (question.vocabulary == work::Vocabulary()) question.vocabulary = options_.work.vocabulary;
    return question;
  }

  template <typename T, typename Call>
  Result<T> attempt(bool write, const Call& call) {
    const int64_t deadline_ns = options_.clock->monotonic_ns() + kSwitchWaitNs;
    for (int64_t pause_ns = 2'000'000;; pause_ns = std::min<int64_t>(2 * pause_ns, 100'000'000)) {
      CC_ASSIGN(const std::shared_ptr<Backend> backend, choose(write));
      auto answer = call(*backend);
      if (answer.ok() || answer.error().code != Code::unavailable || !options_.server.empty())
        return answer;
      // Either the lock is a server's now, or the server that was there is going (it takes its
      // SERVER file away last) or has just come: look again. Anything else is for the caller.
      const bool was_remote = is_remote(backend.get());
      forget_remote();
      auto server = store::find_server(*options_.file_system, *options_.clock, options_.store);
      const bool switching =
          was_remote || (server.ok() && *server) || answer.error().hint == "server";
      if (!switching || options_.clock->monotonic_ns() >= deadline_ns) return answer;
      options_.clock->sleep_ns(pause_ns);
    }
  }

  bool is_remote(const Backend* backend) {
    const std::lock_guard lock(mutex_);
    return backend != embedded_.get();
  }

  Result<std::shared_ptr<Backend>> choose(bool write) {
    const std::lock_guard lock(mutex_);
    if (!options_.server.empty()) {
      if (!remote_) {
        CC_ASSIGN(Endpoint endpoint, parse_endpoint(options_.server, kDefaultPort));
        connect(std::move(endpoint), "server at " + options_.server);
      }
      return remote_;
    }
    CC_ASSIGN(const auto server,
              store::find_server(*options_.file_system, *options_.clock, options_.store));
    if (server) {
      if (!remote_ || server->token != remote_token_) {
        Endpoint endpoint;
        if (!server->unix_socket.empty()) {
          endpoint.unix_path = server->unix_socket;
        } else {
          CC_ASSIGN(endpoint, parse_endpoint(server->address, kDefaultPort));
        }
        connect(std::move(endpoint),
                "server at " + server->address + " (pid " + std::to_string(server->pid) + ")");
        remote_token_ = server->token;
      }
      return remote_;
    }
    remote_.reset();
    if (!embedded_) {
      const bool existed = options_.file_system->exists(join_path(options_.store, "CURRENT"));
      BackendOptions options = options_;
      options.create = options_.create && write;
      auto opened = open_embedded_backend(options);
      if (!opened.ok()) {
        Error error = std::move(opened).error();
        if (error.code == Code::not_found && !existed) {
          error.message = "there is no store at " + options_.store + " yet";
          error.hint = "the first task makes it; `contextcore where` says why this one is used";
        }
        return error;
      }
      embedded_ = std::move(opened).value();
      created_ = created_ || !existed;
    }
    return embedded_;
  }

  void connect(Endpoint endpoint, std::string description) {
    remote_ = make_remote_backend(*options_.network, *options_.random, std::move(endpoint),
                                  std::move(description));
  }
  void forget_remote() {
    const std::lock_guard lock(mutex_);
    remote_.reset();
    remote_token_.clear();
  }

  BackendOptions options_;
  std::mutex mutex_;
  std::shared_ptr<Backend> remote_, embedded_;
  std::string remote_token_;
  bool created_ = false;
};

}  // namespace

std::unique_ptr<Backend> Backend::make(BackendOptions options) {
  if (options.file_system == nullptr) options.file_system = &real_file_system();
  if (options.clock == nullptr) options.clock = &real_clock();
  if (options.random == nullptr) options.random = &real_random();
  if (options.network == nullptr) options.network = &real_network();
  return std::make_unique<ChoosingBackend>(std::move(options));
}

}  // namespace contextcore::sdk
