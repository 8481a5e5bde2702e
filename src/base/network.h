#pragma once
// Seam 5: the network, as a client sees it: byte streams to a TCP or Unix address. (The server's
// sockets are net/'s.) A Connection is used by one thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace contextcore {

// Either a Unix socket path or host and port.
struct Endpoint {
  std::string host;
  uint16_t port = 0;
  std::string unix_path;
  std::string to_string() const;
};

class Connection {
 public:
  virtual ~Connection() = default;
  // Waits for at least one byte; 0 at the end of the stream. deadline_exceeded after timeout_ns.
  virtual Result<size_t> read(char* out, size_t n, int64_t timeout_ns) = 0;
  virtual Status write(std::string_view data, int64_t timeout_ns) = 0;
};

class Network {
 public:
  virtual ~Network() = default;
  // unavailable: nobody listens there; deadline_exceeded.
  virtual Result<std::unique_ptr<Connection>> connect(const Endpoint& endpoint,
                                                      int64_t timeout_ns) = 0;
};

Network& real_network();

// "host:port", "[::1]:port", "http://host[:port][/]", "unix:/path".
Result<Endpoint> parse_endpoint(std::string_view text, uint16_t default_port);

}  // namespace contextcore
