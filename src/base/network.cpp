#include "base/network.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/clock.h"

namespace contextcore {
namespace {

Error network_error(const Endpoint& endpoint, std::string_view what, int error_number) {
  const bool gone = error_number == ECONNREFUSED || error_number == ENOENT ||
                    error_number == ECONNRESET || error_number == EPIPE ||
                    error_number == ENETUNREACH || error_number == EHOSTUNREACH;
  return Error{gone ? Code::unavailable : Code::io_error,
               std::string(what) + " " + endpoint.to_string() + ": " + std::strerror(error_number),
               {},
               {},
               {}};
}

// Waits for events on fd until the deadline (monotonic).
Status wait_for(int fd, short events, int64_t deadline_ns, const Endpoint& endpoint) {
  while (true) {
    const int64_t left_ns = deadline_ns - real_clock().monotonic_ns();
    if (left_ns <= 0) {
      return Status(Code::deadline_exceeded, endpoint.to_string() + " did not answer in time");
    }
    pollfd waiting{fd, events, 0};
    const int64_t left_ms = left_ns / 1'000'000 + 1;
    const int ready = ::poll(&waiting, 1, static_cast<int>(left_ms > 60'000 ? 60'000 : left_ms));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return network_error(endpoint, "waiting for", errno);
  }
}

class SocketConnection : public Connection {
 public:
  SocketConnection(int fd, Endpoint endpoint) : fd_(fd), endpoint_(std::move(endpoint)) {}
  ~SocketConnection() override { ::close(fd_); }
  SocketConnection(const SocketConnection&) = delete;
  SocketConnection& operator=(const SocketConnection&) = delete;

  Result<size_t> read(char* out, size_t n, int64_t timeout_ns) override {
    const int64_t deadline_ns = real_clock().monotonic_ns() + timeout_ns;
    while (true) {
      const ssize_t got = ::recv(fd_, out, n, MSG_DONTWAIT);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        return network_error(endpoint_, "reading from", errno);
      }
      CC_TRY(wait_for(fd_, POLLIN, deadline_ns, endpoint_));
    }
  }

  Status write(std::string_view data, int64_t timeout_ns) override {
    const int64_t deadline_ns = real_clock().monotonic_ns() + timeout_ns;
    while (!data.empty()) {
      const ssize_t put = ::send(fd_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put > 0) {
        data.remove_prefix(static_cast<size_t>(put));
        continue;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        return network_error(endpoint_, "writing to", errno);
      }
      CC_TRY(wait_for(fd_, POLLOUT, deadline_ns, endpoint_));
    }
    return {};
  }

 private:
  int fd_;
  Endpoint endpoint_;
};

Result<std::unique_ptr<Connection>> connect_address(const Endpoint& endpoint, int family,
                                                    const sockaddr* address, socklen_t length,
                                                    int64_t deadline_ns) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return network_error(endpoint, "opening a socket for", errno);
  auto connection = std::make_unique<SocketConnection>(fd, endpoint);
  if (::connect(fd, address, length) != 0) {
    if (errno != EINPROGRESS && errno != EAGAIN) {
      return network_error(endpoint, "connecting to", errno);
    }
    CC_TRY(wait_for(fd, POLLOUT, deadline_ns, endpoint));
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return network_error(endpoint, "connecting to", failure);
  }
  if (family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return std::unique_ptr<Connection>(std::move(connection));
}

class RealNetwork : public Network {
 public:
  Result<std::unique_ptr<Connection>> connect(const Endpoint& endpoint,
                                              int64_t timeout_ns) override {
    const int64_t deadline_ns = real_clock().monotonic_ns() + timeout_ns;
    if (!endpoint.unix_path.empty()) return connect_unix(endpoint, deadline_ns);
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(endpoint.port);
    const int failure = ::getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found);
    if (failure != 0) {
      return Error{Code::unavailable,
                   "cannot resolve " + endpoint.host + ": " + ::gai_strerror(failure),
                   {},
                   {},
                   {}};
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
    Error last{Code::unavailable, "no address for " + endpoint.host, {}, {}, {}};
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      auto connection =
          connect_address(endpoint, one->ai_family, one->ai_addr, one->ai_addrlen, deadline_ns);
      if (connection.ok()) return connection;
      last = std::move(connection).error();
    }
    return last;
  }

 private:
  static Result<std::unique_ptr<Connection>> connect_unix(const Endpoint& endpoint,
                                                          int64_t deadline_ns) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (endpoint.unix_path.size() >= sizeof address.sun_path) {
      return Error{Code::invalid_argument,
                   "socket path is too long (107 bytes at most): " + endpoint.unix_path,
                   {},
                   {},
                   {}};
    }
    std::memcpy(address.sun_path, endpoint.unix_path.data(), endpoint.unix_path.size());
    return connect_address(endpoint, AF_UNIX, reinterpret_cast<const sockaddr*>(&address),
                           sizeof address, deadline_ns);
  }
};

}  // namespace

std::string Endpoint::to_string() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  if (host.find(':') != std::string::npos) return "[" + host + "]:" + std::to_string(port);
  return host + ":" + std::to_string(port);
}

Network& real_network() {
  static RealNetwork network;
  return network;
}

Result<Endpoint> parse_endpoint(std::string_view text, uint16_t default_port) {
  const std::string given(text);
  Endpoint endpoint;
  if (text.starts_with("unix:")) {
    endpoint.unix_path = std::string(text.substr(5));
    if (endpoint.unix_path.empty())
      return Error{Code::invalid_argument, "empty socket path: " + given, {}, {}, {}};
    return endpoint;
  }
  if (text.starts_with("http://")) text.remove_prefix(7);
  if (text.find("://") != std::string_view::npos) {
    return Error{Code::unsupported, "only http:// addresses are supported: " + given, {}, {}, {}};
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos)
      return Error{Code::invalid_argument, "missing ] in address: " + given, {}, {}, {}};
    endpoint.host = std::string(text.substr(1, close - 1));
    port = text.substr(close + 1);
    if (!port.empty() && port.front() == ':') port.remove_prefix(1);
  } else {
    const size_t colon = text.rfind(':');
    endpoint.host = std::string(text.substr(0, colon));
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  endpoint.port = default_port;
  if (!port.empty()) {
    const auto [end, failure] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (failure != std::errc() || end != port.data() + port.size()) {
      return Error{Code::invalid_argument, "not a port number in address: " + given, {}, {}, {}};
    }
  }
  if (endpoint.host.empty()) endpoint.host = "127.0.0.1";
  return endpoint;
}

}  // namespace contextcore
