#pragma once
// gRPC on the server's side of one connection, without I/O: bytes in, calls out, answers in, bytes
// out. A call is refused as early as its bytes tell: by its header, by the length in front of its
// message, by what follows the message. Not thread-safe.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/grpc.h"
#include "base/result.h"
#include "net/http2_server.h"

namespace contextcore::net {

class GrpcSession : private Http2Server::Handler {
 public:
  // The one who has the connection.
  class Host {
   public:
    virtual ~Host() = default;
    // Room for the bytes of a message; false: there is none now. What was given is given back, here
    // or by whoever takes the call over.
    virtual bool reserve(uint64_t bytes) = 0;
    virtual void release(uint64_t bytes) = 0;
    // Takes the call (moved from) and its room over; answer() follows when it has returned. False:
    // too many at once, and the call is as it was.
    virtual bool run(int32_t stream, api::GrpcCall& call, uint64_t reserved_bytes) = 0;
    virtual void answered(std::string_view path, const api::GrpcAnswer& answer) = 0;
  };
  struct Options {
    Http2Limits http2;
    uint64_t message_bytes_max = 16 << 20;  // as sent
    int64_t body_timeout_ns = 60'000'000'000;
    std::string peer;
    bool overloaded = false;  // every call is sent away
  };

  // The host has to outlive it.
  GrpcSession(Options options, Host& host);
  ~GrpcSession() override;
  GrpcSession(const GrpcSession&) = delete;
  GrpcSession& operator=(const GrpcSession&) = delete;

  // now_ns: of any clock that does not step back, the same one in all calls.
  Status receive(std::string_view bytes, int64_t now_ns);
  void answer(int32_t stream, const api::GrpcAnswer& answer);
  // Ends the calls that did not arrive in time. When to ask next; nullopt: nothing is awaited.
  void expire(int64_t now_ns);
  std::optional<int64_t> next_deadline_ns() const;
  // Some are being received or run.
  bool has_calls() const { return !calls_.empty(); }
  // Sending, goodbye and the end are those of HTTP/2.
  Http2Server& http2() { return *http2_; }

 private:
  struct Call {
    api::GrpcCall call;
    std::string path;
    std::string prefix;
    uint64_t length = 0;  // of the message, once the prefix is whole
    uint64_t reserved_bytes = 0;
    int64_t deadline_ns = 0;
    bool running = false;
  };

  void header(int32_t stream, Http2Fields fields) override;
  void data(int32_t stream, std::string_view bytes) override;
  void end(int32_t stream) override;
  void closed(int32_t stream) override;

  std::optional<api::GrpcAnswer> begin_message(Call& call);
  void refuse(int32_t stream, Call& call, const api::GrpcAnswer& answer);
  void release(Call& call);

  const Options options_;
  Host& host_;
  int64_t now_ns_ = 0;
  std::map<int32_t, Call> calls_;
  std::unique_ptr<Http2Server> http2_;
};

}  // namespace contextcore::net
