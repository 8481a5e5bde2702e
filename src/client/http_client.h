#pragma once
// A small blocking HTTP/1.1 client for our own server: one keep-alive connection, bodies by length
// or chunked, every size bounded. client/ knows addresses and bytes, not tasks. Not thread-safe.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/network.h"
#include "base/result.h"

namespace contextcore::client {

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;
  std::string_view header(std::string_view name) const;
};

class HttpClient {
 public:
  HttpClient(Network& network, Endpoint endpoint, int64_t timeout_ns = 30'000'000'000)
      : network_(network), endpoint_(std::move(endpoint)), timeout_ns_(timeout_ns) {}

  // Sends one request and reads the whole answer. A connection that the server had closed between
  // requests is opened again once, before anything of the answer has arrived.
  Result<HttpResponse> request(std::string_view method, std::string_view target,
                               const std::vector<std::pair<std::string, std::string>>& headers = {},
                               std::string_view body = {});
  // A GET whose answer may have no end: calls fn with pieces of the body as they come, until the
  // body ends (ok) or fn says stop with false (ok). An answer that is not 2xx comes back whole, fn
  // is not called. silence_ns: unavailable when nothing came for so long. REQUIRES: the body has no
  // chunks (ours ends with the connection).
  Result<HttpResponse> stream(std::string_view target,
                              const std::vector<std::pair<std::string, std::string>>& headers,
                              int64_t silence_ns, const std::function<bool(std::string_view)>& fn);
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  std::string message_of(std::string_view method, std::string_view target,
                         const std::vector<std::pair<std::string, std::string>>& headers,
                         std::string_view body) const;
  Status send(const std::string& message);
  Result<HttpResponse> read_header();
  Status read_body(HttpResponse& response);
  Result<HttpResponse> exchange(const std::string& message, bool& answered, bool head_only);
  Status fill();
  Result<std::string> read_line();
  Status read_bytes(size_t n, std::string& out);
  Status read_chunked(std::string& out);

  Network& network_;
  Endpoint endpoint_;
  int64_t timeout_ns_;
  std::unique_ptr<Connection> connection_;
  std::string buffer_;
};

// Percent-encodes everything but unreserved characters.
std::string url_encode(std::string_view text);
// "a=b&c=d", encoded.
std::string query_string(const std::vector<std::pair<std::string, std::string>>& parameters);

}  // namespace contextcore::client
