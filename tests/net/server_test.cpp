// Real sockets on free ports of 127.0.0.1. Nothing here sleeps: a test waits for bytes, for the end
// of a stream, or for a latch.

#include "net/server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>

#include "base/network.h"

namespace contextcore::net {
namespace {

constexpr int64_t kPatienceNs = 30'000'000'000;

// Three pieces with nothing in between, then the end or (forever) nothing more.
class Pieces : public api::BodyStream {
 public:
  explicit Pieces(bool forever) : forever_(forever) {}
  std::optional<std::string> next() override {
    const int turn = turn_++;
    if (turn < 6) return turn % 2 == 0 ? "piece " + std::to_string(turn / 2) + "\n" : "";
    return forever_ ? std::optional<std::string>("") : std::nullopt;
  }

 private:
  const bool forever_;
  int turn_ = 0;
};

// Echoes what arrived; /wait blocks until open() is called; /pieces and /forever stream.
class EchoService : public api::Service {
 public:
  api::Response handle(api::Request request) override {
    if (request.path == "/wait") wait();
    api::Response response;
    response.content_type = "text/plain";
    response.body = request.method + " " + request.path + " " + std::string(request.param("q")) +
                    " " + std::to_string(request.body.size()) + (request.trusted ? " trusted" : "");
    if (request.path == "/large") response.body.assign(4 << 20, 'x');
    if (request.path == "/nothing") response.status = 204;
    if (request.path == "/pieces" || request.path == "/forever") {
      response.stream = std::make_shared<Pieces>(request.path == "/forever");
    }
    return response;
  }
  // Says what it was called with; "wait" blocks as /wait does.
  api::GrpcAnswer call(api::GrpcCall call) override {
    if (call.message == "wait") wait();
    api::GrpcAnswer answer;
    answer.message = call.path + " " + std::to_string(call.message.size());
    return answer;
  }
  void set_ready(bool) override {}
  void set_load(api::Load) override {}
  std::vector<api::Route> routes() const override { return {}; }
  void stop() override {}

  void wait_until_entered(size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return entered_ >= n; });
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  void wait() {
    std::unique_lock lock(mutex_);
    ++entered_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t entered_ = 0;
  bool open_ = false;
};

struct Answer {
  int status = 0;
  std::string header, body;
};

// One raw connection, so that tests decide about every byte.
class Client {
 public:
  explicit Client(const std::string& address) {
    Result<Endpoint> endpoint = parse_endpoint(address, 0);
    EXPECT_TRUE(endpoint.ok());
    Result<std::unique_ptr<Connection>> connected = real_network().connect(*endpoint, kPatienceNs);
    EXPECT_TRUE(connected.ok()) << connected.error().message;
    connection_ = std::move(*connected);
  }

  bool send(std::string_view bytes) { return connection_->write(bytes, kPatienceNs).ok(); }

  // Reads one answer with Content-Length; status 0 when the stream ended before it.
  Answer read(bool head = false) {
    Answer answer;
    size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return answer;
    }
    answer.header = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    answer.status = std::stoi(answer.header.substr(9, 3));
    size_t length_at = answer.header.find("Content-Length: ");
    size_t length =
        length_at == std::string::npos ? 0 : std::stoul(answer.header.substr(length_at + 16));
    if (head) return answer;
    while (buffer_.size() < length && fill()) {
    }
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
  }

  // All bytes up to that text, or up to the end of the stream.
  std::string read_to(std::string_view text) {
    while (buffer_.find(text) == std::string::npos && fill()) {
    }
    return std::exchange(buffer_, {});
  }

  // True when the server closes without another byte.
  bool ended() { return buffer_.empty() && !fill(); }

 private:
  bool fill() {
    char bytes[65536];
    Result<size_t> n = connection_->read(bytes, sizeof(bytes), kPatienceNs);
    if (!n.ok() || *n == 0) return false;
    buffer_.append(bytes, *n);
    return true;
  }
  std::unique_ptr<Connection> connection_;
  std::string buffer_;
};

std::string get(std::string_view path, std::string_view more = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more) +
         "\r\n";
}

class ServerTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    if (options.listen.empty()) options.listen.push_back(Listen{});
    Result<std::unique_ptr<Server>> server = Server::start(std::move(options), service_);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
  }
  std::string address() { return server_->addresses().at(0); }
  void TearDown() override { service_.open(); }

  EchoService service_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, answers_many_requests_on_one_connection) {
  start();
  Client client(address());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(get("/a%20b?q=x+y")));
    Answer answer = client.read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET /a b x y 0");
  }
}

TEST_F(ServerTest, answers_pipelined_requests_in_order) {
  start();
  Client client(address());
  ASSERT_TRUE(client.send(get("/1") +
                          "POST /2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc" +
                          get("/3")));
  EXPECT_EQ(client.read().body, "GET /1  0");
  EXPECT_EQ(client.read().body, "POST /2  3");
  EXPECT_EQ(client.read().body, "GET /3  0");
}

TEST_F(ServerTest, closes_when_asked) {
  start();
  Client client(address());
  ASSERT_TRUE(client.send(get("/", "Connection: close\r\n")));
  EXPECT_EQ(client.read().status, 200);
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, takes_chunked_bodies) {
  start();
  Client client(address());
  ASSERT_TRUE(
      client.send("POST /c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"));
  ASSERT_TRUE(client.send("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"));
  EXPECT_EQ(client.read().body, "POST /c  11");
}

TEST_F(ServerTest, says_continue) {
  start();
  Client client(address());
  ASSERT_TRUE(client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.read().status, 100);
  ASSERT_TRUE(client.send("ab"));
  EXPECT_EQ(client.read().body, "POST /  2");
}

TEST_F(ServerTest, answers_head_without_a_body) {
  start();
  Client client(address());
  ASSERT_TRUE(client.send("HEAD /large HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/next")));
  Answer head = client.read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_NE(head.header.find("Content-Length: 4194304\r\n"), std::string::npos);
  EXPECT_EQ(client.read().body, "GET /next  0");
}

TEST_F(ServerTest, sends_no_length_with_204) {
  start();
  Client client(address());
  ASSERT_TRUE(client.send(get("/nothing") + get("/next")));
  Answer nothing = client.read();
  EXPECT_EQ(nothing.status, 204);
  EXPECT_EQ(nothing.header.find("Content-Length"), std::string::npos);
  EXPECT_EQ(client.read().body, "GET /next  0");
}

TEST_F(ServerTest, sends_large_answers) {
  start();
  Client client(address());
  ASSERT_TRUE(client.send(get("/large")));
  EXPECT_EQ(client.read().body.size(), size_t{4} << 20);
}

TEST_F(ServerTest, refuses_what_is_not_http) {
  start();
  for (const char* junk :
       {"\x16\x03\x01\x02 hello hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/3.0\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n", "G\0T / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    Client client(address());
    client.send(std::string(junk) + "\r\n\r\n");
    EXPECT_EQ(client.read().status, 400) << junk;
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(ServerTest, refuses_two_framings_of_one_body) {
  start();
  Client client(address());
  client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "0\r\n\r\n");
  EXPECT_EQ(client.read().status, 400);
}

TEST_F(ServerTest, refuses_other_hosts_and_origins) {
  start();
  Client by_host(address());
  ASSERT_TRUE(by_host.send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
  Answer refused = by_host.read();
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("evil.example"), std::string::npos);
  Client by_origin(address());
  ASSERT_TRUE(
      by_origin.send("POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: "
                     "http://evil.example\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(by_origin.read().status, 403);
}

TEST_F(ServerTest, refuses_large_bodies_by_announced_and_by_real_size) {
  ServerOptions options;
  options.limits.body_bytes_max = 1000;
  start(std::move(options));
  Client announced(address());
  announced.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n" +
                 std::string(1001, 'x'));
  EXPECT_EQ(announced.read().status, 413);
  Client chunked(address());
  chunked.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
               std::string(1001, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read().status, 413);
  Client fits(address());
  fits.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" +
            std::string(1000, 'x'));
  EXPECT_EQ(fits.read().status, 200);
}

TEST_F(ServerTest, delivers_the_refusal_of_a_body_that_keeps_coming) {
  ServerOptions options;
  options.limits.body_bytes_max = 1000;
  start(std::move(options));
  Client client(address());
  // More than the socket buffers hold: without reading on, the refusal would be lost in a reset.
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000000\r\n\r\n");
  client.send(std::string(20'000'000, 'x'));
  EXPECT_EQ(client.read().status, 413);
}

TEST_F(ServerTest, refuses_large_headers) {
  start();
  Client client(address());
  client.send(get("/", "X-Long: " + std::string(100'000, 'x') + "\r\n"));
  EXPECT_EQ(client.read().status, 431);
}

TEST_F(ServerTest, gives_up_on_clients_that_never_finish) {
  ServerOptions options;
  options.limits.header_timeout_ns = options.limits.body_timeout_ns = 50'000'000;
  start(std::move(options));
  Client header(address());
  ASSERT_TRUE(header.send("GET / HTTP/1.1\r\nHost: loc"));
  EXPECT_TRUE(header.ended());
  Client body(address());
  ASSERT_TRUE(body.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_TRUE(body.ended());
}

TEST_F(ServerTest, gives_up_on_idle_connections) {
  ServerOptions options;
  options.limits.idle_timeout_ns = 50'000'000;
  start(std::move(options));
  Client client(address());
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, refuses_more_requests_than_it_queues) {
  ServerOptions options;
  options.limits.requests_max = 2;
  start(std::move(options));
  Client first(address()), second(address()), third(address());
  ASSERT_TRUE(first.send(get("/wait")));
  ASSERT_TRUE(second.send(get("/wait")));
  service_.wait_until_entered(2);
  ASSERT_TRUE(third.send(get("/")));
  Answer busy = third.read();
  EXPECT_EQ(busy.status, 503);
  EXPECT_NE(busy.header.find("Retry-After: 1\r\n"), std::string::npos);
  service_.open();
  EXPECT_EQ(first.read().status, 200);
  EXPECT_EQ(second.read().status, 200);
  Client fourth(address());
  ASSERT_TRUE(fourth.send(get("/")));
  EXPECT_EQ(fourth.read().status, 200);
}

TEST_F(ServerTest, takes_data_and_changes_however_many_queries_wait) {
  ServerOptions options;
  options.query_workers = 1;
  options.limits.queries_max = 1;
  start(std::move(options));
  Client first(address()), second(address()), writer(address());
  ASSERT_TRUE(first.send(get("/wait")));
  service_.wait_until_entered(1);
  ASSERT_TRUE(second.send(get("/api/search")));
  const Answer busy = second.read();
  EXPECT_EQ(busy.status, 429);
  EXPECT_NE(busy.header.find("Retry-After: 1\r\n"), std::string::npos);
  ASSERT_TRUE(writer.send("POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"));
  EXPECT_EQ(writer.read().status, 200);
  service_.open();
  EXPECT_EQ(first.read().status, 200);
}

TEST_F(ServerTest, refuses_more_connections_than_it_holds) {
  ServerOptions options;
  options.limits.connections_max = 1;
  start(std::move(options));
  Client first(address());
  ASSERT_TRUE(first.send(get("/")));
  EXPECT_EQ(first.read().status, 200);
  Client second(address());
  ASSERT_TRUE(second.send(get("/")));
  EXPECT_EQ(second.read().status, 503);
}

TEST_F(ServerTest, bounds_the_memory_of_all_bodies) {
  ServerOptions options;
  options.limits.bodies_bytes_max = 1500;
  start(std::move(options));
  Client first(address()), second(address());
  ASSERT_TRUE(first.send("POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" +
                         std::string(1000, 'x')));
  service_.wait_until_entered(1);
  second.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_EQ(second.read().status, 503);
  service_.open();
  EXPECT_EQ(first.read().status, 200);
  Client third(address());
  third.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" +
             std::string(1000, 'x'));
  EXPECT_EQ(third.read().status, 200);
}

TEST_F(ServerTest, finishes_running_requests_when_it_stops) {
  start();
  Client busy(address()), idle(address());
  ASSERT_TRUE(idle.send(get("/")));
  EXPECT_EQ(idle.read().status, 200);
  ASSERT_TRUE(busy.send(get("/wait")));
  service_.wait_until_entered(1);
  std::future<void> stopped = std::async(std::launch::async, [&] { server_->stop(kPatienceNs); });
  EXPECT_TRUE(idle.ended());  // the stop has begun
  service_.open();
  Answer answer = busy.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.header.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(busy.ended());
  stopped.get();
}

TEST_F(ServerTest, stops_waiting_when_the_grace_is_over) {
  start();
  Client busy(address());
  ASSERT_TRUE(busy.send(get("/wait")));
  service_.wait_until_entered(1);
  std::future<void> stopped = std::async(std::launch::async, [&] { server_->stop(10'000'000); });
  EXPECT_TRUE(busy.ended());
  service_.open();
  stopped.get();
}

TEST_F(ServerTest, serves_a_unix_socket_that_only_the_owner_can_open) {
  std::string directory = std::filesystem::temp_directory_path() / "contextcore-net-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  ServerOptions options;
  options.unix_path = directory + "/socket";
  start(std::move(options));
  struct stat info{};
  ASSERT_EQ(::stat(server_->unix_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  Client client("unix:" + server_->unix_path());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: whatever\r\n\r\n"));
  EXPECT_EQ(client.read().body, "GET /  0 trusted");
  server_->stop(0);
  EXPECT_FALSE(std::filesystem::exists(directory + "/socket"));
  std::filesystem::remove_all(directory);
}

TEST_F(ServerTest, says_when_the_socket_path_is_too_long) {
  ServerOptions options;
  options.unix_path = "/tmp/" + std::string(200, 'x');
  start(std::move(options));
  EXPECT_EQ(server_->unix_path(), "");
  ASSERT_EQ(server_->notes().size(), 1U);
}

TEST_F(ServerTest, fails_for_a_taken_port_unless_it_may_do_without) {
  start();
  uint16_t port = parse_endpoint(address(), 0)->port;
  ServerOptions needed;
  needed.listen = {Listen{"127.0.0.1", port, Serves::everything, true}};
  Result<std::unique_ptr<Server>> failed = Server::start(std::move(needed), service_);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Code::unavailable);

  ServerOptions optional;
  optional.listen = {Listen{}, Listen{"127.0.0.1", port, Serves::otlp_only, false}};
  Result<std::unique_ptr<Server>> other = Server::start(std::move(optional), service_);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ((*other)->addresses().at(1), "");
  EXPECT_EQ((*other)->notes().size(), 1U);
}

TEST_F(ServerTest, refuses_an_address_that_is_none) {
  ServerOptions options;
  options.listen = {Listen{"not-an-address", 0, Serves::everything, true}};
  Result<std::unique_ptr<Server>> failed = Server::start(std::move(options), service_);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Code::invalid_argument);
}

ServerOptions polling_fast() {
  ServerOptions options;
  options.limits.stream_poll_ns = 1'000'000;
  return options;
}

TEST_F(ServerTest, streams_pieces_until_the_end) {
  start(polling_fast());
  Client client(address());
  ASSERT_TRUE(client.send(get("/pieces")));
  const std::string answer = client.read_to("never");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200"));
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\npiece 0\npiece 1\npiece 2\n")) << answer;
}

TEST_F(ServerTest, answers_head_of_a_stream_without_it) {
  start(polling_fast());
  Client client(address());
  ASSERT_TRUE(client.send("HEAD /forever HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  EXPECT_TRUE(client.read_to("never").ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, bounds_streams_and_frees_those_whose_client_has_gone) {
  ServerOptions options = polling_fast();
  options.limits.streams_max = 1;
  start(std::move(options));
  auto first = std::make_unique<Client>(address());
  ASSERT_TRUE(first->send(get("/forever")));
  first->read_to("piece 2\n");
  Client refused(address());
  ASSERT_TRUE(refused.send(get("/forever")));
  EXPECT_EQ(refused.read().status, 503);
  first = nullptr;
  // The server sees the end of the first some time after this; asking is how to wait for it.
  int status = 503;
  for (int attempt = 0; status == 503 && attempt < 100'000; ++attempt) {
    Client next(address());
    ASSERT_TRUE(next.send(get("/forever")));
    status = next.read(true).status;
  }
  EXPECT_EQ(status, 200);
}

TEST_F(ServerTest, stops_although_somebody_follows) {
  start(polling_fast());
  Client client(address());
  ASSERT_TRUE(client.send(get("/forever")));
  client.read_to("piece 2\n");
  server_->stop(kPatienceNs);
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, takes_otlp_only_on_such_a_port) {
  ServerOptions options;
  options.listen = {Listen{"127.0.0.1", 0, Serves::otlp_only, true}};
  start(std::move(options));
  Client client(address());
  ASSERT_TRUE(client.send(get("/v1/traces")));
  EXPECT_EQ(client.read().status, 200);
  ASSERT_TRUE(client.send(get("/tracker/v1/tasks")));
  EXPECT_EQ(client.read().status, 404);
}

}  // namespace
}  // namespace contextcore::net
