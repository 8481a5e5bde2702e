// OTLP over gRPC against a receiver in memory: what goes out, what answers mean, when a connection
// is kept.

#include "net/grpc_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/gzip.h"
#include "base/hash.h"
#include "base/time.h"
#include "net/grpc_peer.h"
#include "net/http2_client.h"

namespace contextcore::net {
namespace {

using exporter::Fate;
using exporter::Kind;
using exporter::Outcome;
using test::Fields;
using test::Peer;
using test::PeerAnswer;
using ::testing::HasSubstr;

class GrpcSenderTest : public ::testing::Test {
 protected:
  GrpcSenderTest() {
    settings_.kind = Kind::traces;
    settings_.url = *exporter::parse_url("http://tempo:4317");
    settings_.grpc = true;
    settings_.timeout_ns = 10 * kSecondNs;
    settings_.headers = {{"X-Scope-OrgID", "team"}, {"Authorization", "Bearer x"}};
    make();
  }
  void make() {
    auto made = make_grpc_sender(std::make_unique<test::PeerNetwork>(peer_),
                                 {settings_, "contextcore/1", "store-1", &clock_});
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    sender_ = std::move(*made);
  }
  // One span or log record with a text of so many bytes.
  Outcome send(size_t bytes = 10) {
    exporter::Item item;
    item.resource = std::make_shared<otlp::Resource>();
    item.scope = std::make_shared<otlp::Scope>();
    item.tenant = tenant_;
    // Not one that is compressed well.
    std::string text;
    uint64_t state = 1;
    while (text.size() < bytes) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      text += static_cast<char>('!' + (state >> 33) % 90);
    }
    if (settings_.kind == Kind::traces) {
      otlp::Span span;
      span.name = text;
      item.what = span;
    } else {
      otlp::LogRecord record;
      record.event_name = text;
      item.what = record;
    }
    sent_.assign(1, item);
    return sender_->send(sent_);
  }
  Outcome send(PeerAnswer answer) {
    peer_.script.push_back(std::move(answer));
    return send();
  }
  Outcome send_status(const std::string& code, const std::string& message = "", Fields more = {}) {
    PeerAnswer answer;
    answer.trailers = Fields{{"grpc-status", code}, {"grpc-message", message}};
    answer.trailers->insert(answer.trailers->end(), more.begin(), more.end());
    return send(std::move(answer));
  }

  ManualClock clock_;
  Peer peer_;
  exporter::DestinationSettings settings_;
  std::unique_ptr<exporter::Sender> sender_;
  std::vector<exporter::Item> sent_;
  std::string tenant_;
};

TEST_F(GrpcSenderTest, calls_export_with_the_headers_of_grpc) {
  EXPECT_EQ(send().fate, Fate::accepted);
  ASSERT_EQ(peer_.requests.size(), 1u);
  auto& [headers, body] = peer_.requests[0];
  EXPECT_EQ(headers[":method"], "POST");
  EXPECT_EQ(headers[":scheme"], "http");
  EXPECT_EQ(headers[":authority"], "tempo:4317");
  EXPECT_EQ(headers[":path"], "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
  EXPECT_EQ(headers["te"], "trailers");
  EXPECT_EQ(headers["content-type"], "application/grpc");
  EXPECT_EQ(headers["grpc-timeout"], "10000m");
  EXPECT_EQ(headers["user-agent"], "contextcore/1");
  EXPECT_EQ(headers["x-contextcore-store"], "store-1");
  EXPECT_EQ(headers["x-scope-orgid"], "team");
  EXPECT_EQ(headers["authorization"], "Bearer x");
  EXPECT_EQ(headers.count("grpc-encoding"), 0u);
  EXPECT_EQ(body, exporter::grpc_frame(exporter::encode_otlp_traces(sent_), false));
}

TEST_F(GrpcSenderTest, what_a_tenant_has_sent_names_it_instead_of_the_configured_one) {
  for (const std::string tenant : {"a", "", "b"}) {
    tenant_ = tenant;
    EXPECT_EQ(send().fate, Fate::accepted);
    auto& headers = peer_.requests.back().headers;
    EXPECT_EQ(headers["x-scope-orgid"], tenant.empty() ? "team" : tenant);
    EXPECT_EQ(headers["authorization"], "Bearer x");
    EXPECT_EQ(headers["x-contextcore-store"], "store-1");
  }
}

TEST_F(GrpcSenderTest, compresses_the_message_and_says_so) {
  settings_.kind = Kind::logs;
  settings_.compress = true;
  settings_.url.tls = true;
  make();
  EXPECT_EQ(send().fate, Fate::accepted);
  auto& [headers, body] = peer_.requests.at(0);
  EXPECT_EQ(headers[":scheme"], "https");
  EXPECT_EQ(headers[":path"], "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
  EXPECT_EQ(headers["grpc-encoding"], "gzip");
  ASSERT_GT(body.size(), 5u);
  EXPECT_EQ(body[0], 1);
  EXPECT_EQ(*gunzip(body.substr(5), 1 << 20), exporter::encode_otlp_logs(sent_));
}

TEST_F(GrpcSenderTest, messages_larger_than_a_window_arrive_whole) {
  for (const uint32_t window : {1000u, 65535u, 1u << 24}) {
    peer_ = {};
    peer_.window = window;
    make();
    EXPECT_EQ(send(3'000'000).fate, Fate::accepted) << window;
    EXPECT_EQ(peer_.requests.at(0).body,
              exporter::grpc_frame(exporter::encode_otlp_traces(sent_), false));
  }
}

TEST_F(GrpcSenderTest, large_answers_are_read_and_too_large_ones_are_not) {
  PeerAnswer answer;
  answer.body = exporter::grpc_frame(std::string(3'000'000, '\0'), false);
  EXPECT_EQ(send(answer).fate, Fate::accepted);
  answer.body.assign(Http2Client::kAnswerBytesMax + 1, 'x');
  const Outcome outcome = send(answer);
  EXPECT_EQ(outcome.fate, Fate::retry);
  EXPECT_THAT(outcome.message, HasSubstr("too large"));
  answer = {};
  answer.headers.emplace_back("x", std::string(Http2Client::kHeaderBytesMax, 'y'));
  EXPECT_EQ(send(answer).fate, Fate::retry);
  EXPECT_EQ(send().fate, Fate::accepted);
  EXPECT_EQ(peer_.connections, 3);
}

TEST_F(GrpcSenderTest, partial_success_is_told) {
  PeerAnswer answer;
  answer.body = exporter::grpc_frame("\x0a\x05\x08\x02\x12\x01!", false);
  const Outcome outcome = send(answer);
  EXPECT_EQ(outcome.fate, Fate::accepted);
  EXPECT_EQ(outcome.rejected, 2);
  EXPECT_EQ(outcome.message, "!");
}

TEST_F(GrpcSenderTest, a_connection_is_kept_whatever_the_status) {
  EXPECT_EQ(send().fate, Fate::accepted);
  EXPECT_EQ(send_status("14", "later").fate, Fate::retry);
  EXPECT_EQ(send_status("3", "bad%20one").message, "gRPC INVALID_ARGUMENT: bad one");
  PeerAnswer answer;
  answer.headers_only = true;
  answer.trailers = Fields{{"grpc-status", "16"}, {"grpc-message", "who?"}};
  const Outcome outcome = send(answer);
  EXPECT_EQ(outcome.fate, Fate::retry);
  EXPECT_EQ(outcome.message, "gRPC UNAUTHENTICATED: who?");
  EXPECT_EQ(send().fate, Fate::accepted);
  EXPECT_EQ(peer_.connections, 1);
}

TEST_F(GrpcSenderTest, an_answer_may_come_before_all_has_left) {
  peer_.window = 1000;
  PeerAnswer answer;
  answer.early = answer.headers_only = true;
  answer.trailers = Fields{{"grpc-status", "8"}, {"grpc-message", "slow down"}};
  peer_.script.push_back(answer);
  EXPECT_EQ(send(500'000).message, "gRPC RESOURCE_EXHAUSTED: slow down");
  EXPECT_EQ(send().fate, Fate::accepted);
}

TEST_F(GrpcSenderTest, goaway_leads_to_a_new_connection) {
  PeerAnswer last;
  last.goaway_after = true;
  EXPECT_EQ(send(last).fate, Fate::accepted);
  EXPECT_EQ(send().fate, Fate::accepted);
  EXPECT_EQ(peer_.connections, 2);
  // One that was not looked at is sent again at once on a new one, but not twice.
  PeerAnswer unseen;
  unseen.goaway = true;
  EXPECT_EQ(send(unseen).fate, Fate::accepted);
  EXPECT_EQ(peer_.connections, 3);
  peer_.script.push_back(unseen);
  EXPECT_EQ(send(unseen).fate, Fate::retry);
  EXPECT_EQ(peer_.connections, 4);
}

TEST_F(GrpcSenderTest, a_connection_that_ended_meanwhile_is_made_anew) {
  EXPECT_EQ(send().fate, Fate::accepted);
  PeerAnswer gone;
  gone.close = true;
  EXPECT_EQ(send(gone).fate, Fate::accepted);
  EXPECT_EQ(peer_.connections, 2);
  peer_.script.push_back(gone);
  const Outcome outcome = send(gone);
  EXPECT_EQ(outcome.fate, Fate::retry);
  EXPECT_THAT(outcome.message, HasSubstr("closed the connection"));
  peer_.refuses = true;
  EXPECT_THAT(send().message, HasSubstr("nobody listens"));
}

TEST_F(GrpcSenderTest, silence_ends_with_the_time_out_and_a_new_connection) {
  EXPECT_EQ(send().fate, Fate::accepted);
  PeerAnswer silent;
  silent.silent = true;
  const Outcome outcome = send(silent);
  EXPECT_EQ(outcome.fate, Fate::retry);
  EXPECT_THAT(outcome.message, HasSubstr("says nothing"));
  EXPECT_EQ(peer_.connections, 1);  // it may have been taken: not sent again at once
  EXPECT_EQ(send().fate, Fate::accepted);
  EXPECT_EQ(peer_.connections, 2);
}

TEST_F(GrpcSenderTest, a_reset_stream_is_tried_again_later) {
  for (const uint32_t error : {0u, 1u, 2u, 7u, 8u, 11u}) {
    PeerAnswer answer;
    answer.reset = error;
    const Outcome outcome = send(answer);
    EXPECT_EQ(outcome.fate, Fate::retry) << error;
    EXPECT_FALSE(outcome.message.empty());
  }
  EXPECT_EQ(send().fate, Fate::accepted);
}

TEST_F(GrpcSenderTest, what_is_no_grpc_is_told_and_waited_out) {
  const auto message = [&](std::string raw) {
    PeerAnswer answer;
    answer.raw = std::move(raw);
    make();
    const Outcome outcome = send(std::move(answer));
    EXPECT_EQ(outcome.fate, Fate::retry) << outcome.message;
    return outcome.message;
  };
  EXPECT_THAT(message("HTTP/1.1 400 Bad Request\r\n\r\n"), HasSubstr("HTTP/1, not in HTTP/2"));
  EXPECT_NE(message(std::string(64, '\xff')), "");
  EXPECT_NE(message(std::string(64, '\0')), "");
  EXPECT_NE(message(std::string("\0\0\0\4\0\0\0\0\0", 9)), "");  // SETTINGS, and nothing more
  PeerAnswer answer;
  answer.headers = {{":status", "200"}, {"content-type", "text/html"}};
  answer.trailers.reset();
  answer.body = "<html>";
  EXPECT_EQ(send(answer).message, "gRPC UNKNOWN: not an answer of gRPC");
  answer.headers = {{":status", "503"}};
  EXPECT_EQ(send(answer).message, "gRPC UNAVAILABLE: HTTP 503");
}

TEST_F(GrpcSenderTest, headers_that_are_not_metadata_stop_the_start) {
  for (const char* name : {"Host", "TE", "grpc-timeout", "Content-Type"}) {
    settings_.headers = {{name, "x"}};
    const auto made = make_grpc_sender(std::make_unique<test::PeerNetwork>(peer_),
                                       {settings_, "contextcore/1", "store-1", &clock_});
    ASSERT_FALSE(made.ok()) << name;
    EXPECT_EQ(made.error().code, Code::invalid_argument);
  }
}

}  // namespace
}  // namespace contextcore::net
