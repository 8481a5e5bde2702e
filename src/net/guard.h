#pragma once
// Who may talk to a server that listens on this machine only. A web page elsewhere can make a
// browser send requests here: by a name that resolves to 127.0.0.1 (DNS rebinding; caught by the
// Host check) or by plain cross-site requests that change something (caught by the Origin check).
// Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"

namespace contextcore::net {

// Host names (no port, lower case) that are this server besides localhost, 127.0.0.1 and [::1].
using HostNames = std::vector<std::string>;

// The host of "host[:port]" or "[v6]:port", lower case; "" when it is not of that form.
std::string host_of(std::string_view authority);

// nullopt when the request may be served; the refusal otherwise. Trusted requests (Unix socket)
// pass.
std::optional<api::Response> refuse(const api::Request& request, const HostNames& names);

}  // namespace contextcore::net
