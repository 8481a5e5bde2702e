#include "base/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <memory>

namespace contextcore {

namespace {

constexpr int kAutoDetect = 32 + MAX_WBITS;
constexpr int kGzip = 16 + MAX_WBITS;
constexpr size_t kChunkBytes = 64 << 10;

Bytef* input_pointer(std::string_view data) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));  // zlib does not write to it
}

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};
struct DeflateEnd {
  void operator()(z_stream* stream) const { deflateEnd(stream); }
};

Error damaged() {
  return Error{Code::invalid_argument, "the compressed body is damaged or cut off", {}, {}, {}};
}

}  // namespace

Result<std::string> gunzip(std::string_view data, size_t bytes_max) {
  if (data.size() > UINT32_MAX)
    return Error{Code::resource_exhausted, "body too large", {}, {}, {}};
  z_stream stream{};
  if (inflateInit2(&stream, kAutoDetect) != Z_OK) {
    return Error{Code::internal, "zlib could not be set up", {}, {}, {}};
  }
  std::unique_ptr<z_stream, InflateEnd> guard(&stream);
  stream.next_in = input_pointer(data);
  stream.avail_in = static_cast<uInt>(data.size());
  std::string out;
  std::array<char, kChunkBytes> chunk;
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    int code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END) return damaged();
    size_t produced = chunk.size() - stream.avail_out;
    if (out.size() + produced > bytes_max) {
      return Error{
          Code::resource_exhausted,
          "the body is larger than " + std::to_string(bytes_max) + " bytes after decompression",
          "send smaller batches",
          {},
          {}};
    }
    out.append(chunk.data(), produced);
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (inflateReset(&stream) != Z_OK) return damaged();  // another member follows
    } else if (produced == 0 && stream.avail_in == 0) {
      return damaged();
    }
  }
}

std::string gzip(std::string_view data) {
  z_stream stream{};
  // Level 1: answers are sent once and never stored.
  if (deflateInit2(&stream, 1, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::unique_ptr<z_stream, DeflateEnd> guard(&stream);
  std::string out(deflateBound(&stream, static_cast<uLong>(data.size())), '\0');
  stream.next_in = input_pointer(data);
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  int code = deflate(&stream, Z_FINISH);
  assert(code == Z_STREAM_END);
  if (code != Z_STREAM_END) return {};
  out.resize(stream.total_out);
  return out;
}

}  // namespace contextcore
