#include "sdk/export_control.h"

#include "client/http_client.h"
#include "export/exporter.h"
#include "sdk/remote_backend.h"
#include "store/store.h"

namespace contextcore::sdk {
namespace {

constexpr uint16_t kDefaultPort = 4319;

bool is_none(const Endpoint& endpoint) {
  return endpoint.host.empty() && endpoint.unix_path.empty();
}

}  // namespace

Result<Endpoint> ExportControl::server_endpoint() {
  if (!server_.empty()) return parse_endpoint(server_, kDefaultPort);
  CC_ASSIGN(const auto server, store::find_server(files_, clock_, store_));
  Endpoint endpoint;
  if (!server) {
    if (!files_.exists(join_path(store_, "CURRENT"))) {
      return Error{Code::not_found,
                   "there is no store at " + store_ + " yet",
                   "`contextcore where` says why this one is used",
                   {},
                   {}};
    }
  } else if (!server->unix_socket.empty()) {
    endpoint.unix_path = server->unix_socket;
  } else {
    return parse_endpoint(server->address, kDefaultPort);
  }
  return endpoint;
}

Result<Json> ExportControl::ask(const Endpoint& endpoint, std::string_view method,
                                const std::string& target) {
  client::HttpClient client(network_, endpoint);
  CC_ASSIGN(const client::HttpResponse response, client.request(method, target));
  if (response.status / 100 != 2)
    return parse_error_answer(response.status, response.header("content-type"), response.body);
  return parse_json(response.body);
}

Result<Json> ExportControl::status(bool letters) {
  CC_ASSIGN(const Endpoint endpoint, server_endpoint());
  if (is_none(endpoint)) return exporter::stored_status(files_, store_, letters);
  return ask(endpoint, "GET", letters ? "/tracker/v1/export?letters=true" : "/tracker/v1/export");
}

Result<Json> ExportControl::retry(std::string_view destination) {
  CC_ASSIGN(const Endpoint endpoint, server_endpoint());
  if (is_none(endpoint)) return exporter::stored_retry(files_, store_, destination);
  std::string target = "/tracker/v1/export/retry";
  if (!destination.empty()) target += "?destination=" + client::url_encode(destination);
  return ask(endpoint, "POST", target);
}

}  // namespace contextcore::sdk
