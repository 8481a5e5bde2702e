// Any bytes are safe as a file of OTLP: reading ends, moves on with every request, and says where
// it fails.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "otlp/otlp_file.h"

namespace otlp = contextcore::otlp;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  otlp::OtlpFileLimits limits;
  limits.raw_bytes_max = 1 << 20;
  const auto raw =
      otlp::unpack_otlp_file(std::string(reinterpret_cast<const char*>(data), size), limits);
  if (!raw.ok()) return 0;
  otlp::OtlpFileReader reader(*raw, limits);
  while (true) {
    const size_t before = reader.position();
    const auto request = reader.next();
    if (!request.ok()) {
      if (request.error().message.empty()) std::abort();
      return 0;
    }
    if (!*request) return 0;
    if (reader.position() <= before || reader.position() > raw->size()) std::abort();
  }
}
