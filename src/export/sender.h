#pragma once
// One request to a back end and what became of it.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/network.h"
#include "client/http_client.h"
#include "export/settings.h"
#include "export/streams.h"

namespace contextcore::exporter {

enum class Fate : uint8_t {
  accepted,   // acknowledged; some items may have been refused one by one (rejected)
  refused,    // the data is at fault: the same again would be refused again
  too_large,  // the request is: parts of it may be taken
  retry,      // the back end, the way to it, or our configuration of it is at fault
};

struct Outcome {
  Fate fate = Fate::retry;
  int status = 0;        // of HTTP, or of gRPC; 0: none
  int64_t rejected = 0;  // of accepted ones
  std::optional<int64_t> retry_after_ns;
  std::string message;
};

// Used by one thread at a time.
class Sender {
 public:
  virtual ~Sender() = default;
  // REQUIRES: all are of one tenant
  virtual Outcome send(std::span<const Item> items) = 0;
};

// What an answer means. otlp: its body is an OTLP response, else only the status counts.
Outcome judge(const client::HttpResponse& response, bool otlp, int64_t now_ns);
// Retry-After: seconds, or a date of HTTP; nullopt if it is neither.
std::optional<int64_t> parse_retry_after(std::string_view text, int64_t now_ns);

// Bodies of requests. REQUIRES: spans only / log records only / series only.
std::string encode_otlp_traces(std::span<const Item> items);
std::string encode_otlp_logs(std::span<const Item> items);
std::string encode_loki_push(std::span<const Item> items);
std::string encode_metrics(std::span<const Item> items);  // remote write 1.0

struct SenderOptions {
  DestinationSettings destination;
  std::string user_agent;
  std::string store_id;  // told to the back end, so that a server knows its own telemetry
  Clock* clock = nullptr;
};
// network: plain or TLS, as the address asks.
std::unique_ptr<Sender> make_http_sender(std::unique_ptr<Network> network, SenderOptions options);

// Header of the sender's store id.
inline constexpr char kStoreHeader[] = "X-ContextCore-Store";

inline constexpr char kTenantHeader[] = "X-Scope-OrgID";
// What a tenant has sent goes to the tenant of that name, whatever the settings say for the rest.
// REQUIRES: it is not the default tenant
Headers headers_of_tenant(Headers headers, const std::string& tenant);

// Connections of the network below that end as soon as `cancelled` says so, whatever they wait for.
std::unique_ptr<Network> make_cancellable_network(Network& below,
                                                  const std::atomic<bool>& cancelled);

}  // namespace contextcore::exporter
