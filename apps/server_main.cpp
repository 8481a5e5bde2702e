// contextcore-server: one store, served over HTTP and gRPC on this machine.

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/service.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/network.h"
#include "base/process.h"
#include "base/random.h"
#include "demo/demo_store.h"
#include "export/backlog.h"
#include "export/exporter.h"
#include "net/grpc_sender.h"
#include "net/server.h"
#include "net/tls_network.h"
#include "query/logql/text.h"
#include "sdk/config.h"
#include "sdk/export_config.h"
#include "sdk/store_settings.h"
#include "sdk/tenant_config.h"
#include "store/store.h"
#include "work/hooks.h"

namespace contextcore {
namespace {

constexpr uint16_t kPort = 4319;
constexpr uint16_t kOtlpPort = 4318;
constexpr uint16_t kOtlpGrpcPort = 4317;
constexpr int64_t kGraceNs = 10'000'000'000;

// Exit codes, as those of the command line.
constexpr int kExitInternal = 1, kExitUsage = 2, kExitUnavailable = 6;

struct Options {
  std::string store;
  std::string listen = "127.0.0.1:4319";
  std::string otlp_listen;  // "" = 127.0.0.1:4318 if it is free
  bool no_otlp_listen = false;
  std::string otlp_grpc_listen;  // "" = 127.0.0.1:4317 if it is free
  bool no_otlp_grpc_listen = false;
  bool demo = false;
  bool json = false;
  std::string log_level = "info";
  std::string durability;
  store::Retention retention;
  uint64_t ingest_rate_bytes = 0, metric_series = 0, query_slots = 0, tenant_query_slots = 0;
  double tenant_head_share = 1;
  store::TenantLimitsByName tenants;
  std::map<std::string, uint64_t, std::less<>> query_slots_of;
  api::TraceRequests traces = api::TraceRequests::off;
  work::Settings work;
  std::vector<std::string> allow_hosts;
  std::map<std::string, std::string> export_flags;  // by name below "export."
  exporter::Settings exporting;
};

int exit_code(const Error& error) {
  switch (error.code) {
    case Code::invalid_argument:
      return kExitUsage;
    case Code::unavailable:
      return kExitUnavailable;
    default:
      return kExitInternal;
  }
}

int fail(const Error& error) {
  fmt::print(stderr, "contextcore-server: {}\n", error.to_string());
  return exit_code(error);
}

Result<net::Listen> parse_listen(const std::string& text, uint16_t default_port) {
  CC_ASSIGN(Endpoint endpoint, parse_endpoint(text, default_port));
  if (!endpoint.unix_path.empty()) {
    return Error{Code::invalid_argument,
                 "\"" + text + "\" is not HOST:PORT",
                 "the Unix socket stands in the store's folder by itself",
                 {},
                 {}};
  }
  net::Listen listen;
  listen.host = endpoint.host;
  listen.port = endpoint.port;
  return listen;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// An address for OTLP alone. One that was not asked for may be taken by another program.
Result<net::Listen> otlp_listen(const std::string& asked, uint16_t port, net::Serves serves) {
  CC_ASSIGN(net::Listen listen,
            parse_listen(asked.empty() ? fmt::format("127.0.0.1:{}", port) : asked, port));
  listen.serves = serves;
  listen.required = !asked.empty();
  return listen;
}

Result<net::ServerOptions> server_options(const Options& options) {
  net::ServerOptions out;
  CC_ASSIGN(net::Listen everything, parse_listen(options.listen, kPort));
  out.listen.push_back(everything);
  if (!options.no_otlp_listen) {
    CC_ASSIGN(net::Listen http,
              otlp_listen(options.otlp_listen, kOtlpPort, net::Serves::otlp_only));
    out.listen.push_back(http);
  }
  const bool grpc_too = !options.no_otlp_listen || !options.otlp_grpc_listen.empty();
  if (grpc_too && !options.no_otlp_grpc_listen) {
    CC_ASSIGN(net::Listen grpc,
              otlp_listen(options.otlp_grpc_listen, kOtlpGrpcPort, net::Serves::grpc));
    out.listen.push_back(grpc);
  }
  for (const net::Listen& listen : out.listen) {
    if (!is_loopback(listen.host)) {
      log_warn("other machines can reach this address, and nothing asks who they are",
               {{"address", listen.host}});
    }
  }
  out.unix_path = join_path(options.store, "server.sock");
  out.host_names = options.allow_hosts;
  out.query_workers = static_cast<unsigned>(std::min<uint64_t>(options.query_slots, 1024));
  if (log_level() == LogLevel::debug) {
    out.access_log = [](std::string_view line) { log_debug(line); };
  }
  return out;
}

Result<std::unique_ptr<store::Store>> open_store(
    const Options& options, const std::shared_ptr<exporter::Backlog>& backlog) {
  store::StoreOptions out;
  out.path = options.store;
  out.mode = store::StoreMode::server;
  out.durability =
      options.durability == "interval" ? store::Durability::interval : store::Durability::sync;
  out.background = true;
  out.retention = options.retention;
  out.arrivals_wanted = [backlog] { return backlog->wanted(); };
  out.ingest_rate_bytes = options.ingest_rate_bytes;
  out.head_share = options.tenant_head_share;
  out.tenants = options.tenants;
  out.metric_limits.series_max = options.metric_series;
  out.hooks = work::hooks();
  return store::Store::open(std::move(out));
}

Result<std::unique_ptr<exporter::Exporter>> make_exporter(const Options& options,
                                                          store::Store& store,
                                                          std::shared_ptr<exporter::Backlog> backlog) {
  exporter::ExporterOptions out;
  out.store = &store;
  out.settings = options.exporting;
  out.files = &real_file_system();
  out.clock = &real_clock();
  out.random = &real_random();
  out.network = &real_network();
  out.backlog = std::move(backlog);
  out.version = CONTEXTCORE_VERSION;
  out.tls = [](std::unique_ptr<Network> below, const exporter::TlsOptions& tls,
               std::string_view protocol) {
    return net::make_tls_network(std::move(below), {tls.certificate, tls.client_certificate,
                                                    tls.client_key, std::string(protocol)});
  };
  out.grpc = net::make_grpc_sender;
  return exporter::Exporter::make(std::move(out));
}

// Where it listens for that, "" nowhere.
std::string address_of(const net::ServerOptions& listen, const net::Server& server,
                       net::Serves serves) {
  const std::vector<std::string> addresses = server.addresses();
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (listen.listen[i].serves == serves) return addresses[i];
  }
  return {};
}

void print_started(const Options& options, const net::ServerOptions& listen,
                   const net::Server& server) {
  const std::string address = address_of(listen, server, net::Serves::everything);
  const std::string otlp = address_of(listen, server, net::Serves::otlp_only);
  const std::string grpc = address_of(listen, server, net::Serves::grpc);
  for (const std::string& note : server.notes())
    fmt::print(stderr, "contextcore-server: {}\n", note);
  if (options.json) {
    JsonObject line{{"schema", int64_t{1}},
                    {"url", "http://" + address},
                    {"address", address},
                    {"otlp_address", otlp},
                    {"otlp_grpc_address", grpc},
                    {"unix_socket", server.unix_path()},
                    {"store", options.store},
                    {"pid", process_id()},
                    {"demo", options.demo}};
    fmt::print("{}\n", to_string(Json(std::move(line))));
  } else {
    std::string also;
    if (!otlp.empty()) also += " (OTLP also at http://" + otlp + ")";
    if (!grpc.empty()) also += " (OTLP/gRPC at " + grpc + ")";
    fmt::print("ContextCore serves {} at http://{}{}{}\n", options.store, address, also,
               options.demo ? " [DEMO]" : "");
  }
  std::fflush(stdout);
}

// The signals that end the server are blocked in every thread and waited for by main.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return signals;
}

int serve(const Options& options) {
  sigset_t signals = block_stop_signals();
  Result<net::ServerOptions> listen = server_options(options);
  if (!listen.ok()) return fail(listen.error());
  // Retention begins with the store; where the destinations are is known a little later.
  const auto backlog = std::make_shared<exporter::Backlog>();
  if (!options.exporting.destinations.empty()) backlog->want("", {0, 0});
  Result<std::unique_ptr<store::Store>> store = open_store(options, backlog);
  if (!store.ok()) return fail(store.error());

  std::array<char, 32> token_bytes;
  real_random().fill(token_bytes.data(), token_bytes.size());
  api::ServiceOptions service_options;
  service_options.store = store->get();
  service_options.work = options.work;
  service_options.work.store_id = (*store)->store_id();
  service_options.clock = &real_clock();
  service_options.random = &real_random();
  service_options.version = CONTEXTCORE_VERSION;
  service_options.demo = options.demo;
  service_options.tenant_query_slots = options.tenant_query_slots;
  service_options.query_slots_of = options.query_slots_of;
  service_options.traces = options.traces;
  service_options.server_token = to_hex(std::string_view(token_bytes.data(), token_bytes.size()));
  auto exporter = make_exporter(options, **store, backlog);
  if (!exporter.ok()) return fail(exporter.error());
  backlog->forget("");
  service_options.exporter = exporter->get();
  std::unique_ptr<api::Service> service = api::Service::make(service_options);

  Result<std::unique_ptr<net::Server>> server = net::Server::start(*listen, *service);
  if (!server.ok()) return fail(server.error());
  Status announced = (*store)->announce_server(
      store::ServerInfo{(*server)->addresses()[0], (*server)->unix_path(), process_id(),
                        real_clock().boot_id(), service_options.server_token});
  if (!announced.ok()) return fail(announced.error());
  auto notes = (*exporter)->start((*server)->addresses());
  if (!notes.ok()) return fail(notes.error());
  for (const std::string& note : *notes) fmt::print(stderr, "contextcore-server: {}\n", note);
  service->set_ready(true);
  print_started(options, *listen, **server);

  int signal_number = 0;
  sigwait(&signals, &signal_number);
  // A second signal ends the process at once.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  log_info("stopping", {{"signal", signal_number}});
  service->set_ready(false);
  (*exporter)->stop();
  (*server)->stop(kGraceNs);
  service->stop();
  Status closed = (*store)->close();
  if (!closed.ok()) return fail(closed.error());
  return 0;
}

// What the flags left open comes from environment and files, by the rules of the command line.
Status complete(Options& options) {
  CC_ASSIGN(std::string directory, current_directory());
  sdk::ConfigFlags flags;
  flags.store = options.store;
  CC_ASSIGN(sdk::Config config, sdk::load_config(real_file_system(), directory, flags));
  options.store = config.get("store");
  options.demo = options.demo || demo::is_demo_store(real_file_system(), options.store);
  if (options.durability.empty()) options.durability = config.get("durability");
  options.work.emit_mode = config.get("emit_mode");
  options.work.vocabulary = config.vocabulary;
  // The history of a DEMO store is made up for a time that has passed, and stays.
  if (!options.demo) options.retention = sdk::retention_of(config);
  const auto number = [&config](const char* name) {
    uint64_t value = 0;
    logql::parse_bytes(config.get(name), value);  // checked with the others
    return value;
  };
  options.ingest_rate_bytes = number("ingest_rate");
  options.metric_series = number("metric_series");
  options.query_slots = number("query_slots");
  options.tenant_query_slots = number("tenant_query_slots");
  options.tenant_head_share = sdk::parse_share(config.get("tenant_head_share")).value_or(1);
  options.tenants = sdk::tenant_limits_of(config);
  options.query_slots_of = sdk::query_slots_of_tenants(config);
  if (options.demo) {
    for (auto& [name, limits] : options.tenants) limits.retention_spans_ns = limits.retention_logs_ns = std::nullopt;
  }
  options.traces = api::parse_trace_requests(config.get("server_traces")).value_or(api::TraceRequests::off);
  const std::string& lease = config.get("lease_seconds");
  auto [end, error] =
      std::from_chars(lease.data(), lease.data() + lease.size(), options.work.lease_seconds);
  if (error != std::errc() || end != lease.data() + lease.size()) {
    return Error{Code::invalid_argument, "lease_seconds is not a number: " + lease, {}, {}, {}};
  }
  CC_ASSIGN(options.exporting,
            exporter::parse_settings(sdk::export_lookup(config, options.export_flags)));
  // Made-up work goes nowhere because of a variable that is set for other programs.
  if (options.demo) {
    std::erase_if(options.exporting.destinations, [](const exporter::DestinationSettings& one) {
      return one.origin.starts_with("OTEL_");
    });
  }
  return {};
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("ContextCore server: tasks and telemetry of one store over HTTP and gRPC");
  app.set_version_flag("--version", CONTEXTCORE_VERSION);
  app.add_option("--store", options.store, "folder of the store");
  app.add_option("--listen", options.listen, "address that serves everything")
      ->envname("CONTEXTCORE_LISTEN")
      ->capture_default_str();
  app.add_option("--otlp-listen", options.otlp_listen,
                 "address for OTLP/HTTP only; not given: 127.0.0.1:4318 if it is free")
      ->envname("CONTEXTCORE_OTLP_LISTEN");
  app.add_flag("--no-otlp-listen", options.no_otlp_listen,
               "no addresses of their own for OTLP, neither HTTP nor (unless --otlp-grpc-listen asks "
               "for it) gRPC");
  app.add_option("--otlp-grpc-listen", options.otlp_grpc_listen,
                 "address for OTLP over gRPC; not given: 127.0.0.1:4317 if it is free")
      ->envname("CONTEXTCORE_OTLP_GRPC_LISTEN");
  app.add_flag("--no-otlp-grpc-listen", options.no_otlp_grpc_listen, "no OTLP over gRPC");
  app.add_option("--allow-host", options.allow_hosts,
                 "a further host name that clients may use (repeatable)")
      ->envname("CONTEXTCORE_ALLOW_HOST")
      ->delimiter(',');
  app.add_flag("--demo", options.demo, "the page says DEMO");
  app.add_flag("--json", options.json, "print one JSON line when serving");
  app.add_option("--log-level", options.log_level, "debug info warn error off")
      ->envname("CONTEXTCORE_LOG_LEVEL")
      ->capture_default_str();
  // `contextcore serve` hands the configured one over, in front of what the user gave.
  app.add_option("--durability", options.durability, "sync or interval")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->check(CLI::IsMember({"sync", "interval"}));
  for (const exporter::SettingName& name : exporter::setting_names()) {
    app.add_option_function<std::string>(
           exporter::flag_name(name.name),
           [&options, &name](const std::string& value) { options.export_flags[name.name] = value; },
           name.brief)
        ->group("Export (docs/export.md)");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  std::optional<LogLevel> level = parse_log_level(options.log_level);
  if (!level) {
    return fail(Error{Code::invalid_argument,
                      "no log level: " + options.log_level,
                      "debug, info, warn, error or off",
                      {},
                      {}});
  }
  set_log_level(*level);
  if (Status status = complete(options); !status.ok()) return fail(status.error());
  return serve(options);
}

}  // namespace
}  // namespace contextcore

int main(int argc, char** argv) {
  try {
    contextcore::keep_heap_small();
    return contextcore::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "contextcore-server: %s\n", error.what());
    return 1;
  }
}
