#include "net/guard.h"

#include <algorithm>

#include "base/text.h"

namespace contextcore::net {

namespace {

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_ours(const std::string& host, const HostNames& names) {
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]" ||
         std::find(names.begin(), names.end(), host) != names.end();
}

// The authority of an Origin ("scheme://host:port").
std::string host_of_origin(std::string_view origin) {
  size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string() : host_of(origin.substr(scheme + 3));
}

api::Response refusal(int status, std::string message) {
  api::Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(message);
  return response;
}

bool changes_something(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

}  // namespace

std::string host_of(std::string_view authority) {
  size_t end = authority.size();
  if (!authority.empty() && authority.front() == '[') {
    end = authority.find(']');
    if (end == std::string_view::npos) return {};
    ++end;
  } else {
    end = std::min(authority.find(':'), authority.size());
  }
  std::string_view rest = authority.substr(end);
  if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return {};
  return lower_ascii(authority.substr(0, end));
}

std::optional<api::Response> refuse(const api::Request& request, const HostNames& names) {
  if (request.trusted) return std::nullopt;
  size_t hosts = 0;
  std::string_view host;
  for (const auto& [name, value] : request.headers) {
    if (name != "host") continue;
    host = value;
    ++hosts;
  }
  if (hosts > 1) return refusal(400, "the request has more than one Host header\n");
  // HTTP/1.0 clients may leave Host out; no browser does.
  if (hosts == 1 && !is_ours(host_of(host), names)) {
    return refusal(403, "this server does not answer to the name \"" + std::string(host) +
                            "\"; use localhost or 127.0.0.1, or start it with --allow-host NAME\n");
  }
  if (!changes_something(request.method)) return std::nullopt;
  for (const auto& [name, value] : request.headers) {
    bool foreign_origin = name == "origin" && !is_ours(host_of_origin(value), names);
    bool foreign_site = name == "sec-fetch-site" && value == "cross-site";
    if (foreign_origin || foreign_site) {
      return refusal(
          403, "requests that change something are not taken from pages of another site (" + name +
                   ": " + value + ")\n");
    }
  }
  return std::nullopt;
}

}  // namespace contextcore::net
