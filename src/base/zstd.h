#pragma once
// zstd frames in memory, bounded.

#include <string>
#include <string_view>

#include "base/result.h"

namespace contextcore {

// Decodes all frames of data. resource_exhausted when the result would exceed bytes_max;
// invalid_argument when a frame is damaged or cut off.
Result<std::string> unzstd(std::string_view data, size_t bytes_max);

}  // namespace contextcore
