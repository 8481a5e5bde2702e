#pragma once
// Requests over HTTP/2, one after the other, on one connection that is kept: nghttp2 with its bytes
// in memory, over any network's connections, so that TLS, deadlines and cancelling are those of the
// connection below. What a peer sends is bounded: headers, answer, and time. Not thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/network.h"
#include "base/result.h"
#include "export/grpc_answer.h"

namespace contextcore::net {

struct Http2Request {
  std::string scheme;  // "http", "https"
  std::string path;
  exporter::Headers headers;  // names lower case
  std::string body;
};

class Http2Client {
 public:
  Http2Client(Network& network, Endpoint endpoint, Clock& clock);
  ~Http2Client();

  // POSTs and waits for the whole answer; timeout_ns is for all of it. Where a connection that was
  // kept turns out to have ended, or its peer is about to end it (GOAWAY) and has not looked at the
  // request, a new one is made, once. unavailable, io_error, deadline_exceeded, cancelled: after
  // them the connection is made anew.
  Result<exporter::GrpcAnswer> post(const Http2Request& request, int64_t timeout_ns);

  static constexpr size_t kAnswerBytesMax = 4 << 20;  // what gRPC's own clients take
  static constexpr size_t kHeaderBytesMax = 64 << 10;

 private:
  class Link;
  Network& network_;
  Endpoint endpoint_;
  Clock& clock_;
  std::unique_ptr<Link> link_;
};

}  // namespace contextcore::net
