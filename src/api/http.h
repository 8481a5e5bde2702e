#pragma once
// Requests and responses as values. Protocol surfaces in api/ are functions from one to the other;
// net/ moves them over sockets. No I/O here.

#include <functional>
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

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// The one table from error codes to HTTP status.
int http_status(Code code);

}  // namespace contextcore::api
