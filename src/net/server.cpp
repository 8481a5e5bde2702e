#include "net/server.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <optional>

#include "base/executor.h"
#include "net/connection.h"

namespace contextcore::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::local::stream_protocol;
using boost::system::error_code;

namespace {

constexpr auto kAcceptRetryDelay = std::chrono::milliseconds(100);
// Above connections_max + this, a connection is dropped without an answer.
constexpr size_t kRefusalsMax = 256;

std::string describe(const tcp::endpoint& endpoint) {
  std::string address = endpoint.address().to_string();
  if (endpoint.address().is_v6()) address = "[" + address + "]";
  return fmt::format("{}:{}", address, endpoint.port());
}

Error listen_error(const std::string& where, const error_code& error) {
  if (error == asio::error::address_in_use) {
    return Error{Code::unavailable,
                 where + " is taken by another program",
                 "choose another address, or port 0 for any free one",
                 {},
                 {}};
  }
  return Error{
      Code::io_error, fmt::format("cannot listen on {}: {}", where, error.message()), {}, {}, {}};
}

class ServerImpl : public Server {
 public:
  ServerImpl(ServerOptions options, api::Service& service)
      : options_(std::move(options)),
        workers_(make_thread_executor("worker", options_.workers)),
        query_workers_(make_thread_executor("query", options_.query_workers)),
        shared_{io_, service, *workers_, *query_workers_, options_, {}, 0, 0, 0, 0, false, {}},
        work_(asio::make_work_guard(io_)),
        grace_timer_(io_) {}

  ~ServerImpl() override { stop(0); }

  Status listen() {
    for (const Listen& address : options_.listen) CC_TRY(listen_tcp(address));
    if (!options_.unix_path.empty()) CC_TRY(listen_unix());
    io_thread_ = make_thread_executor("net", 1);
    io_thread_->post([this] { io_.run(); });
    return {};
  }

  std::vector<std::string> addresses() const override { return addresses_; }
  std::string unix_path() const override { return unix_path_; }
  std::vector<std::string> notes() const override { return notes_; }

  void stop(int64_t grace_ns) override {
    if (stopped_) return;
    stopped_ = true;
    if (io_thread_) {
      asio::post(io_, [this, grace_ns] { begin_stop(grace_ns); });
      io_thread_->stop();  // returns when io_.run() does
    }
    workers_->stop();
    query_workers_->stop();
    if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
  }

 private:
  Status listen_tcp(const Listen& address) {
    error_code error;
    auto ip =
        asio::ip::make_address(address.host == "localhost" ? "127.0.0.1" : address.host, error);
    if (error) {
      return Error{Code::invalid_argument,
                   fmt::format("\"{}\" is not an IP address", address.host),
                   "for example 127.0.0.1:4319",
                   {},
                   {}};
    }
    tcp::endpoint endpoint(ip, address.port);
    auto acceptor = std::make_unique<tcp::acceptor>(io_);
    acceptor->open(endpoint.protocol(), error);
    if (!error) acceptor->set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor->bind(endpoint, error);
    if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      Error failure = listen_error(describe(endpoint), error);
      if (address.required) return failure;
      notes_.push_back(failure.message + "; started without it");
      addresses_.emplace_back();
      return {};
    }
    addresses_.push_back(describe(acceptor->local_endpoint()));
    tcp_acceptors_.push_back(std::move(acceptor));
    accept_tcp(*tcp_acceptors_.back(), address.serves);
    return {};
  }

  Status listen_unix() {
    const std::string& path = options_.unix_path;
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
      notes_.push_back(fmt::format(
          "no Unix socket: {} is longer than the {} bytes that the system allows; programs on this "
          "machine use the TCP address",
          path, sizeof(sockaddr_un::sun_path) - 1));
      return {};
    }
    ::unlink(path.c_str());  // whoever made it is gone: the caller holds the store's lock
    error_code error;
    unix_acceptor_ = std::make_unique<stream_protocol::acceptor>(io_);
    unix_acceptor_->open(stream_protocol(), error);
    mode_t old_mask = ::umask(0177);
    if (!error) unix_acceptor_->bind(stream_protocol::endpoint(path), error);
    ::umask(old_mask);
    if (!error) unix_acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (error) return listen_error(path, error);
    unix_path_ = path;
    accept_unix();
    return {};
  }

  void accept_tcp(tcp::acceptor& acceptor, Serves serves) {
    acceptor.async_accept([this, &acceptor, serves](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || shared_.stopping) return;
      if (error)
        return retry_accept([this, &acceptor, serves] { accept_tcp(acceptor, serves); });
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      tcp::endpoint peer = socket.remote_endpoint(ignored);
      serve(std::move(socket), describe(peer), false, serves);
      accept_tcp(acceptor, serves);
    });
  }

  void accept_unix() {
    unix_acceptor_->async_accept([this](error_code error, stream_protocol::socket socket) {
      if (error == asio::error::operation_aborted || shared_.stopping) return;
      if (error) return retry_accept([this] { accept_unix(); });
      serve(std::move(socket), "unix", true, Serves::everything);
      accept_unix();
    });
  }

  template <typename Socket>
  void serve(Socket socket, std::string peer, bool trusted, Serves serves) {
    if (shared_.connections.size() >= options_.limits.connections_max + kRefusalsMax) return;
    asio::generic::stream_protocol::socket any(std::move(socket));
    if (serves == Serves::grpc)
      return serve_grpc_connection(shared_, std::move(any), std::move(peer));
    serve_connection(shared_, std::move(any), std::move(peer), trusted,
                     serves == Serves::otlp_only);
  }

  // Out of file descriptors, most likely: wait for some to be closed.
  void retry_accept(std::function<void()> again) {
    auto timer = std::make_shared<asio::steady_timer>(io_, kAcceptRetryDelay);
    timer->async_wait([this, timer, again = std::move(again)](error_code error) {
      if (!error && !shared_.stopping) again();
    });
  }

  void begin_stop(int64_t grace_ns) {
    shared_.stopping = true;
    error_code ignored;
    for (auto& acceptor : tcp_acceptors_) acceptor->close(ignored);
    if (unix_acceptor_) unix_acceptor_->close(ignored);
    shared_.on_last_connection = [this] { finish_stop(); };
    for (OpenConnection* connection : shared_.connections) connection->begin_stop();
    if (shared_.connections.empty()) return finish_stop();
    grace_timer_.expires_after(std::chrono::nanoseconds(grace_ns));
    grace_timer_.async_wait([this](error_code error) {
      if (error) return;
      for (OpenConnection* connection : shared_.connections) connection->close();
      finish_stop();
    });
  }

  void finish_stop() {
    grace_timer_.cancel();
    work_.reset();
    io_.stop();
  }

  ServerOptions options_;
  std::unique_ptr<Executor> workers_, query_workers_;
  Shared shared_;
  // Below what connections use: answers that came too late die with it, and their connections with
  // them.
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer grace_timer_;
  std::vector<std::unique_ptr<tcp::acceptor>> tcp_acceptors_;
  std::unique_ptr<stream_protocol::acceptor> unix_acceptor_;
  std::unique_ptr<Executor> io_thread_;
  std::vector<std::string> addresses_;
  std::vector<std::string> notes_;
  std::string unix_path_;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, api::Service& service) {
  auto server = std::make_unique<ServerImpl>(std::move(options), service);
  CC_TRY(server->listen());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace contextcore::net
