#pragma once
// export/: hands telemetry on to the back ends that a team runs (Tempo and any OTLP receiver,
// Loki), so that a store of one's own and Grafana's stack are two views of the same work.
//
// Invariants: the store is the outbox, a destination only keeps a place in it (state.h, streams.h);
// a place moves when what lies before it was acknowledged; what leaves is a pure function of the
// store and the settle time, so that nothing differs when it is sent twice (lives.h); a back end
// that is away costs a thread that waits, and never a writer. Start reading at destination.h.
// docs/export.md is for users.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/network.h"
#include "base/random.h"
#include "export/backlog.h"
#include "export/destination.h"
#include "export/settings.h"
#include "store/store.h"

namespace contextcore::exporter {

struct ExporterOptions {
  store::Store* store = nullptr;
  Settings settings;
  FileSystem* files = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  Network* network = nullptr;
  std::shared_ptr<Backlog> backlog;  // is told what destinations want; null: nobody asks
  std::string version;
  // Connections through TLS over the network given, that agree on the protocol (ALPN: "h2"; "": not
  // asked); empty: https is unsupported.
  std::function<Result<std::unique_ptr<Network>>(
      std::unique_ptr<Network> below, const TlsOptions& options, std::string_view protocol)>
      tls;
  // Senders of OTLP over gRPC; empty: unsupported.
  std::function<Result<std::unique_ptr<Sender>>(std::unique_ptr<Network> network,
                                                SenderOptions options)>
      grpc;
};

// Thread-safe.
class Exporter {
 public:
  // Nothing is sent before start(). invalid_argument, unsupported: settings that cannot be met;
  // corruption, io_error: what a destination remembers.
  static Result<std::unique_ptr<Exporter>> make(ExporterOptions options);
  virtual ~Exporter() = default;

  // own_addresses ("127.0.0.1:4319"): destinations there would hand telemetry back to us. One that
  // a standard variable names is left out (and told by the answer), another is invalid_argument.
  virtual Result<std::vector<std::string>> start(const std::vector<std::string>& own_addresses) = 0;
  // Ends what is on its way and writes the places down.
  virtual void stop() = 0;

  // {"schema":1,"running":true,"destinations":[…]}, each with its dead letters if asked for.
  virtual Result<Json> status(bool letters) const = 0;
  // Tries dead letters again, and what waits for its next attempt; destination: name or kind, "" =
  // all. not_found. {"schema":1,"letters":n,"destinations":[names]}
  virtual Result<Json> retry(std::string_view destination) = 0;
  // In the Prometheus text format.
  virtual void append_metrics(std::string& out) const = 0;
};

// The same answers for a store that no server has open.
Result<Json> stored_status(FileSystem& files, const std::string& store, bool letters);
Result<Json> stored_retry(FileSystem& files, const std::string& store,
                          std::string_view destination);

}  // namespace contextcore::exporter
