#pragma once
// gRPC calls and their answers as values; net/ carries them over HTTP/2, grpc_service.h answers. A
// deadline (grpc-timeout) is not looked at: a sender that gave up and sends again meets the same
// recognition of repeats as one that got an answer.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace contextcore::api {

// gRPC's status codes, as far as they are answered.
enum class GrpcStatus : uint8_t {
  ok = 0,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  permission_denied = 7,
  resource_exhausted = 8,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
};

struct GrpcCall {
  std::string method;                                         // of HTTP: "POST"
  std::string path;                                           // "/package.Service/Method"
  std::vector<std::pair<std::string, std::string>> metadata;  // names lower case
  std::string message;                                        // as sent, without its prefix
  bool compressed = false;                                    // as the prefix says
  std::string peer;                                           // "127.0.0.1:5000"

  std::string_view header(std::string_view name) const;  // "" when absent
};

struct GrpcAnswer {
  int http_status = 200;  // another: not gRPC, `words` is the text
  int status = 0;         // gRPC's
  std::string words;      // why, for people
  std::string details;    // google.rpc.Status in protobuf; "" none
  std::string message;    // of status 0, without a prefix
};

// What every answer says of compression.
inline constexpr std::string_view kGrpcEncodings = "identity,gzip";

// retry: the sender hears when to try again (google.rpc.RetryInfo).
GrpcAnswer grpc_error(GrpcStatus status, std::string words, bool retry = false);
// The refusal of a call whose metadata is all that has come; nullopt: its message is awaited.
std::optional<GrpcAnswer> refuse_grpc_header(const GrpcCall& call);

}  // namespace contextcore::api
