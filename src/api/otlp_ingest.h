#pragma once
// OTLP/HTTP: POST /v1/traces, /v1/logs and /v1/metrics (also where Prometheus has it,
// /api/v1/otlp/v1/metrics), protobuf and JSON. Answers and errors come in the
// encoding of the request (the specification's rule); errors are google.rpc.Status.

#include "api/router.h"
#include "store/store.h"

namespace contextcore::api {

class OtlpIngest {
 public:
  explicit OtlpIngest(store::Store& store) : store_(store) {}
  void mount(Router& router);

 private:
  Response traces(const Request& request) const;
  Response logs(const Request& request) const;
  Response metrics(const Request& request) const;

  store::Store& store_;
};

// An error for a path under /v1/: google.rpc.Status in the request's encoding.
Response otlp_error(const Request& request, const Error& error);

}  // namespace contextcore::api
