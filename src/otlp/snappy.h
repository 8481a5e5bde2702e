#pragma once
// Snappy's block format (no framing), as Prometheus' remote-write sends it.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace contextcore::otlp {

std::string snappy_compress(std::string_view raw);
// invalid_argument: not a block; resource_exhausted: it would become larger than raw_bytes_max
// (known before anything is allocated).
Result<std::string> snappy_uncompress(std::string_view compressed, size_t raw_bytes_max);

}  // namespace contextcore::otlp
