#include "base/zstd.h"

#include <zstd.h>

#include <memory>

namespace contextcore {

namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

Result<std::string> unzstd(std::string_view data, size_t bytes_max) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (!context) return Error{Code::internal, "zstd could not be set up", {}, {}, {}};
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  std::string out;
  std::string chunk(ZSTD_DStreamOutSize(), '\0');
  size_t left = 1;  // of the frame, as a hint; 0 at its end
  while (in.pos < in.size || left != 0) {
    ZSTD_outBuffer piece{chunk.data(), chunk.size(), 0};
    const size_t before = in.pos;
    left = ZSTD_decompressStream(context.get(), &piece, &in);
    const bool stuck = in.pos == before && piece.pos == 0;
    if (ZSTD_isError(left) != 0 || (stuck && left != 0))
      return Error{Code::invalid_argument, "the zstd data is damaged or cut off", {}, {}, {}};
    if (piece.pos > bytes_max - out.size()) {
      return Error{Code::resource_exhausted,
                   "more than " + std::to_string(bytes_max) + " bytes after decompression",
                   {},
                   {},
                   {}};
    }
    out.append(chunk, 0, piece.pos);
  }
  return out;
}

}  // namespace contextcore
