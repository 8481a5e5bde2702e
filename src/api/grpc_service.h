#pragma once
// What is answered over gRPC: OTLP's Export of traces, logs and metrics, and the health check.

#include <functional>
#include <string_view>

#include "api/grpc.h"
#include "api/otlp_ingest.h"

namespace contextcore::api {

class Grpc {
 public:
  // serving: what the health check says. is_own: whether telemetry with that sender
  // (x-contextcore-store) was exported by this very store.
  Grpc(const OtlpIngest& ingest, size_t message_bytes_max, std::function<bool()> serving,
       std::function<bool(std::string_view)> is_own);
  // Of a call that refuse_grpc_header() lets pass. Thread-safe.
  GrpcAnswer answer(const GrpcCall& call) const;

 private:
  GrpcAnswer export_call(const GrpcCall& call, Signal signal, std::string_view message) const;
  GrpcAnswer check_health(std::string_view message) const;

  const OtlpIngest& ingest_;
  const size_t message_bytes_max_;
  const std::function<bool()> serving_;
  const std::function<bool(std::string_view)> is_own_;
};

}  // namespace contextcore::api
