// gRPC's server side in memory: what calls arrive, how early others are refused, what a peer can
// make it keep.

#include "net/grpc_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "net/grpc_client.h"
#include "otlp/export_response.h"

namespace contextcore::net {
namespace {

using api::GrpcAnswer;
using api::GrpcCall;
using api::GrpcStatus;
using test::call_fields;
using test::message;
using test::RawClient;
using test::Reply;
using ::testing::HasSubstr;

constexpr int64_t kSecondNs = 1'000'000'000;

class Host : public GrpcSession::Host {
 public:
  bool reserve(uint64_t bytes) override {
    if (reserved + bytes > room) return false;
    reserved += bytes;
    return true;
  }
  void release(uint64_t bytes) override { reserved -= bytes; }
  bool run(int32_t stream, GrpcCall& call, uint64_t bytes) override {
    if (busy) return false;
    calls[stream] = std::move(call);
    kept += bytes;
    return true;
  }
  void answered(std::string_view path, const GrpcAnswer& answer) override {
    log.push_back(std::string(path) + " " + std::to_string(answer.status));
  }

  std::map<int32_t, GrpcCall> calls;
  std::vector<std::string> log;
  uint64_t room = 1 << 20, reserved = 0, kept = 0;
  bool busy = false;
};

class GrpcSessionTest : public ::testing::Test {
 protected:
  void make() {
    session_ = std::make_unique<GrpcSession>(options_, host_);
    client_ = std::make_unique<RawClient>();
  }
  void SetUp() override {
    options_.message_bytes_max = 100'000;
    options_.peer = "127.0.0.1:1";
    make();
  }
  // Bytes go to and fro until neither side has more to say.
  void pump() {
    while (true) {
      const std::string in = client_->take();
      if (!in.empty()) last_ = session_->receive(in, now_ns_);
      std::string out;
      session_->http2().send(out, 1 << 20);
      client_->give(out);
      if (in.empty() && out.empty()) return;
    }
  }
  int32_t send(const test::ClientFields& fields, const std::string& body) {
    const int32_t stream = client_->begin(fields);
    pump();
    client_->data(stream, body, true);
    pump();
    return stream;
  }
  Reply& reply(int32_t stream) { return client_->replies[stream]; }
  void answer(int32_t stream, const GrpcAnswer& answer) {
    session_->answer(stream, answer);
    pump();
  }

  Host host_;
  GrpcSession::Options options_;
  std::unique_ptr<GrpcSession> session_;
  std::unique_ptr<RawClient> client_;
  int64_t now_ns_ = 5 * kSecondNs;
  Status last_;
};

TEST_F(GrpcSessionTest, a_call_arrives_whole_and_is_answered) {
  const int32_t stream = send(call_fields(test::kTraces, {{"x-scope-orgid", "team"}}), message("abc"));
  ASSERT_EQ(host_.calls.size(), 1U);
  const GrpcCall& call = host_.calls.at(stream);
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.path, test::kTraces);
  EXPECT_EQ(call.header("x-scope-orgid"), "team");
  EXPECT_EQ(call.message, "abc");
  EXPECT_FALSE(call.compressed);
  EXPECT_EQ(call.peer, "127.0.0.1:1");
  EXPECT_EQ(host_.kept, 3U);
  EXPECT_FALSE(reply(stream).ended);
  GrpcAnswer ok;
  ok.message = "kept";
  answer(stream, ok);
  EXPECT_EQ(reply(stream).body, message("kept"));
  EXPECT_EQ(reply(stream).fields[":status"], "200");
  EXPECT_EQ(reply(stream).fields["content-type"], "application/grpc");
  EXPECT_EQ(reply(stream).fields["grpc-accept-encoding"], "identity,gzip");
  EXPECT_EQ(reply(stream).status(), "0");
  EXPECT_EQ(reply(stream).blocks, 2U);
  EXPECT_TRUE(reply(stream).closed);
  EXPECT_EQ(reply(stream).error, 0U);
  EXPECT_FALSE(session_->has_calls());
  EXPECT_EQ(host_.log.back(), test::kTraces + " 0");
}

TEST_F(GrpcSessionTest, errors_are_trailers_alone_with_encoded_words) {
  const int32_t stream = send(call_fields(), message(""));
  answer(stream, api::grpc_error(GrpcStatus::unavailable, "100% full\nü", true));
  EXPECT_EQ(reply(stream).blocks, 1U);
  EXPECT_EQ(reply(stream).body, "");
  EXPECT_EQ(reply(stream).status(), "14");
  EXPECT_EQ(reply(stream).fields["grpc-message"], "100%25 full%0A%C3%BC");
  std::string details;
  const std::string encoded = reply(stream).fields["grpc-status-details-bin"];
  EXPECT_EQ(encoded.find('='), std::string::npos);
  ASSERT_TRUE(from_base64(encoded, details));
  const auto status = otlp::decode_rpc_status(details);
  EXPECT_EQ(status.message, "100% full\nü");
  EXPECT_EQ(status.retry_delay_ns, kSecondNs);
}

TEST_F(GrpcSessionTest, answers_go_to_their_calls_in_any_order) {
  const int32_t first = send(call_fields(), message("1"));
  const int32_t second = send(call_fields(), message("2"));
  for (const int32_t stream : {second, first}) {
    GrpcAnswer ok;
    ok.message = "to " + host_.calls.at(stream).message;
    answer(stream, ok);
  }
  EXPECT_EQ(reply(first).body, message("to 1"));
  EXPECT_EQ(reply(second).body, message("to 2"));
}

TEST_F(GrpcSessionTest, a_body_larger_than_the_windows_streams_in) {
  options_.message_bytes_max = 8 << 20;
  host_.room = 8 << 20;
  make();
  const std::string large(7 << 20, 'x');
  const int32_t stream = send(call_fields(), message(large));
  ASSERT_EQ(host_.calls.size(), 1U);
  EXPECT_EQ(host_.calls.at(stream).message, large);
}

TEST_F(GrpcSessionTest, a_prefix_may_come_byte_by_byte) {
  const int32_t stream = client_->begin(call_fields());
  pump();
  const std::string body = message("abc", 1);
  for (size_t i = 0; i < body.size(); ++i) {
    client_->data(stream, body.substr(i, 1), i + 1 == body.size());
    pump();
  }
  ASSERT_EQ(host_.calls.size(), 1U);
  EXPECT_EQ(host_.calls.at(stream).message, "abc");
  EXPECT_TRUE(host_.calls.at(stream).compressed);
}

struct Refused {
  const char* what;
  test::ClientFields fields;
  std::string body;
  std::string http_status, status, words;
};

TEST_F(GrpcSessionTest, what_is_not_one_whole_message_is_refused) {
  const auto typed = [](std::string type) {
    auto fields = call_fields();
    fields.back().second = std::move(type);
    return fields;
  };
  auto get = call_fields();
  get[0].second = "GET";
  const std::vector<Refused> cases = {
      {"no message", call_fields(), "", "200", "13", "without a message"},
      {"a part of the prefix", call_fields(), std::string(4, '\0'), "200", "13", "ends early"},
      {"a part of the message", call_fields(), message("abc").substr(0, 7), "200", "13", "2 bytes of 3"},
      {"two messages", call_fields(), message("a") + message("b"), "200", "13", "more than the one"},
      {"a flag of another kind", call_fields(), message("a", 2), "200", "13", "begins with 0 or 1"},
      {"too large", call_fields(), message(std::string(100'001, 'x')), "200", "8", "larger than max"},
      {"another method", call_fields("/x.Y/Z"), message(""), "200", "12", "/x.Y/Z"},
      {"another method of ours", call_fields(test::kTraces + "s"), message(""), "200", "12", "unknown"},
      {"a short path", call_fields("/Export"), message(""), "200", "12", "unknown method"},
      {"another compression", call_fields(test::kTraces, {{"grpc-encoding", "snappy"}}), message("a", 1), "200", "12", "use gzip"},
      {"JSON", typed("application/grpc+json"), message("{}"), "200", "12", "protobuf"},
      {"HTTP", typed("application/x-protobuf"), "abc", "415", "", ""},
      {"gRPC of the web", typed("application/grpc-web+proto"), message(""), "415", "", ""},
      {"GET", get, message(""), "405", "", ""},
  };
  for (const Refused& one : cases) {
    const int32_t stream = send(one.fields, one.body);
    EXPECT_EQ(reply(stream).fields[":status"], one.http_status) << one.what;
    EXPECT_EQ(reply(stream).status(), one.status) << one.what;
    EXPECT_THAT(reply(stream).fields["grpc-message"], HasSubstr(one.words)) << one.what;
    EXPECT_EQ(reply(stream).fields.count("grpc-status-details-bin"), 0U) << one.what;
    EXPECT_TRUE(reply(stream).ended) << one.what;
    EXPECT_EQ(reply(stream).error, 0U) << one.what;
    EXPECT_EQ(host_.reserved, 0U) << one.what;
  }
  EXPECT_TRUE(host_.calls.empty());
  EXPECT_FALSE(session_->has_calls());
  send(call_fields(), message("the connection is as it was"));
  EXPECT_EQ(host_.calls.size(), 1U);
}

TEST_F(GrpcSessionTest, a_large_message_is_refused_by_its_prefix) {
  const int32_t stream = client_->begin(call_fields());
  pump();
  client_->data(stream, message(std::string(100'001, 'x')).substr(0, 5), false);
  pump();
  EXPECT_EQ(reply(stream).status(), "8");
  EXPECT_TRUE(reply(stream).closed) << "the client is told to stop";
}

TEST_F(GrpcSessionTest, what_does_not_fit_now_is_to_be_sent_again) {
  host_.room = 1000;
  const int32_t half = client_->begin(call_fields());
  pump();
  client_->data(half, message(std::string(900, 'x')).substr(0, 500), false);
  pump();
  EXPECT_EQ(host_.reserved, 900U);
  const int32_t late = send(call_fields(), message(std::string(200, 'x')));
  EXPECT_EQ(reply(late).status(), "14");
  EXPECT_EQ(reply(late).fields.count("grpc-status-details-bin"), 1U);
  // The first gives up: its room is free.
  client_->reset(half);
  pump();
  EXPECT_EQ(host_.reserved, 0U);
  host_.busy = true;
  const int32_t busy = send(call_fields(), message("x"));
  EXPECT_EQ(reply(busy).status(), "14");
  EXPECT_EQ(reply(busy).fields.count("grpc-status-details-bin"), 1U);
  EXPECT_EQ(host_.reserved, 0U);
}

TEST_F(GrpcSessionTest, a_connection_too_many_sends_its_calls_away) {
  options_.overloaded = true;
  make();
  EXPECT_EQ(reply(send(call_fields(), message("x"))).status(), "14");
  EXPECT_TRUE(host_.calls.empty());
}

TEST_F(GrpcSessionTest, a_message_that_does_not_arrive_in_time_is_given_up) {
  const int32_t slow = client_->begin(call_fields());
  pump();
  client_->data(slow, message("abc").substr(0, 6), false);
  pump();
  EXPECT_EQ(session_->next_deadline_ns(), 65 * kSecondNs);
  const int32_t whole = send(call_fields(), message("abc"));
  session_->expire(64 * kSecondNs);
  pump();
  EXPECT_FALSE(reply(slow).ended);
  session_->expire(65 * kSecondNs);
  pump();
  EXPECT_EQ(reply(slow).status(), "4");
  EXPECT_FALSE(reply(whole).ended) << "one that runs has no deadline here";
  EXPECT_EQ(session_->next_deadline_ns(), std::nullopt);
}

TEST_F(GrpcSessionTest, the_answer_to_a_call_that_was_given_up_is_dropped) {
  const int32_t stream = send(call_fields(), message("abc"));
  client_->reset(stream);
  pump();
  EXPECT_FALSE(session_->has_calls());
  answer(stream, {});
  EXPECT_FALSE(reply(stream).ended);
}

TEST_F(GrpcSessionTest, room_is_given_back_when_the_connection_ends) {
  const int32_t stream = client_->begin(call_fields());
  pump();
  client_->data(stream, message("abcdef").substr(0, 8), false);
  pump();
  EXPECT_EQ(host_.reserved, 6U);
  session_.reset();
  EXPECT_EQ(host_.reserved, 0U);
}

TEST_F(GrpcSessionTest, pings_are_answered) {
  client_->ping();
  pump();
  EXPECT_EQ(client_->pongs, 1);
}

TEST_F(GrpcSessionTest, settings_say_the_bounds) {
  pump();
  EXPECT_EQ(client_->remote_setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), 100U);
  EXPECT_EQ(client_->remote_setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE), 32U << 10);
}

TEST_F(GrpcSessionTest, goodbye_comes_in_two_steps_and_waits_for_calls) {
  const int32_t running = send(call_fields(), message("1"));
  session_->http2().begin_shutdown();
  // The notice alone: a call that was under way is taken.
  const int32_t crossing = client_->begin(call_fields());
  const std::string crossed = client_->take();
  std::string notice;
  session_->http2().send(notice, 1 << 20);
  ASSERT_TRUE(session_->receive(crossed, now_ns_).ok());
  client_->give(notice);
  ASSERT_EQ(client_->goaways.size(), 1U);
  EXPECT_EQ(client_->goaways[0].first, INT32_MAX);
  client_->data(crossing, message("2"), true);
  pump();
  ASSERT_EQ(client_->goaways.size(), 2U) << "the answer to the ping brings the last word";
  EXPECT_EQ(client_->goaways[1], (std::pair<int32_t, uint32_t>{crossing, 0}));
  EXPECT_EQ(host_.calls.size(), 2U);
  EXPECT_FALSE(session_->http2().ended());
  answer(running, {});
  EXPECT_FALSE(session_->http2().ended());
  answer(crossing, {});
  EXPECT_EQ(reply(crossing).status(), "0");
  EXPECT_TRUE(session_->http2().ended());
}

TEST_F(GrpcSessionTest, goodbye_without_a_call_takes_both_steps_too) {
  pump();
  session_->http2().begin_shutdown();
  std::string notice;
  session_->http2().send(notice, 1 << 20);
  EXPECT_FALSE(session_->http2().ended()) << "something may be on its way";
  // This client takes the notice as the last word and says no more; the server's patience ends.
  session_->http2().finish_shutdown();
  std::string last;
  session_->http2().send(last, 1 << 20);
  EXPECT_EQ(last, test::frame(7, 0, 0, std::string(8, '\0')));
  EXPECT_TRUE(session_->http2().ended());
}

// ---- frames that no library sends ----

class RawFrames : public GrpcSessionTest {
 protected:
  void SetUp() override {
    GrpcSessionTest::SetUp();
    pump();  // prefaces
  }
  // What the server says to them; the connection may be over then.
  void frames(const std::string& bytes) {
    last_ = session_->receive(bytes, now_ns_);
    pump();
  }
  // The header block of a call, in words.
  static std::string block() {
    std::string out;
    for (const auto& [name, value] : call_fields()) {
      out += '\0';
      out += static_cast<char>(name.size());
      out += name;
      out += static_cast<char>(value.size());
      out += value;
    }
    return out;
  }
  bool over() { return !last_.ok() || session_->http2().ended(); }
};

constexpr uint8_t kEndStream = 1, kEndHeaders = 4;

TEST_F(RawFrames, a_call_by_hand) {
  frames(test::frame(1, kEndHeaders, 1, block()) + test::frame(0, kEndStream, 1, message("abc")));
  EXPECT_EQ(host_.calls.at(1).message, "abc");
  EXPECT_FALSE(over());
}

TEST_F(RawFrames, nonsense_ends_the_connection) {
  frames(test::frame(0, 0, 0, "data of no stream"));
  EXPECT_TRUE(over());
  ASSERT_EQ(client_->goaways.size(), 1U);
  EXPECT_EQ(client_->goaways[0].second, static_cast<uint32_t>(NGHTTP2_PROTOCOL_ERROR));
}

TEST_F(RawFrames, streams_beyond_the_limit_are_refused_unseen) {
  std::string bytes;
  for (uint32_t i = 0; i < 150; ++i) bytes += test::frame(1, kEndHeaders, 2 * i + 1, block());
  frames(bytes);
  EXPECT_LE(session_->http2().streams(), 100U);
  EXPECT_TRUE(host_.calls.empty());
}

TEST_F(RawFrames, a_header_that_is_too_large_is_not_kept) {
  std::string large = block();
  for (int i = 0; i < 300; ++i) large += std::string("\0\1a\x7e", 4) + std::string(126, 'v');
  std::string bytes = test::frame(1, 0, 1, large.substr(0, 16'000));
  for (size_t at = 16'000; at < large.size(); at += 16'000) {
    bytes += test::frame(9, at + 16'000 < large.size() ? 0 : kEndHeaders, 1, large.substr(at, 16'000));
  }
  frames(bytes);
  EXPECT_EQ(session_->http2().streams(), 0U);
  EXPECT_FALSE(session_->has_calls());
}

TEST_F(RawFrames, an_endless_header_ends_the_connection) {
  std::string bytes = test::frame(1, 0, 1, block());
  for (int i = 0; i < 100; ++i) bytes += test::frame(9, 0, 1, "");
  frames(bytes);
  EXPECT_TRUE(over());
}

TEST_F(RawFrames, rapid_resets_end_the_connection) {
  std::string bytes;
  for (uint32_t i = 0; i < 2000; ++i) {
    bytes += test::frame(1, kEndHeaders, 2 * i + 1, block());
    bytes += test::frame(3, 0, 2 * i + 1, std::string("\0\0\0\x08", 4));
  }
  frames(bytes);
  EXPECT_TRUE(over());
}

TEST_F(RawFrames, pings_that_nobody_reads_the_answers_of_end_the_connection) {
  std::string bytes;
  for (int i = 0; i < 2000; ++i) bytes += test::frame(6, 0, 0, std::string(8, 'p'));
  last_ = session_->receive(bytes, now_ns_);
  EXPECT_TRUE(over());
  EXPECT_LE(session_->http2().frames_waiting(), 1100U);
}

TEST_F(RawFrames, a_flood_of_settings_ends_the_connection) {
  std::string bytes;
  for (int i = 0; i < 2000; ++i) bytes += test::frame(4, 0, 0, "");
  last_ = session_->receive(bytes, now_ns_);
  EXPECT_TRUE(over());
}

TEST(GrpcSession, a_client_of_http_1_is_told) {
  Host host;
  GrpcSession session({}, host);
  std::string out;
  session.http2().send(out, 1000);
  EXPECT_EQ(out, "") << "it listens first";
  EXPECT_FALSE(session.receive("POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n\r\n", 1).ok());
  session.http2().send(out, 1000);
  EXPECT_TRUE(out.starts_with("HTTP/1.1 400 ")) << out;
  EXPECT_THAT(out, HasSubstr("gRPC"));
  EXPECT_TRUE(session.http2().ended());
}

TEST(GrpcSession, a_client_of_tls_hears_nothing) {
  Host host;
  GrpcSession session({}, host);
  EXPECT_FALSE(session.receive(std::string("\x16\x03\x01\x02\x00\x01", 6), 1).ok());
  std::string out;
  session.http2().send(out, 1000);
  EXPECT_EQ(out, "");
  EXPECT_TRUE(session.http2().ended());
}

}  // namespace
}  // namespace contextcore::net
