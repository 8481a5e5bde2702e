// Whatever the JSON decoders accept comes back the same from the JSON and from the protobuf that we
// write. Any bytes are safe to decode.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "otlp/json.h"
#include "otlp/protobuf.h"

namespace otlp = contextcore::otlp;

namespace {

template <typename Data, typename DecodeJson, typename DecodeProtobuf>
void round_trip(std::string_view text, DecodeJson from_json, DecodeProtobuf from_protobuf) {
  const contextcore::Result<Data> first = from_json(text);
  if (!first.ok()) {
    if (first.error().message.empty()) std::abort();
    return;
  }
  const std::string written = otlp::encode_json(*first);
  const contextcore::Result<Data> second = from_json(written);
  if (!second.ok() || !(*second == *first)) std::abort();
  if (otlp::encode_json(*second) != written) std::abort();
  const contextcore::Result<Data> third = from_protobuf(otlp::encode_protobuf(*first));
  if (!third.ok() || !(*third == *first)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  round_trip<otlp::TracesData>(
      text, [](std::string_view json) { return otlp::decode_traces_json(json); },
      [](std::string_view bytes) { return otlp::decode_traces_protobuf(bytes); });
  round_trip<otlp::LogsData>(
      text, [](std::string_view json) { return otlp::decode_logs_json(json); },
      [](std::string_view bytes) { return otlp::decode_logs_protobuf(bytes); });
  round_trip<otlp::MetricsData>(
      text, [](std::string_view json) { return otlp::decode_metrics_json(json); },
      [](std::string_view bytes) { return otlp::decode_metrics_protobuf(bytes); });
  return 0;
}
