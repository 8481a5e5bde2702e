// Remote-write against protoc's classes, and what is refused.

#include "otlp/remote_write.h"

#include <gtest/gtest.h>

#include <bit>

#include "base/random.h"
#include "otlp/snappy.h"
#include "remote_write_reference.pb.h"

namespace contextcore::otlp::test {
namespace {

namespace reference = contextcore::test::remote_write;

constexpr uint64_t kSeeds = 300;

std::string text(SeededRandom& random) {
  static constexpr std::string_view kPieces[] = {"a",      "__name__", "é",  "日",
                                                 "_total", "\n",       "\"", "0"};
  std::string out;
  for (uint64_t n = random.below(5); n > 0; --n) out += kPieces[random.below(std::size(kPieces))];
  return out;
}

RemoteWriteRequest random_request(uint64_t seed) {
  SeededRandom random(seed);
  RemoteWriteRequest request;
  for (uint64_t n = random.below(5); n > 0; --n) {
    RemoteWriteSeries& series = request.series.emplace_back();
    for (uint64_t k = random.below(4); k > 0; --k) {
      series.labels.push_back({text(random), text(random)});
    }
    for (uint64_t k = random.below(4); k > 0; --k) {
      const uint64_t bits = random.below(3) == 0 ? 0x7ff0000000000002 : random.next_u64();
      series.samples.push_back({std::bit_cast<double>(bits),
                                static_cast<int64_t>(random.next_u64() >> random.below(64))});
    }
    series.exemplars = random.below(3);
    series.histograms = random.below(2);
  }
  for (uint64_t n = random.below(3); n > 0; --n) {
    request.metadata.push_back(
        {static_cast<RemoteWriteType>(random.below(9)), text(random), text(random), text(random)});
  }
  return request;
}

reference::WriteRequest to_reference(const RemoteWriteRequest& request) {
  reference::WriteRequest out;
  for (const RemoteWriteSeries& series : request.series) {
    auto& to = *out.add_timeseries();
    for (const RemoteWriteLabel& label : series.labels) {
      auto& pair = *to.add_labels();
      pair.set_name(label.name);
      pair.set_value(label.value);
    }
    for (const RemoteWriteSample& sample : series.samples) {
      auto& point = *to.add_samples();
      point.set_value(sample.value);
      point.set_timestamp(sample.timestamp_ms);
    }
    for (uint64_t i = 0; i < series.exemplars; ++i) to.add_exemplars()->set_value(1);
    for (uint64_t i = 0; i < series.histograms; ++i) to.add_histograms()->set_count_int(1);
  }
  for (const RemoteWriteMetadata& metadata : request.metadata) {
    auto& to = *out.add_metadata();
    to.set_type(static_cast<reference::MetricMetadata::MetricType>(metadata.type));
    to.set_metric_family_name(metadata.metric_family_name);
    to.set_help(metadata.help);
    to.set_unit(metadata.unit);
  }
  return out;
}

TEST(RemoteWrite, AgreesWithTheReferenceBothWays) {
  size_t samples = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    RemoteWriteRequest request = random_request(seed);
    samples += request.sample_count();
    const auto decoded = decode_remote_write(to_reference(request).SerializeAsString());
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_EQ(*decoded, request);
    for (RemoteWriteSeries& series : request.series) series.exemplars = series.histograms = 0;
    EXPECT_EQ(encode_remote_write(request), to_reference(request).SerializeAsString());
    const auto body = decode_remote_write_body(encode_remote_write_body(request));
    ASSERT_TRUE(body.ok()) << body.error().message;
    EXPECT_EQ(*body, request);
  }
  EXPECT_GT(samples, kSeeds);
}

TEST(RemoteWrite, CutBytesAreRefusedOrShorter) {
  const std::string bytes = encode_remote_write(random_request(3));
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = decode_remote_write(std::string_view(bytes).substr(0, size));
    if (decoded.ok()) {
      EXPECT_LE(encode_remote_write(*decoded).size(), size);
    } else {
      EXPECT_EQ(decoded.error().code, Code::invalid_argument);
      EXPECT_LE(*decoded.error().position, static_cast<int64_t>(size));
    }
  }
}

void expect_refused(const Result<RemoteWriteRequest>& decoded, Code code, std::string_view part) {
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().code, code);
  EXPECT_NE(decoded.error().message.find(part), std::string::npos) << decoded.error().message;
}

TEST(RemoteWrite, SaysWhatIsWrong) {
  RemoteWriteRequest request;
  request.series.push_back({{{"__name__", "up"}, {"job", "\xff"}}, {{1, 2}, {3, 4}}, 0, 0});
  expect_refused(decode_remote_write(encode_remote_write(request)), Code::invalid_argument,
                 "Label.value is not UTF-8");
  request.series[0].labels[1].value = "x";
  const std::string bytes = encode_remote_write(request);
  RemoteWriteLimits limits;
  limits.labels_max = 1;
  expect_refused(decode_remote_write(bytes, limits), Code::resource_exhausted,
                 "more than 1 labels");
  limits = {};
  limits.items_max = 2;
  expect_refused(decode_remote_write(bytes, limits), Code::resource_exhausted,
                 "more than 2 series");
  limits = {};
  limits.raw_bytes_max = bytes.size() - 1;
  expect_refused(decode_remote_write_body(snappy_compress(bytes), limits), Code::resource_exhausted,
                 "at most");
  expect_refused(decode_remote_write_body(bytes), Code::invalid_argument, "snappy");
  expect_refused(decode_remote_write_body(""), Code::invalid_argument, "snappy");
  expect_refused(decode_remote_write("\x0a"), Code::invalid_argument, "ends in the middle");
}

// A block of a few bytes may claim 4 GiB.
TEST(RemoteWrite, ABlockThatClaimsTooMuchIsRefusedUnread) {
  const std::string body("\xff\xff\xff\xff\x0f\x00", 6);
  expect_refused(decode_remote_write_body(body), Code::resource_exhausted,
                 "becomes 4294967295 bytes");
}

TEST(RemoteWrite, NamesOfTypes) {
  for (int32_t number = 0; number < 8; ++number) {
    const auto type = static_cast<RemoteWriteType>(number);
    EXPECT_EQ(remote_write_type(remote_write_type_name(type)), type);
  }
  EXPECT_EQ(remote_write_type_name(static_cast<RemoteWriteType>(-1)), "unknown");
  EXPECT_EQ(remote_write_type("no such"), RemoteWriteType::unknown);
}

}  // namespace
}  // namespace contextcore::otlp::test
