#include "otlp/snappy.h"

#include <snappy.h>

#include <fmt/format.h>

namespace contextcore::otlp {

std::string snappy_compress(std::string_view raw) {
  std::string out;
  snappy::Compress(raw.data(), raw.size(), &out);
  return out;
}

Result<std::string> snappy_uncompress(std::string_view compressed, size_t raw_bytes_max) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(compressed.data(), compressed.size(), &size)) {
    return {Code::invalid_argument, "snappy: the block does not begin with its length"};
  }
  if (size > raw_bytes_max) {
    return {Code::resource_exhausted,
            fmt::format("snappy: the block becomes {} bytes, {} at most are taken", size,
                        raw_bytes_max)};
  }
  if (!snappy::IsValidCompressedBuffer(compressed.data(), compressed.size())) {
    return {Code::invalid_argument, "snappy: the block is damaged"};
  }
  std::string out(size, '\0');
  if (!snappy::RawUncompress(compressed.data(), compressed.size(), out.data())) {
    return {Code::invalid_argument, "snappy: the block is damaged"};
  }
  return out;
}

}  // namespace contextcore::otlp
