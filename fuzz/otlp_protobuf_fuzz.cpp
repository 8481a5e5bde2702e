// Whatever the protobuf decoders accept comes back the same from what we write, and what we write
// is stable. Any bytes are safe to decode.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>

#include "otlp/metric_batch.h"
#include "otlp/protobuf.h"

namespace otlp = contextcore::otlp;

namespace {

template <typename Data, typename Decode>
void round_trip(std::string_view bytes, Decode decode) {
  const contextcore::Result<Data> first = decode(bytes);
  if (!first.ok()) {
    const auto position = first.error().position;
    if (!position || *position < 0 || *position > static_cast<int64_t>(bytes.size())) std::abort();
    return;
  }
  const std::string written = otlp::encode_protobuf(*first);
  const contextcore::Result<Data> second = decode(written);
  if (!second.ok() || !(*second == *first)) std::abort();
  if (otlp::encode_protobuf(*second) != written) std::abort();
}

// A span reads its attributes in place where it can, a log record decodes them all.
void same_attributes(std::string_view bytes) {
  if (bytes.size() >= 0x80) return;
  const std::string tail = std::string(1, static_cast<char>(bytes.size())) + std::string(bytes);
  const auto span = otlp::decode_span_protobuf("\x4A" + tail);
  const auto record = otlp::decode_log_record_protobuf("\x32" + tail);
  if (span.ok() != record.ok() || (span.ok() && !(span->attributes == record->attributes))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  same_attributes(bytes);
  round_trip<otlp::TracesData>(
      bytes, [](std::string_view text) { return otlp::decode_traces_protobuf(text); });
  round_trip<otlp::LogsData>(
      bytes, [](std::string_view text) { return otlp::decode_logs_protobuf(text); });
  round_trip<otlp::MetricsData>(
      bytes, [](std::string_view text) { return otlp::decode_metrics_protobuf(text); });
  if (const auto metrics = otlp::decode_metrics_protobuf(bytes); metrics.ok()) {
    std::ignore = otlp::translate(*metrics, {});
  }
  return 0;
}
