#pragma once
// TLS for outgoing connections, over any network's connections: OpenSSL with its bytes in memory,
// so that deadlines and cancelling stay those of the connection below.

#include <memory>
#include <string>

#include "base/network.h"
#include "base/result.h"

namespace contextcore::net {

struct TlsClientOptions {
  std::string certificate;         // PEM file of whom to trust; "" = the system's
  std::string client_certificate;  // PEM files to prove who we are; "" = not
  std::string client_key;
  std::string protocol;  // that both sides have to agree on (ALPN): "h2"; "" = not asked
};

// The peer's certificate is checked against the host name (or address) of the endpoint. TLS 1.2 or
// later. invalid_argument: a file that cannot be read as what it should be.
Result<std::unique_ptr<Network>> make_tls_network(std::unique_ptr<Network> below,
                                                  const TlsClientOptions& options);

}  // namespace contextcore::net
