#pragma once
// What an OTLP receiver answers, read by a sender. Bytes of others: any input is answered.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace contextcore::otlp {

// partial_success of ExportTraceServiceResponse, ExportLogsServiceResponse and the metrics' one
// (they are the same on the wire).
struct ExportResponse {
  int64_t rejected = 0;
  std::string message;
};
Result<ExportResponse> decode_export_response_protobuf(std::string_view bytes);

// A google.rpc.Status, as answers with an error status carry it; empty if it is none.
struct RpcStatus {
  std::string message;
  std::optional<int64_t> retry_delay_ns;  // of a google.rpc.RetryInfo among its details
};
RpcStatus decode_rpc_status(std::string_view bytes);

}  // namespace contextcore::otlp
