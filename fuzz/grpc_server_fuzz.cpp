// What a client of gRPC sends, as bytes on the connection, against the session and a whole service
// over a store on a simulated disk: whatever they are, what is kept of them has a bound and is given
// back, and what is said to them does not grow without end. The first byte: how large the pieces
// are; the second: how many pieces later calls are answered.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "service_world.h"
#include "net/grpc_session.h"

namespace {

using namespace contextcore;

constexpr size_t kMessageBytesMax = kServiceBodyBytesMax;
constexpr uint64_t kRoomBytes = 1 << 18;
constexpr size_t kSentBytesMax = 64 << 20;

class Host : public net::GrpcSession::Host {
 public:
  bool reserve(uint64_t bytes) override {
    if (bytes > kMessageBytesMax) std::abort();
    if (reserved + bytes > kRoomBytes) return false;
    reserved += bytes;
    return true;
  }
  void release(uint64_t bytes) override {
    if (bytes > reserved) std::abort();
    reserved -= bytes;
  }
  bool run(int32_t stream, api::GrpcCall& call, uint64_t bytes) override {
    if (waiting.size() >= 8) return false;
    if (call.message.size() != bytes) std::abort();
    waiting.push_back({stream, std::move(call), bytes});
    return true;
  }
  void answered(std::string_view, const api::GrpcAnswer& answer) override {
    if (answer.status < 0 || answer.status > 16) std::abort();
    if (answer.http_status != 200 && (answer.http_status < 400 || answer.words.empty())) std::abort();
  }
  void answer_first(net::GrpcSession& session) {
    auto [stream, call, bytes] = std::move(waiting.front());
    waiting.pop_front();
    release(bytes);
    session.answer(stream, service_world().service->call(std::move(call)));
  }

  struct Waiting {
    int32_t stream;
    api::GrpcCall call;
    uint64_t bytes;
  };
  std::deque<Waiting> waiting;
  uint64_t reserved = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const size_t piece = data[0] == 0 ? 16384 : data[0];
  const size_t delay = data[1] % 16;
  rest.remove_prefix(2);
  Host host;
  {
    net::GrpcSession::Options options;
    options.message_bytes_max = kMessageBytesMax;
    net::GrpcSession session(std::move(options), host);
    size_t sent = 0;
    const auto send = [&] {
      std::string out;
      session.http2().send(out, 1 << 16);
      sent += out.size();
      if (sent > kSentBytesMax) std::abort();
    };
    for (int64_t turn = 1; !rest.empty() && !session.http2().ended(); ++turn) {
      const std::string_view bytes = rest.substr(0, piece);
      rest.remove_prefix(bytes.size());
      if (!session.receive(bytes, turn).ok()) break;
      if (host.waiting.size() > delay) host.answer_first(session);
      send();
      if (session.http2().streams() > 200) std::abort();
    }
    session.http2().begin_shutdown();
    session.expire(INT64_MAX);
    while (!host.waiting.empty()) host.answer_first(session);
    session.http2().finish_shutdown();
    send();
    if (session.has_calls()) std::abort();
  }
  if (host.reserved != 0) std::abort();
  return 0;
}
