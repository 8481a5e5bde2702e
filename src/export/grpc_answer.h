#pragma once
// What the answer of a gRPC receiver means (gRPC over HTTP/2; OpenTelemetry specification,
// "OTLP/gRPC Response"). Pure: whoever carried the call hands over what came.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "export/sender.h"
#include "export/settings.h"

namespace contextcore::exporter {

struct GrpcAnswer {
  int http_status = 0;
  Headers headers;                // names lower case
  Headers trailers;               // of an answer without a message they are its headers
  std::string body;               // with the prefix of 5 bytes
  std::optional<uint32_t> reset;  // the error of HTTP/2 that ended the stream
};

// Only what the receiver itself says, by grpc-status, can refuse data: what comes from a proxy, or
// breaks off, is waited out. Outcome::status is gRPC's.
Outcome judge_grpc(const GrpcAnswer& answer);

// "UNAVAILABLE"; "" for a number that is no code.
std::string_view grpc_code_name(int code);
// The message in front of which gRPC puts 5 bytes: whether it is compressed, and its length.
std::string grpc_frame(std::string_view message, bool compressed);
// "10000m": at most 8 digits and a unit.
std::string grpc_timeout(int64_t ns);

}  // namespace contextcore::exporter
