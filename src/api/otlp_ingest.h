#pragma once
// OTLP: the one way in for its requests (take), and OTLP/HTTP: POST /v1/traces, /v1/logs and /v1/metrics (also where Prometheus has it,
// /api/v1/otlp/v1/metrics), protobuf and JSON. Answers and errors come in the
// encoding of the request (the specification's rule); errors are google.rpc.Status.

#include <cstdint>
#include <string_view>

#include "api/router.h"
#include "store/store.h"

namespace contextcore::api {

enum class Signal : uint8_t { traces, logs, metrics };

class OtlpIngest {
 public:
  explicit OtlpIngest(store::Store& store) : store_(store) {}
  void mount(Router& router);
  // An Export…ServiceRequest as it came, whichever way: what is refused, what is a repeat and what
  // is durable is decided below. invalid_argument: not such a message.
  Result<store::IngestResult> take(Signal signal, std::string_view protobuf,
                                   std::string_view tenant) const;

 private:
  Response ingest(const Request& request, Signal signal, std::string_view rejected_field) const;
  Result<store::IngestResult> take_json(std::string_view json, Signal signal,
                                        std::string_view tenant) const;

  store::Store& store_;
};

// google.rpc.Code, which is gRPC's status too.
int32_t rpc_code(Code code);
// An error for a path under /v1/: google.rpc.Status in the request's encoding.
Response otlp_error(const Request& request, const Error& error);

}  // namespace contextcore::api
