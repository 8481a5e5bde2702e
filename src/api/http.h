#pragma once
// Requests and responses as values. Protocol surfaces in api/ are functions from one to the other;
// net/ moves them over sockets. No I/O here.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace contextcore::api {

struct Request {
  std::string method;                                        // upper case
  std::string path;                                          // decoded, without query
  std::string raw_path;                                      // as sent, without query
  std::vector<std::pair<std::string, std::string>> query;    // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;                                          // after content-decoding
  std::string peer;                                          // "127.0.0.1:5000" or "unix"
  bool trusted = false;                                      // came over the store's Unix socket

  std::string_view header(std::string_view name) const;  // "" when absent
  // First value of a query parameter (form bodies of POST are merged in by the router).
  std::string_view param(std::string_view name) const;
  bool has_param(std::string_view name) const;
};

// A body whose end is not known: it is sent piece by piece until it ends or the client goes.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // Bytes to send now, "" when there are none yet (it is asked again soon); nullopt: the end.
  // Called by one thread at a time.
  virtual std::optional<std::string> next() = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<BodyStream> stream;  // instead of body
};

// Whose telemetry: absent or empty is the default tenant; "a|b" asks for both of two.
inline constexpr std::string_view kTenantHeader = "x-scope-orgid";

// The one table from error codes to HTTP status.
int http_status(Code code);

}  // namespace contextcore::api
