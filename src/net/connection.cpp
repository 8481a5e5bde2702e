#include "net/connection.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <vector>

#include "api/target.h"
#include "base/text.h"

namespace contextcore::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr uint64_t kLingerBytesMax = 64 << 20;

api::Response plain(int status, std::string message) {
  api::Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(message);
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

// What a client hears when its bytes are not a request; nullopt: nothing, the connection just ends.
std::optional<api::Response> refusal_of(const error_code& error) {
  if (error == http::error::body_limit) {
    return plain(413, "the request body is too large; send smaller batches\n");
  }
  if (error == http::error::header_limit) return plain(431, "the request header is too large\n");
  if (error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;
  }
  if (error.category() == http::make_error_code(http::error::bad_method).category()) {
    return plain(400, fmt::format("not an HTTP request: {}\n", error.message()));
  }
  return std::nullopt;
}

}  // namespace

class Connection : public OpenConnection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, asio::generic::stream_protocol::socket socket, std::string peer,
             bool trusted, bool otlp_only)
      : shared_(shared),
        stream_(std::move(socket)),
        poll_timer_(shared.io),
        peer_(std::move(peer)),
        trusted_(trusted),
        otlp_only_(otlp_only) {
    buffer_.reserve(kReadBytes);
    overloaded_ = shared_.connections.size() >= shared_.options.limits.connections_max;
    shared_.connections.insert(this);
  }

  ~Connection() override {
    release_body();
    if (streaming_) --shared_.streams;
    shared_.connections.erase(this);
    if (shared_.stopping && shared_.connections.empty() && shared_.on_last_connection) {
      shared_.on_last_connection();
    }
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void wait_for_request() {
    parser_.emplace();
    parser_->header_limit(shared_.options.limits.header_bytes_max);
    parser_->body_limit(shared_.options.limits.body_bytes_max);
    request_.emplace();
    if (buffer_.size() > 0) return read_header();  // pipelined
    if (shared_.stopping) return close();
    idle_ = true;
    expires_after(shared_.options.limits.idle_timeout_ns);
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](error_code error, size_t n) {
                              self->idle_ = false;
                              if (error) return;
                              self->buffer_.commit(n);
                              self->read_header();
                            });
  }

  // An answer without an end ends here, too.
  void begin_stop() override {
    if (idle_ || streaming_) close();
  }

  void close() override {
    closed_ = true;
    poll_timer_.cancel();
    error_code ignored;
    stream_.socket().shutdown(asio::socket_base::shutdown_both, ignored);
    stream_.socket().close(ignored);
  }

 private:
  void expires_after(int64_t timeout_ns) {
    stream_.expires_after(std::chrono::nanoseconds(timeout_ns));
  }

  void read_header() {
    expires_after(shared_.options.limits.header_timeout_ns);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, size_t) {
                              if (error) return self->fail(error);
                              self->on_header();
                            });
  }

  void on_header() {
    const auto& header = parser_->get();
    request_->method = std::string(header.method_string());
    request_->peer = peer_;
    request_->trusted = trusted_;
    for (const auto& field : header) {
      request_->headers.emplace_back(lower_ascii(field.name_string()), std::string(field.value()));
    }
    Status target = api::parse_target(header.target(), *request_);
    if (!target.ok()) return answer_and_close(plain(400, target.error().to_string() + "\n"));
    if (auto refused = refuse(*request_, shared_.options.host_names)) {
      return answer_and_close(std::move(*refused));
    }
    if (otlp_only_ && !request_->raw_path.starts_with("/v1/")) {
      return answer_and_close(plain(404, "this port takes OTLP (/v1/traces, /v1/logs) only\n"));
    }
    if (overloaded_ || shared_.requests >= shared_.options.limits.requests_max) {
      return answer_and_close(plain(503, "too many requests at once; try again\n"));
    }
    query_ = api::is_query(*request_);
    if (query_ && shared_.queries >= shared_.options.limits.queries_max) {
      return answer_and_close(plain(429, "too many queries at once; try again\n"));
    }
    if (!reserve_body()) {
      return answer_and_close(plain(503, "too many large requests at once; try again\n"));
    }
    std::string expect = lower_ascii(request_->header("expect"));
    if (expect == "100-continue" && !parser_->is_done()) return send_continue();
    if (!expect.empty() && expect != "100-continue") {
      return answer_and_close(plain(417, "the only expectation that is met is 100-continue\n"));
    }
    read_body();
  }

  // A body of unknown length may grow to the limit, so that is what it counts for.
  bool reserve_body() {
    uint64_t bytes = 0;
    if (auto length = parser_->content_length()) {
      bytes = *length;
    } else if (parser_->chunked()) {
      bytes = shared_.options.limits.body_bytes_max;
    }
    if (shared_.bodies_bytes + bytes > shared_.options.limits.bodies_bytes_max) return false;
    shared_.bodies_bytes += bytes;
    reserved_bytes_ = bytes;
    return true;
  }

  void release_body() {
    shared_.bodies_bytes -= reserved_bytes_;
    reserved_bytes_ = 0;
  }

  void send_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    expires_after(shared_.options.limits.write_timeout_ns);
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = shared_from_this()](error_code error, size_t) {
                        if (error) return;
                        self->read_body();
                      });
  }

  void read_body() {
    expires_after(shared_.options.limits.body_timeout_ns);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) return self->fail(error);
                       self->run();
                     });
  }

  void run() {
    keep_alive_ = parser_->keep_alive();
    head_ = request_->method == "HEAD";
    version_ = parser_->get().version();
    request_->body = std::move(parser_->get().body());
    stream_.expires_never();  // the service bounds its own time
    shared_.begin_request(query_);
    // Owned by the task: std::function has to be copyable.
    auto request = std::make_shared<api::Request>(std::move(*request_));
    log_line_ = fmt::format("{} {} {}", peer_, request->method, request->raw_path);
    Executor& workers = query_ ? shared_.query_workers : shared_.workers;
    workers.post([self = shared_from_this(), request]() mutable {
      auto response =
          std::make_shared<api::Response>(self->shared_.service.handle(std::move(*request)));
      asio::io_context& io = self->shared_.io;
      // The connection must die on the I/O thread, whichever thread drops its reference last.
      asio::post(io, [self = std::move(self), response] {
        self->shared_.end_request(self->query_);
        self->release_body();
        bool keep = self->keep_alive_ && !self->shared_.stopping;
        if (response->stream) return self->answer_stream(std::move(*response));
        self->answer(std::move(*response), keep);
      });
    });
  }

  void fail(const error_code& error) {
    if (error == asio::error::operation_aborted) return;
    if (auto response = refusal_of(error)) return answer_and_close(std::move(*response));
  }

  void answer_and_close(api::Response response) {
    head_ = request_->method == "HEAD";
    refused_ = true;
    log_line_ = fmt::format("{} {} {}", peer_, request_->method, request_->raw_path);
    answer(std::move(response), false);
  }

  void answer(api::Response response, bool keep_alive) {
    if (shared_.options.access_log) {
      shared_.options.access_log(
          fmt::format("{} {} {}", log_line_, response.status, response.body.size()));
    }
    response_.emplace();
    response_->version(version_);
    response_->result(static_cast<unsigned>(response.status));
    response_->set(http::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) response_->set(name, value);
    response_->keep_alive(keep_alive);
    bool no_body = response.status == 204 || response.status == 304;
    if (no_body) {
      response_->erase(http::field::content_type);
    } else {
      response_->content_length(response.body.size());
    }
    if (!head_ && !no_body) response_->body() = std::move(response.body);
    expires_after(shared_.options.limits.write_timeout_ns);
    http::async_write(stream_, *response_,
                      [self = shared_from_this(), keep_alive](error_code error, size_t) {
                        if (error) return;
                        self->response_.reset();
                        if (keep_alive) return self->wait_for_request();
                        if (!self->refused_ && self->buffer_.size() == 0) return self->close();
                        self->linger();
                      });
  }

  // ---- an answer without an end: header, then pieces until it ends or the client goes ----

  void answer_stream(api::Response response) {
    if (shared_.streams >= shared_.options.limits.streams_max) {
      return answer(plain(503, "too many followers at once; try again\n"), false);
    }
    if (shared_.stopping || closed_) return close();
    streaming_ = true;
    ++shared_.streams;
    if (shared_.options.access_log) {
      shared_.options.access_log(fmt::format("{} {} stream", log_line_, response.status));
    }
    body_stream_ = std::move(response.stream);
    stream_header_.emplace(static_cast<http::status>(response.status), version_);
    stream_header_->set(http::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) stream_header_->set(name, value);
    stream_header_->keep_alive(false);  // without a length the body ends with the connection
    expires_after(shared_.options.limits.write_timeout_ns);
    http::async_write(stream_, *stream_header_,
                      [self = shared_from_this()](error_code error, size_t) {
                        if (error) return self->close();
                        if (self->head_) return self->end_stream();
                        self->watch_client();
                        self->next_piece();
                      });
  }

  // What a follower sends does not matter; that it goes does.
  void watch_client() {
    stream_.expires_never();
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](error_code error, size_t) {
                              if (error) return self->close();
                              self->watch_client();
                            });
  }

  void next_piece() {
    if (closed_) return;
    shared_.workers.post([self = shared_from_this()]() mutable {
      auto piece = std::make_shared<std::optional<std::string>>(self->body_stream_->next());
      asio::io_context& io = self->shared_.io;
      asio::post(io, [self = std::move(self), piece] {
        if (self->closed_) return;
        if (!*piece) return self->end_stream();
        self->send_piece(std::move(**piece));
      });
    });
  }

  void send_piece(std::string piece) {
    if (piece.empty()) {
      poll_timer_.expires_after(std::chrono::nanoseconds(shared_.options.limits.stream_poll_ns));
      poll_timer_.async_wait([self = shared_from_this()](error_code error) {
        if (!error) self->next_piece();
      });
      return;
    }
    piece_ = std::move(piece);
    expires_after(shared_.options.limits.write_timeout_ns);
    asio::async_write(stream_, asio::buffer(piece_),
                      [self = shared_from_this()](error_code error, size_t) {
                        if (error) return self->close();
                        self->next_piece();
                      });
  }

  // The client sees the end and closes, which watch_client() notices.
  void end_stream() {
    error_code ignored;
    stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    poll_timer_.expires_after(std::chrono::nanoseconds(shared_.options.limits.linger_timeout_ns));
    poll_timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->close();
    });
  }

  // Closing with unread bytes makes the kernel send a reset, which can destroy the answer on its
  // way: say that we are done, then read until the client is, too.
  void linger() {
    error_code ignored;
    stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    expires_after(shared_.options.limits.linger_timeout_ns);
    drain(0);
  }

  void drain(uint64_t drained_bytes) {
    if (drained_bytes > kLingerBytesMax) return close();
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this(), drained_bytes](error_code error, size_t n) {
                              if (error) return self->close();
                              self->drain(drained_bytes + n);
                            });
  }

  Shared& shared_;
  beast::basic_stream<asio::generic::stream_protocol> stream_;
  asio::steady_timer poll_timer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response<http::empty_body>> stream_header_;
  std::shared_ptr<api::BodyStream> body_stream_;
  std::string piece_;
  std::optional<api::Request> request_;
  std::string peer_;
  std::string log_line_;
  uint64_t reserved_bytes_ = 0;
  unsigned version_ = 11;
  bool trusted_ = false;
  bool otlp_only_ = false;
  bool overloaded_ = false;
  bool idle_ = false;
  bool streaming_ = false;
  bool closed_ = false;
  bool keep_alive_ = false;
  bool query_ = false;
  bool head_ = false;
  bool refused_ = false;  // answered before its body was read
};

void serve_connection(Shared& shared, asio::generic::stream_protocol::socket socket,
                      std::string peer, bool trusted, bool otlp_only) {
  std::make_shared<Connection>(shared, std::move(socket), std::move(peer), trusted, otlp_only)
      ->wait_for_request();
}

}  // namespace contextcore::net
