// Our codec against protoc's, on random telemetry.

#include <gtest/gtest.h>

#include "otlp/protobuf.h"
#include "otlp/random_telemetry.h"
#include "otlp/reference.h"
#include "otlp/tempo_json.h"

namespace contextcore::otlp::test {
namespace {

constexpr uint64_t kSeeds = 400;

// The reference complains on stderr about every message that it refuses.
[[maybe_unused]] google::protobuf::LogHandler* const kQuiet =
    google::protobuf::SetLogHandler(nullptr);

TEST(ProtobufReference, TracesAgreeBothWaysToTheByte) {
  size_t spans = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const TracesData data = RandomTelemetry(seed).traces();
    spans += data.span_count();
    const std::string theirs = to_reference(data).SerializeAsString();
    const auto decoded = decode_traces_protobuf(theirs);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_EQ(*decoded, data);
    const std::string ours = encode_protobuf(data);
    ASSERT_EQ(ours, theirs);
    reference::TracesData parsed;
    ASSERT_TRUE(parsed.ParseFromString(ours));
    ASSERT_EQ(from_reference(parsed), data);
  }
  EXPECT_GT(spans, kSeeds);
}

TEST(ProtobufReference, LogsAgreeBothWaysToTheByte) {
  size_t records = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const LogsData data = RandomTelemetry(seed).logs();
    records += data.record_count();
    const std::string theirs = to_reference(data).SerializeAsString();
    const auto decoded = decode_logs_protobuf(theirs);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_EQ(*decoded, data);
    const std::string ours = encode_protobuf(data);
    ASSERT_EQ(ours, theirs);
    reference::LogsData parsed;
    ASSERT_TRUE(parsed.ParseFromString(ours));
    ASSERT_EQ(from_reference(parsed), data);
  }
  EXPECT_GT(records, kSeeds);
}

// Two messages one after the other are one message: repeated fields joined, scalars overwritten,
// sub-messages merged.
TEST(ProtobufReference, ConcatenatedMessagesMerge) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    RandomTelemetry random(seed);
    std::string span_bytes;
    append_span_protobuf(random.span(), span_bytes);
    append_span_protobuf(random.span(), span_bytes);
    reference::Span span;
    ASSERT_TRUE(span.ParseFromString(span_bytes));
    const auto decoded_span = decode_span_protobuf(span_bytes);
    ASSERT_TRUE(decoded_span.ok()) << decoded_span.error().message;
    ASSERT_EQ(*decoded_span, from_reference(span));

    std::string record_bytes;
    for (int i = 0; i < 3; ++i) append_log_record_protobuf(random.log_record(), record_bytes);
    reference::LogRecord record;
    ASSERT_TRUE(record.ParseFromString(record_bytes));
    const auto decoded_record = decode_log_record_protobuf(record_bytes);
    ASSERT_TRUE(decoded_record.ok()) << decoded_record.error().message;
    ASSERT_EQ(*decoded_record, from_reference(record));
  }
}

TEST(ProtobufReference, CutAnywhereItIsRefusedWhereProtocRefusesIt) {
  size_t refused = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    std::string bytes;
    append_span_protobuf(RandomTelemetry(seed).span(), bytes);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const std::string cut = bytes.substr(0, size);
      reference::Span span;
      const bool accepted = span.ParseFromString(cut);
      const auto decoded = decode_span_protobuf(cut);
      ASSERT_EQ(decoded.ok(), accepted) << size;
      if (accepted) {
        ASSERT_EQ(*decoded, from_reference(span)) << size;
        continue;
      }
      ++refused;
      EXPECT_EQ(decoded.error().code, Code::invalid_argument);
      EXPECT_NE(decoded.error().message.find("(byte "), std::string::npos)
          << decoded.error().message;
      ASSERT_TRUE(decoded.error().position.has_value());
      EXPECT_GE(*decoded.error().position, 0);
      EXPECT_LE(*decoded.error().position, static_cast<int64_t>(size));
    }
  }
  EXPECT_GT(refused, 1000U);
}

// Where we are stricter than protoc (ids, wire types, reserved numbers) we may refuse; what we
// accept has to mean the same.
TEST(ProtobufReference, DamagedMessagesThatWeAcceptMeanTheSame) {
  size_t accepted = 0;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    SCOPED_TRACE(seed);
    RandomTelemetry random(seed);
    std::string bytes;
    append_log_record_protobuf(random.log_record(), bytes);
    bytes = random.mutate(std::move(bytes));
    const auto decoded = decode_log_record_protobuf(bytes);
    if (!decoded.ok()) continue;
    ++accepted;
    reference::LogRecord record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    ASSERT_EQ(*decoded, from_reference(record));
  }
  EXPECT_GT(accepted, 200U);
}

TEST(ProtobufReference, SkipsFieldsOfTheFuture) {
  reference::FutureSpan future;
  future.set_name("n");
  future.set_new_varint(~uint64_t{0});
  future.set_new_fixed64(1);
  future.set_new_fixed32(2);
  future.set_new_bytes("\xff\x00");
  future.set_flags(257);
  const auto decoded = decode_span_protobuf(future.SerializeAsString());
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  Span expected;
  expected.name = "n";
  expected.flags = 257;
  EXPECT_EQ(*decoded, expected);
}

TEST(ProtobufReference, ExportResponse) {
  EXPECT_EQ(encode_export_response_protobuf(0, ""), "");
  reference::ExportResponse response;
  ASSERT_TRUE(response.ParseFromString(encode_export_response_protobuf(3, "too old")));
  EXPECT_EQ(response.partial_success().rejected(), 3);
  EXPECT_EQ(response.partial_success().error_message(), "too old");
  ASSERT_TRUE(response.ParseFromString(encode_export_response_protobuf(0, "a warning")));
  EXPECT_EQ(response.partial_success().rejected(), 0);
  EXPECT_EQ(response.partial_success().error_message(), "a warning");
}

TEST(ProtobufReference, TempoAnswers) {
  TracesData data;
  for (uint64_t seed = 0; data.span_count() < 2; ++seed) data = RandomTelemetry(seed).traces();
  data.resource_spans[0].resource = {};
  reference::TracesData trace;
  ASSERT_TRUE(trace.ParseFromString(encode_tempo_trace_protobuf(data)));
  EXPECT_EQ(from_reference(trace), data);
  for (const auto& outer : trace.resource_spans()) {
    EXPECT_TRUE(outer.has_resource());
    for (const auto& inner : outer.scope_spans()) {
      EXPECT_TRUE(inner.has_scope());
      for (const auto& span : inner.spans()) EXPECT_TRUE(span.has_status());
    }
  }
  reference::TempoTraceById answer;
  ASSERT_TRUE(answer.ParseFromString(encode_tempo_trace_by_id_protobuf(data, {77, true, "cut"})));
  EXPECT_EQ(from_reference(answer.trace()), data);
  EXPECT_EQ(answer.metrics().inspected_bytes(), 77U);
  EXPECT_EQ(answer.status(), 1);
  EXPECT_EQ(answer.message(), "cut");
  ASSERT_TRUE(answer.ParseFromString(encode_tempo_trace_by_id_protobuf({}, {})));
  EXPECT_TRUE(answer.has_trace());
  EXPECT_TRUE(answer.has_metrics());
  EXPECT_EQ(answer.status(), 0);
}

}  // namespace
}  // namespace contextcore::otlp::test
