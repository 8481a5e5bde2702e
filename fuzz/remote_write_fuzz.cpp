// Any bytes are safe as a remote-write body; what is accepted comes back the same from what we
// write.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>

#include "otlp/remote_write.h"

namespace otlp = contextcore::otlp;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  otlp::RemoteWriteLimits limits;
  limits.raw_bytes_max = 1 << 20;
  std::ignore = otlp::decode_remote_write_body(bytes, limits);
  auto first = otlp::decode_remote_write(bytes);
  if (!first.ok()) {
    const auto position = first.error().position;
    if (!position || *position < 0 || *position > static_cast<int64_t>(size)) std::abort();
    return 0;
  }
  for (otlp::RemoteWriteSeries& series : first->series) series.exemplars = series.histograms = 0;
  const std::string written = otlp::encode_remote_write(*first);
  const auto second = otlp::decode_remote_write_body(otlp::encode_remote_write_body(*first));
  if (!second.ok() || !(*second == *first) || otlp::encode_remote_write(*second) != written)
    std::abort();
  return 0;
}
