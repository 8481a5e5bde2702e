#pragma once
// gzip and zlib streams in memory, bounded.

#include <string>
#include <string_view>

#include "base/result.h"

namespace contextcore {

// Decodes gzip (several members too) or zlib ("deflate"), told apart by their headers.
// resource_exhausted when the result would exceed bytes_max; invalid_argument when the stream is
// damaged or cut off.
Result<std::string> gunzip(std::string_view data, size_t bytes_max);
std::string gzip(std::string_view data);

}  // namespace contextcore
