#pragma once
// What `contextcore export status` and `retry` ask: the server that runs for the store, or the
// files that the last one has left in it.

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/network.h"
#include "base/result.h"

namespace contextcore::sdk {

class ExportControl {
 public:
  // server: address of one to ask, "" = the store's, if one runs.
  ExportControl(std::string store, std::string server, FileSystem& files, Clock& clock,
                Network& network)
      : store_(std::move(store)),
        server_(std::move(server)),
        files_(files),
        clock_(clock),
        network_(network) {}

  // letters: with every dead letter. not_found: no store; unavailable.
  Result<Json> status(bool letters);
  // destination: name or kind, "" = all. not_found; unavailable.
  Result<Json> retry(std::string_view destination);

 private:
  // The endpoint of the server to ask; without a host or path: none runs.
  Result<Endpoint> server_endpoint();
  Result<Json> ask(const Endpoint& endpoint, std::string_view method, const std::string& target);

  std::string store_, server_;
  FileSystem& files_;
  Clock& clock_;
  Network& network_;
};

}  // namespace contextcore::sdk
