// What a peer of gRPC sends, as bytes on the connection: whatever they are, the call ends with an
// answer or an error, and keeps no more of them than it may.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "export/grpc_answer.h"
#include "net/http2_client.h"

namespace exporter = contextcore::exporter;
using contextcore::Connection;
using contextcore::Endpoint;
using contextcore::Result;

namespace {

// Says the given bytes in pieces, then that it is over.
class Bytes : public Connection {
 public:
  Bytes(std::string_view& rest, size_t piece) : rest_(rest), piece_(piece) {}
  Result<size_t> read(char* out, size_t n, int64_t) override {
    const size_t count = std::min({n, rest_.size(), piece_});
    std::copy_n(rest_.data(), count, out);
    rest_.remove_prefix(count);
    return count;
  }
  contextcore::Status write(std::string_view data, int64_t) override {
    written_ += data.size();
    // Answers to what it says are few, whatever it says.
    if (written_ > size_t{64} << 20) std::abort();
    return {};
  }

 private:
  std::string_view& rest_;
  size_t piece_;
  size_t written_ = 0;
};

class Peer : public contextcore::Network {
 public:
  Peer(std::string_view bytes, size_t piece) : rest_(bytes), piece_(piece) {}
  Result<std::unique_ptr<Connection>> connect(const Endpoint&, int64_t) override {
    return std::unique_ptr<Connection>(std::make_unique<Bytes>(rest_, piece_));
  }

 private:
  std::string_view rest_;
  size_t piece_;
};

}  // namespace

// The first byte: how large the pieces are. Several calls on what the peer says.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Peer peer(text.substr(1), data[0] == 0 ? 16384 : data[0]);
  contextcore::ManualClock clock;
  contextcore::net::Http2Client client(peer, {"peer", 4317, {}}, clock);
  contextcore::net::Http2Request request{"http",
                                         "/Export",
                                         {{"te", "trailers"}},
                                         exporter::grpc_frame(std::string(100'000, 'x'), false)};
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.post(request, 1'000'000'000);
    if (!answer.ok()) continue;
    if (answer->body.size() > contextcore::net::Http2Client::kAnswerBytesMax) std::abort();
    const exporter::Outcome outcome = exporter::judge_grpc(*answer);
    if (outcome.rejected < 0 || outcome.message.size() > 5000) std::abort();
    if (outcome.retry_after_ns && *outcome.retry_after_ns < 0) std::abort();
  }
  return 0;
}
