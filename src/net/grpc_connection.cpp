// One connection of gRPC: reads, gives the bytes to the session, lets its calls run on workers, and
// writes what the session says. All of it on the I/O thread but the workers' part.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/connection.h"
#include "net/grpc_session.h"

namespace contextcore::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kWriteBytes = 256 << 10;
constexpr size_t kFramesWaitingMax = 1000;
constexpr uint64_t kLingerBytesMax = 64 << 20;

int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class GrpcConnection : public OpenConnection,
                       private GrpcSession::Host,
                       public std::enable_shared_from_this<GrpcConnection> {
 public:
  GrpcConnection(Shared& shared, asio::generic::stream_protocol::socket socket, std::string peer)
      : shared_(shared),
        limits_(shared.options.limits),
        socket_(std::move(socket)),
        timer_(shared.io),
        peer_(std::move(peer)),
        overloaded_(shared.connections.size() >= limits_.connections_max),
        session_(session_options(), *this) {
    idle_deadline_ns_ = steady_ns() + limits_.header_timeout_ns;
    shared_.connections.insert(this);
  }
  ~GrpcConnection() override {
    shared_.connections.erase(this);
    if (shared_.stopping && shared_.connections.empty() && shared_.on_last_connection)
      shared_.on_last_connection();
  }
  GrpcConnection(const GrpcConnection&) = delete;
  GrpcConnection& operator=(const GrpcConnection&) = delete;

  void start() {
    if (overloaded_) begin_shutdown();
    pump();
  }

  void begin_stop() override {
    if (!begun_) return close();
    begin_shutdown();
    // Not from here: the server walks over its connections.
    asio::post(shared_.io, [self = shared_from_this()] { self->pump(); });
  }

  void close() override {
    closed_ = true;
    timer_.cancel();
    error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_both, ignored);
    socket_.close(ignored);
  }

 private:
  GrpcSession::Options session_options() const {
    GrpcSession::Options out;
    out.http2.streams_max = limits_.grpc_streams_max;
    out.http2.header_bytes_max = limits_.header_bytes_max;
    out.message_bytes_max = limits_.body_bytes_max;
    out.body_timeout_ns = limits_.body_timeout_ns;
    out.peer = peer_;
    out.overloaded = overloaded_;
    return out;
  }

  // Whatever happened: sends, reads on, ends, or waits until the next deadline.
  void pump() {
    if (closed_ || lingering_) return;
    write();
    if (!writing_ && session_.http2().ended()) return linger();
    if (!session_.http2().ended() && session_.http2().frames_waiting() < kFramesWaitingMax) read();
    wait();
  }

  void read() {
    if (std::exchange(reading_, true)) return;
    socket_.async_read_some(asio::buffer(in_),
                            [self = shared_from_this()](error_code error, size_t n) {
                              self->reading_ = false;
                              if (error) return self->close();
                              if (self->lingering_) return self->drain(n);
                              self->take(n);
                            });
  }

  void take(size_t n) {
    if (closed_) return;
    begun_ = true;
    // What is wrong shows as the end of the session; the peer is told where that helps.
    static_cast<void>(session_.receive({in_.data(), n}, steady_ns()));
    touch();
    pump();
  }

  void write() {
    if (writing_) return;
    out_.clear();
    session_.http2().send(out_, kWriteBytes);
    if (out_.empty()) return;
    writing_ = true;
    write_deadline_ns_ = steady_ns() + limits_.write_timeout_ns;
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this()](error_code error, size_t) {
                        self->writing_ = false;
                        if (error) return self->close();
                        self->pump();
                      });
  }

  // ---- deadlines ----

  // Something happens here: it is not idle.
  void touch() {
    if (!goaway_begun_) idle_deadline_ns_ = steady_ns() + limits_.grpc_idle_timeout_ns;
  }

  void wait() {
    // While calls are received or answered they have the deadlines. A peer that never takes an
    // answer is idle.
    int64_t next_ns = session_.has_calls() ? INT64_MAX : idle_deadline_ns_;
    if (const auto body_ns = session_.next_deadline_ns()) next_ns = std::min(next_ns, *body_ns);
    if (writing_) next_ns = std::min(next_ns, write_deadline_ns_);
    if (goaway_deadline_ns_) next_ns = std::min(next_ns, *goaway_deadline_ns_);
    // An earlier one is left as it is: it looks again when it is due.
    if (next_ns == INT64_MAX || (waiting_until_ns_ && *waiting_until_ns_ <= next_ns)) return;
    waiting_until_ns_ = next_ns;
    timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(next_ns)));
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (error || !self) return;
      self->waiting_until_ns_.reset();
      self->on_deadline();
    });
  }

  void on_deadline() {
    if (closed_ || lingering_) return;
    const int64_t now_ns = steady_ns();
    if (writing_ && now_ns >= write_deadline_ns_) return close();
    session_.expire(now_ns);
    if (goaway_deadline_ns_ && now_ns >= *goaway_deadline_ns_) {
      goaway_deadline_ns_.reset();
      session_.http2().finish_shutdown();
    }
    if (!session_.has_calls() && now_ns >= idle_deadline_ns_) {
      if (goaway_begun_ || !begun_) return close();
      begin_shutdown();
    }
    pump();
  }

  void begin_shutdown() {
    if (std::exchange(goaway_begun_, true)) return;
    const int64_t now_ns = steady_ns();
    goaway_deadline_ns_ = now_ns + limits_.goaway_timeout_ns;
    idle_deadline_ns_ = now_ns + limits_.goaway_timeout_ns + limits_.write_timeout_ns;
    session_.http2().begin_shutdown();
  }

  // ---- calls ----

  bool reserve(uint64_t bytes) override {
    if (bytes_ + bytes > limits_.grpc_connection_bytes_max) return false;
    if (shared_.bodies_bytes + bytes > limits_.bodies_bytes_max) return false;
    shared_.bodies_bytes += bytes;
    bytes_ += bytes;
    return true;
  }
  void release(uint64_t bytes) override {
    shared_.bodies_bytes -= bytes;
    bytes_ -= bytes;
  }

  bool run(int32_t stream, api::GrpcCall& call, uint64_t reserved_bytes) override {
    if (shared_.requests >= limits_.requests_max) return false;
    shared_.begin_request(false);
    auto taken = std::make_shared<api::GrpcCall>(std::move(call));  // std::function copies
    shared_.workers.post([self = shared_from_this(), stream, taken, reserved_bytes]() mutable {
      auto answer =
          std::make_shared<api::GrpcAnswer>(self->shared_.service.call(std::move(*taken)));
      asio::io_context& io = self->shared_.io;
      // The connection must die on the I/O thread, whichever thread drops its reference last.
      asio::post(io, [self = std::move(self), stream, answer, reserved_bytes] {
        self->shared_.end_request(false);
        self->release(reserved_bytes);
        self->touch();
        self->session_.answer(stream, *answer);
        self->pump();
      });
    });
    return true;
  }

  void answered(std::string_view path, const api::GrpcAnswer& answer) override {
    if (!shared_.options.access_log) return;
    shared_.options.access_log(answer.http_status == 200
                                   ? fmt::format("{} gRPC {} status {}", peer_, path, answer.status)
                                   : fmt::format("{} gRPC {} {}", peer_, path, answer.http_status));
  }

  // Closing with unread bytes makes the kernel send a reset, which can destroy what is on its way:
  // say that we are done, then read until the peer is, too.
  void linger() {
    lingering_ = true;
    error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    timer_.expires_after(std::chrono::nanoseconds(limits_.linger_timeout_ns));
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (!error && self) self->close();
    });
    if (!reading_) drain(0);
  }
  void drain(uint64_t drained_bytes) {
    if (closed_ || drained_bytes > kLingerBytesMax) return close();
    socket_.async_read_some(asio::buffer(in_),
                            [self = shared_from_this(), drained_bytes](error_code error, size_t n) {
                              if (error) return self->close();
                              self->drain(drained_bytes + n);
                            });
  }

  Shared& shared_;
  const Limits& limits_;
  asio::generic::stream_protocol::socket socket_;
  asio::steady_timer timer_;
  const std::string peer_;
  const bool overloaded_;
  uint64_t bytes_ = 0;  // of messages; before the session, which gives them back when it dies
  GrpcSession session_;
  std::array<char, kReadBytes> in_;
  std::string out_;
  int64_t idle_deadline_ns_ = 0;
  int64_t write_deadline_ns_ = 0;
  std::optional<int64_t> goaway_deadline_ns_;
  std::optional<int64_t> waiting_until_ns_;
  bool begun_ = false;  // something has come
  bool goaway_begun_ = false;
  bool reading_ = false, writing_ = false, lingering_ = false, closed_ = false;
};

}  // namespace

void serve_grpc_connection(Shared& shared, asio::generic::stream_protocol::socket socket,
                           std::string peer) {
  std::make_shared<GrpcConnection>(shared, std::move(socket), std::move(peer))->start();
}

}  // namespace contextcore::net
