#pragma once
// Sockets: HTTP/1.1 over TCP and a Unix socket, gRPC over TCP, in front of api::Service.
//
// One I/O thread owns all sockets and all state of connections; requests run on a pool of workers,
// queries on another, of HTTP/1.1 one at a time per connection (pipelined ones wait in its buffer), of gRPC as many as
// it has streams. Every wait has a deadline, every buffer a bound. Start in server.cpp (listening,
// stopping), then connection.h (one connection's life) or grpc_connection.cpp, grpc_session.h and
// http2_server.h (the same of gRPC, the latter two without I/O). Boost stays in those three .cpp
// files.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/service.h"
#include "base/result.h"
#include "net/guard.h"

namespace contextcore::net {

enum class Serves : uint8_t {
  everything,
  otlp_only,  // HTTP/1.1, answers /v1/... only
  grpc,       // OTLP over HTTP/2 without TLS. Browsers do not speak that: there is no guard.
};

struct Listen {
  std::string host = "127.0.0.1";  // IP address or "localhost"
  uint16_t port = 0;               // 0: any free one
  Serves serves = Serves::everything;
  bool required = true;  // else: taken is a note, not an error
};

struct Limits {
  uint32_t header_bytes_max = 32 << 10;
  uint64_t body_bytes_max = 16 << 20;          // as sent; of gRPC, of a message
  uint64_t bodies_bytes_max = 256 << 20;       // of all requests being received or answered
  size_t connections_max = 1024;               // more get 503
  size_t requests_max = 512;                   // waiting for or on a worker; more get 503
  size_t queries_max = 256;                    // of them queries; more get 429
  int64_t idle_timeout_ns = 75'000'000'000;    // keep-alive without a request
  int64_t header_timeout_ns = 10'000'000'000;  // first byte of a request to the end of its header
  int64_t body_timeout_ns = 60'000'000'000;
  int64_t write_timeout_ns = 120'000'000'000;
  int64_t linger_timeout_ns = 3'000'000'000;  // reading what a refused client still sends
  size_t streams_max = 256;                   // answers without an end; more get 503
  int64_t stream_poll_ns = 100'000'000;       // how often they are asked for more
  // gRPC. Its clients keep one connection, idle for as long as they have nothing to send, and make a
  // new one by themselves; header_timeout_ns is that of their first bytes.
  uint32_t grpc_streams_max = 100;                // calls at once on one connection
  uint64_t grpc_connection_bytes_max = 64 << 20;  // of its messages being received or answered
  int64_t grpc_idle_timeout_ns = 600'000'000'000;
  int64_t goaway_timeout_ns = 1'000'000'000;  // for the peer to see that the connection will end
};

struct ServerOptions {
  std::vector<Listen> listen;
  std::string unix_path;  // "" = none; made with mode 0600, an old one is replaced
  HostNames host_names;
  Limits limits;
  // Queries have workers of their own: however many wait, data and changes of work are taken.
  unsigned workers = 16, query_workers = 8;
  // One line per request when set; called on the I/O thread.
  std::function<void(std::string_view line)> access_log;
};

class Server {
 public:
  // Listens and serves when it returns. Errors: unavailable (address taken), invalid_argument (not
  // an address), io_error. The service has to outlive the server.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, api::Service& service);
  virtual ~Server() = default;

  // "127.0.0.1:4319" for each Listen, in order; "" for one that is not required and was taken.
  virtual std::vector<std::string> addresses() const = 0;
  // Path of the Unix socket, "" when there is none.
  virtual std::string unix_path() const = 0;
  // What people should know: a port that was taken, a socket path that is too long.
  virtual std::vector<std::string> notes() const = 0;
  // Stops accepting, lets running requests finish for at most grace_ns, closes everything.
  // Idempotent.
  virtual void stop(int64_t grace_ns) = 0;
};

}  // namespace contextcore::net
