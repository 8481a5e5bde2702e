// What a status of gRPC means for what was sent.

#include "export/grpc_answer.h"

#include <gtest/gtest.h>

#include <map>

#include "base/hash.h"
#include "base/time.h"

namespace contextcore::exporter {
namespace {

GrpcAnswer status(int code, std::string message = {}, std::string details = {}) {
  GrpcAnswer answer;
  answer.http_status = 200;
  answer.headers = {{"content-type", "application/grpc"}};
  answer.trailers = {{"grpc-status", std::to_string(code)}, {"grpc-message", std::move(message)}};
  if (!details.empty()) answer.trailers.emplace_back("grpc-status-details-bin", std::move(details));
  return answer;
}

std::string field(char tag, const std::string& bytes) {
  return std::string{static_cast<char>(tag << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}
// google.rpc.Status { code: 8, details: RetryInfo { retry_delay } }
std::string retry_info(const std::string& duration) {
  return std::string("\x08\x08") + field(3, field(1, "type.googleapis.com/google.rpc.RetryInfo") +
                                                field(2, field(1, duration)));
}

TEST(JudgeGrpcTest, tells_apart_whose_fault_it_is) {
  const std::map<int, Fate> fates = {
      {0, Fate::accepted}, {1, Fate::retry},    {2, Fate::refused},  {3, Fate::refused},
      {4, Fate::retry},    {5, Fate::retry},    {6, Fate::refused},  {7, Fate::retry},
      {8, Fate::retry},    {9, Fate::refused},  {10, Fate::retry},   {11, Fate::retry},
      {12, Fate::retry},   {13, Fate::refused}, {14, Fate::retry},   {15, Fate::retry},
      {16, Fate::retry},   {17, Fate::refused}, {999, Fate::refused}};
  for (const auto& [code, fate] : fates) {
    EXPECT_EQ(judge_grpc(status(code)).fate, fate) << code;
    EXPECT_EQ(judge_grpc(status(code)).status, code);
  }
  EXPECT_EQ(judge_grpc(status(99)).message, "gRPC 99");
}

TEST(JudgeGrpcTest, reads_the_first_line_of_the_words) {
  EXPECT_EQ(judge_grpc(status(3, "caf%C3%A9 100%25%0Amore")).message,
            "gRPC INVALID_ARGUMENT: café 100%");
  EXPECT_EQ(judge_grpc(status(3, "%, %4 and %zz%00")).message,
            "gRPC INVALID_ARGUMENT: %, %4 and %zz ");
  EXPECT_LE(judge_grpc(status(3, std::string(100'000, 'x'))).message.size(), 600u);
}

TEST(JudgeGrpcTest, what_the_receiver_finds_too_large_is_tried_in_parts) {
  for (const char* words :
       {"grpc: received message larger than max (5 vs. 4)",
        "Received message larger than max (5 vs. 4)", "gRPC message exceeds maximum size 4: 5"})
    EXPECT_EQ(judge_grpc(status(8, words)).fate, Fate::too_large) << words;
}

TEST(JudgeGrpcTest, waits_as_long_as_it_is_asked_to) {
  // Duration { seconds: 7, nanos: 5 }
  const std::string details = retry_info("\x08\x07\x10\x05");
  for (const int code : {8, 14}) {
    EXPECT_EQ(judge_grpc(status(code, "", to_base64(details))).retry_after_ns, 7 * kSecondNs + 5);
  }
  std::string unpadded = to_base64(details);
  while (unpadded.ends_with('=')) unpadded.pop_back();
  EXPECT_EQ(judge_grpc(status(8, "", unpadded)).retry_after_ns, 7 * kSecondNs + 5);
  EXPECT_EQ(judge_grpc(status(8, "", to_base64(retry_info("")))).retry_after_ns, 0);
  EXPECT_EQ(judge_grpc(status(8, "", to_base64(retry_info("\x08\xff\xff\x7f")))).retry_after_ns,
            kHourNs);
  const std::string minus("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
  EXPECT_EQ(judge_grpc(status(8, "", to_base64(retry_info(minus)))).retry_after_ns, 0);
  // A message that is too large is no such case, when a delay is asked for.
  EXPECT_EQ(judge_grpc(status(8, "larger than max", to_base64(details))).fate, Fate::retry);
  for (size_t n = 0; n < details.size(); ++n) {
    EXPECT_EQ(judge_grpc(status(8, "", to_base64(details.substr(0, n)))).retry_after_ns,
              std::nullopt)
        << n;
  }
  EXPECT_EQ(judge_grpc(status(8, "", "no base64!")).retry_after_ns, std::nullopt);
  EXPECT_EQ(judge_grpc(status(3, "", to_base64(details))).retry_after_ns, std::nullopt);
}

TEST(JudgeGrpcTest, only_the_receiver_refuses_data) {
  const std::map<int, int> codes = {{400, 13}, {401, 16}, {403, 7},  {404, 12}, {429, 14}, {500, 2},
                                    {502, 14}, {503, 14}, {504, 14}, {302, 2},  {200, 2}};
  for (const auto& [http, code] : codes) {
    GrpcAnswer answer;
    answer.http_status = http;
    EXPECT_EQ(judge_grpc(answer).fate, Fate::retry) << http;
    EXPECT_EQ(judge_grpc(answer).status, code) << http;
  }
  GrpcAnswer answer;
  answer.http_status = 413;
  EXPECT_EQ(judge_grpc(answer).fate, Fate::too_large);
  // A status counts, whatever HTTP says.
  answer.trailers = {{"grpc-status", "3"}};
  EXPECT_EQ(judge_grpc(answer).fate, Fate::refused);
  // Resets, by HTTP/2's errors.
  const std::map<uint32_t, int> resets = {{1, 13}, {2, 13}, {7, 14}, {8, 1}, {11, 8}, {12, 7}};
  for (const auto& [error, code] : resets) {
    GrpcAnswer reset;
    reset.reset = error;
    EXPECT_EQ(judge_grpc(reset).status, code) << error;
    EXPECT_EQ(judge_grpc(reset).fate, Fate::retry) << error;
  }
}

TEST(JudgeGrpcTest, reads_partial_success_and_accepts_what_it_cannot_read) {
  GrpcAnswer answer = status(0);
  answer.body = grpc_frame("\x0a\x07\x08\x02\x12\x03no!", false);
  EXPECT_EQ(judge_grpc(answer).rejected, 2);
  EXPECT_EQ(judge_grpc(answer).message, "no!");
  const std::string whole = answer.body;
  for (size_t n = 0; n < whole.size(); ++n) {
    answer.body = whole.substr(0, n);
    EXPECT_EQ(judge_grpc(answer).fate, Fate::accepted);
    EXPECT_EQ(judge_grpc(answer).rejected, 0);
  }
  answer.body = whole;
  answer.body[0] = 1;  // compressed, which nobody had asked for
  EXPECT_EQ(judge_grpc(answer).fate, Fate::accepted);
}

TEST(GrpcFrameTest, prefix_and_timeout) {
  EXPECT_EQ(grpc_frame("ab", true), std::string("\1\0\0\0\2ab", 7));
  EXPECT_EQ(grpc_frame(std::string(0x010203, 'x'), false).substr(0, 5),
            std::string("\0\0\1\2\3", 5));
  EXPECT_EQ(grpc_timeout(1), "1m");
  EXPECT_EQ(grpc_timeout(10 * kSecondNs), "10000m");
  EXPECT_EQ(grpc_timeout(99'999'999 * kMillisecondNs), "99999999m");
  EXPECT_EQ(grpc_timeout(100'000 * kSecondNs), "100000S");
  EXPECT_EQ(grpc_timeout(INT64_MAX), "2562047H");
}

}  // namespace
}  // namespace contextcore::exporter
