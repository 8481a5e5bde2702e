#pragma once
// Prometheus' remote-write 1.0: prometheus.WriteRequest as plain values and its protobuf, both
// ways. The body on the wire is this message as one snappy block (snappy.h). Kept: series with
// labels and samples, metadata. Exemplars and native histograms are counted, not kept: who receives
// has to say so. Values come back bit for bit (stale markers are NaNs with a payload). Reentrant.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace contextcore::otlp {

struct RemoteWriteLabel {
  std::string name, value;
  bool operator==(const RemoteWriteLabel&) const = default;
};

struct RemoteWriteSample {
  double value = 0;
  int64_t timestamp_ms = 0;
  bool operator==(const RemoteWriteSample& other) const;  // values by bits
};

struct RemoteWriteSeries {
  std::vector<RemoteWriteLabel> labels;  // order and duplicates as sent
  std::vector<RemoteWriteSample> samples;
  uint64_t exemplars = 0;   // that came and are not kept
  uint64_t histograms = 0;  // native ones; likewise
  bool operator==(const RemoteWriteSeries&) const = default;
};

// Numbers beyond the enum are kept as sent.
enum class RemoteWriteType : int32_t {
  unknown = 0,
  counter = 1,
  gauge = 2,
  histogram = 3,
  gauge_histogram = 4,
  summary = 5,
  info = 6,
  state_set = 7
};

struct RemoteWriteMetadata {
  RemoteWriteType type = RemoteWriteType::unknown;
  std::string metric_family_name, help, unit;
  bool operator==(const RemoteWriteMetadata&) const = default;
};

struct RemoteWriteRequest {
  std::vector<RemoteWriteSeries> series;
  std::vector<RemoteWriteMetadata> metadata;
  size_t sample_count() const;
  bool operator==(const RemoteWriteRequest&) const = default;
};

// Bounds on a request; more is resource_exhausted.
struct RemoteWriteLimits {
  size_t raw_bytes_max = size_t{64} << 20;  // after decompression
  size_t labels_max = 10'000;               // of one series
  size_t items_max = 10'000'000;            // series, samples and metadata together
};

// The message. Errors name what is wrong and where (byte offset).
Result<RemoteWriteRequest> decode_remote_write(std::string_view bytes,
                                               const RemoteWriteLimits& limits = {});
std::string encode_remote_write(const RemoteWriteRequest& request);

// The body: the message in a snappy block.
Result<RemoteWriteRequest> decode_remote_write_body(std::string_view body,
                                                    const RemoteWriteLimits& limits = {});
std::string encode_remote_write_body(const RemoteWriteRequest& request);

// "counter", "gauge", …, "unknown" for every other number.
std::string_view remote_write_type_name(RemoteWriteType type);
RemoteWriteType remote_write_type(std::string_view name);

}  // namespace contextcore::otlp
