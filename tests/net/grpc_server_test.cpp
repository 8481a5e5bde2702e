// gRPC over real sockets on free ports of 127.0.0.1. Nothing here sleeps: a test waits for bytes, for
// the end of a stream, or for a latch.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/executor.h"
#include "base/network.h"
#include "net/grpc_client.h"
#include "net/http2_client.h"
#include "net/server.h"

namespace contextcore::net {
namespace {

using test::call_fields;
using test::message;
using ::testing::HasSubstr;

constexpr int64_t kPatienceNs = 30'000'000'000;

// Says what it was called with; the message "wait" is answered once open() was called.
class EchoService : public api::Service {
 public:
  api::Response handle(api::Request) override { return {}; }
  api::GrpcAnswer call(api::GrpcCall call) override {
    std::unique_lock lock(mutex_);
    ++entered_;
    changed_.notify_all();
    if (call.message == "wait") changed_.wait(lock, [&] { return open_; });
    api::GrpcAnswer answer;
    answer.message = std::to_string(call.message.size());
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
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t entered_ = 0;
  bool open_ = false;
};

// The client of tests/net/grpc_client.h on a socket.
class SocketClient {
 public:
  explicit SocketClient(const std::string& address) {
    auto connected = real_network().connect(*parse_endpoint(address, 0), kPatienceNs);
    EXPECT_TRUE(connected.ok());
    connection_ = std::move(*connected);
  }
  bool flush() { return connection_->write(http2.take(), kPatienceNs).ok(); }
  int32_t send(const std::string& text) {
    const int32_t stream = http2.begin(call_fields());
    flush();
    http2.data(stream, message(text), true);
    flush();
    return stream;
  }
  // Reads (and answers what has to be) until that holds. False: the connection ended before.
  bool read_until(const std::function<bool()>& done) {
    char bytes[65536];
    while (!done()) {
      const auto n = connection_->read(bytes, sizeof(bytes), kPatienceNs);
      if (!n.ok() || *n == 0) return false;
      http2.give({bytes, *n});
      const std::string out = http2.take();
      if (!out.empty() && !connection_->write(out, kPatienceNs).ok()) return false;
    }
    return true;
  }
  test::Reply& reply(int32_t stream) {
    read_until([&] { return http2.replies[stream].closed; });
    return http2.replies[stream];
  }
  bool ended() { return !read_until([] { return false; }); }

  test::RawClient http2;

 private:
  std::unique_ptr<Connection> connection_;
};

class GrpcServerTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.listen = {Listen{"127.0.0.1", 0, Serves::grpc, true}};
    auto server = Server::start(std::move(options), service_);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
  }
  std::string address() { return server_->addresses().at(0); }
  void TearDown() override { service_.open(); }

  EchoService service_;
  std::unique_ptr<Server> server_;
};

TEST_F(GrpcServerTest, answers_our_own_client_call_after_call_on_one_connection) {
  start();
  Http2Client client(real_network(), *parse_endpoint(address(), 0), real_clock());
  const Http2Request request{"http",
                             test::kTraces,
                             {{"te", "trailers"}, {"content-type", "application/grpc+proto"}},
                             message(std::string(3 << 20, 'x'))};
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.post(request, kPatienceNs);
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->http_status, 200);
    EXPECT_EQ(answer->body, message("3145728"));
    EXPECT_THAT(answer->trailers, ::testing::Contains(std::pair<std::string, std::string>("grpc-status", "0")));
  }
}

TEST_F(GrpcServerTest, calls_of_one_connection_run_at_once) {
  start();
  SocketClient client(address());
  const int32_t first = client.send("wait");
  const int32_t second = client.send("ab");
  EXPECT_EQ(client.reply(second).body, message("2"));
  EXPECT_FALSE(client.http2.replies[first].ended);
  service_.open();
  EXPECT_EQ(client.reply(first).body, message("4"));
}

TEST_F(GrpcServerTest, a_stop_answers_what_runs_and_says_goodbye) {
  start();
  auto client = std::make_unique<SocketClient>(address());
  const int32_t running = client->send("wait");
  service_.wait_until_entered(1);
  auto stopper = make_thread_executor("stopper", 1);
  stopper->post([&] { server_->stop(kPatienceNs); });
  ASSERT_TRUE(client->read_until([&] { return client->http2.goaways.size() == 2; }));
  EXPECT_EQ(client->http2.goaways[0].first, INT32_MAX);
  EXPECT_EQ(client->http2.goaways[1].first, running);
  EXPECT_FALSE(client->http2.replies[running].ended);
  service_.open();
  EXPECT_EQ(client->reply(running).status(), "0");
  EXPECT_TRUE(client->ended());
  client.reset();  // the server reads until its peer is done
  stopper->stop();
}

TEST_F(GrpcServerTest, a_stop_ends_idle_and_silent_connections) {
  start();
  SocketClient silent(address());
  auto idle_owner = std::make_unique<SocketClient>(address());
  SocketClient& idle = *idle_owner;
  EXPECT_EQ(idle.reply(idle.send("a")).status(), "0");
  auto stopper = make_thread_executor("stopper", 1);
  stopper->post([&] { server_->stop(kPatienceNs); });
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(idle.http2.goaways.empty());
  EXPECT_TRUE(silent.ended());
  idle_owner.reset();  // the server reads until its peer is done
  stopper->stop();
}

TEST_F(GrpcServerTest, an_idle_connection_is_ended_with_a_goodbye) {
  ServerOptions options;
  options.limits.grpc_idle_timeout_ns = 1'000'000;
  start(std::move(options));
  SocketClient client(address());
  ASSERT_TRUE(client.flush());
  EXPECT_TRUE(client.ended());
  ASSERT_FALSE(client.http2.goaways.empty());
  EXPECT_EQ(client.http2.goaways.back().second, 0U);
}

TEST_F(GrpcServerTest, who_says_nothing_is_let_go) {
  ServerOptions options;
  options.limits.header_timeout_ns = 1'000'000;
  start(std::move(options));
  SocketClient client(address());
  EXPECT_TRUE(client.ended());
}

TEST_F(GrpcServerTest, a_message_that_does_not_arrive_is_given_up) {
  ServerOptions options;
  options.limits.body_timeout_ns = 1'000'000;
  start(std::move(options));
  SocketClient client(address());
  const int32_t stream = client.http2.begin(call_fields());
  ASSERT_TRUE(client.flush());
  EXPECT_EQ(client.reply(stream).status(), "4");
}

TEST_F(GrpcServerTest, messages_of_one_connection_have_a_bound) {
  ServerOptions options;
  options.limits.grpc_connection_bytes_max = 10;
  start(std::move(options));
  SocketClient client(address()), other(address());
  const int32_t running = client.send("wait");
  service_.wait_until_entered(1);
  EXPECT_EQ(client.reply(client.send("1234567")).status(), "14");
  EXPECT_EQ(other.reply(other.send("1234567")).status(), "0");
  service_.open();
  EXPECT_EQ(client.reply(running).status(), "0");
  EXPECT_EQ(client.reply(client.send("1234567")).status(), "0");
}

TEST_F(GrpcServerTest, requests_and_connections_have_bounds) {
  ServerOptions options;
  options.limits.requests_max = 1;
  options.limits.connections_max = 2;
  start(std::move(options));
  SocketClient client(address()), other(address());
  client.send("wait");
  service_.wait_until_entered(1);
  EXPECT_EQ(other.reply(other.send("a")).status(), "14");
  SocketClient third(address());
  EXPECT_EQ(third.reply(third.send("a")).status(), "14");
  EXPECT_TRUE(third.ended()) << "it is told to go elsewhere";
}

TEST_F(GrpcServerTest, a_client_of_http_1_is_told) {
  start();
  auto connection = real_network().connect(*parse_endpoint(address(), 0), kPatienceNs);
  ASSERT_TRUE(connection.ok());
  ASSERT_TRUE((*connection)->write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", kPatienceNs).ok());
  std::string got;
  char bytes[1000];
  for (auto n = (*connection)->read(bytes, sizeof(bytes), kPatienceNs); n.ok() && *n > 0;
       n = (*connection)->read(bytes, sizeof(bytes), kPatienceNs)) {
    got.append(bytes, *n);
  }
  EXPECT_THAT(got, HasSubstr("HTTP/1.1 400 Bad Request"));
  EXPECT_THAT(got, HasSubstr("gRPC"));
}

TEST_F(GrpcServerTest, a_client_that_goes_takes_nothing_with_it) {
  start();
  for (int i = 0; i < 3; ++i) {
    SocketClient gone(address());
    gone.send("wait");
    service_.wait_until_entered(static_cast<size_t>(i) + 1);
  }
  service_.open();
  SocketClient client(address());
  EXPECT_EQ(client.reply(client.send("a")).status(), "0");
  server_->stop(kPatienceNs);
}

}  // namespace
}  // namespace contextcore::net
