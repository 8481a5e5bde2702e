#pragma once
// OTLP over gRPC: the Export calls of the collector's trace and logs services.

#include <memory>

#include "base/network.h"
#include "base/result.h"
#include "export/sender.h"

namespace contextcore::net {

// network: plain (HTTP/2 with prior knowledge) or TLS that has agreed on "h2", as the address asks.
// invalid_argument: a header that gRPC sets itself. REQUIRES: traces or logs.
Result<std::unique_ptr<exporter::Sender>> make_grpc_sender(std::unique_ptr<Network> network,
                                                           exporter::SenderOptions options);

}  // namespace contextcore::net
