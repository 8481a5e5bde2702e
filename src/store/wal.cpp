#include "store/wal.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "store/store_codec.h"

namespace contextcore::store {
namespace {

constexpr std::string_view kMagic = "ctxcwal1";
constexpr uint64_t kHeaderBytes = 32;
constexpr uint64_t kAllocateBytes = 256 * 1024;
constexpr uint64_t kReadBytes = 1024 * 1024;

uint64_t store_digest(const std::string& store_id) { return xxh3_64(store_id); }

std::string header_bytes(uint64_t epoch, const std::string& store_id) {
  std::string out;
  RecordWriter writer(out);
  writer.raw(kMagic);
  writer.u64(epoch);
  writer.u64(store_digest(store_id));
  writer.u64(xxh3_64(out));
  return out;
}

// The seed of the first frame: no other epoch and no other store has it.
uint64_t first_seed(uint64_t epoch, const std::string& store_id) {
  return xxh3_64(header_bytes(epoch, store_id), epoch);
}

}  // namespace

Result<std::unique_ptr<WalFile>> WalFile::create(FileSystem& files, const std::string& path,
                                                 uint64_t epoch, const std::string& store_id) {
  CC_ASSIGN(auto file, files.open(path, OpenMode::create));
  std::unique_ptr<WalFile> wal(
      new WalFile(std::move(file), epoch, first_seed(epoch, store_id), true));
  CC_ASSIGN(wal->allocated_, wal->file_->size());
  CC_TRY(wal->reserve(kHeaderBytes));
  CC_TRY(wal->write(0, header_bytes(epoch, store_id)));
  CC_TRY(wal->sync());
  return wal;
}

Result<std::unique_ptr<WalFile>> WalFile::open(FileSystem& files, const std::string& path,
                                               uint64_t epoch, const std::string& store_id,
                                               bool writable) {
  CC_ASSIGN(auto file, files.open(path, writable ? OpenMode::read_write : OpenMode::read));
  std::unique_ptr<WalFile> wal(
      new WalFile(std::move(file), epoch, first_seed(epoch, store_id), writable));
  CC_ASSIGN(const std::string header, wal->read_range(0, kHeaderBytes));
  if (header != header_bytes(epoch, store_id)) {
    return {Code::unavailable, "the log file " + path + " is not of epoch " +
                                   std::to_string(epoch) + " of this store"};
  }
  CC_ASSIGN(wal->allocated_, wal->file_->size());
  return wal;
}

WalPosition WalFile::start(uint64_t sequence) const { return {kHeaderBytes, seed_, sequence}; }

Result<std::string> WalFile::read_range(uint64_t begin, uint64_t end) const {
  std::string bytes(end - begin, '\0');
  CC_ASSIGN(const size_t got, file_->read_at(begin, bytes.data(), bytes.size()));
  bytes.resize(got);
  return bytes;
}

Status WalFile::replay(WalPosition& position, uint64_t end,
                       const std::function<Status(const Frame& frame)>& fn) const {
  CC_ASSIGN(const uint64_t file_size, file_->size());
  const uint64_t limit = std::min(end, file_size);
  uint64_t chunk_bytes = kReadBytes;
  while (position.offset < limit) {
    const uint64_t chunk_end = position.offset + std::min(limit - position.offset, chunk_bytes);
    CC_ASSIGN(const std::string chunk, read_range(position.offset, chunk_end));
    size_t at = 0;
    FrameState state = FrameState::partial;
    while (at < chunk.size()) {
      Frame frame;
      state = read_frame(std::string_view(chunk).substr(at), epoch_, position.seed, frame);
      if (state != FrameState::valid) break;
      if (frame.sequence != position.sequence + 1) return {};
      CC_TRY(fn(frame));
      at += frame.size;
      position = {position.offset + frame.size, frame.checksum, frame.sequence};
    }
    if (state == FrameState::newer) {
      return Error{Code::unsupported,
                   "frame " + std::to_string(position.sequence + 1) +
                       " of the log is of a format that this version does not know",
                   "use the version that wrote it, or a newer one",
                   {},
                   {}};
    }
    if (state == FrameState::none || chunk_end == limit) return {};
    // Cut off in the middle of a frame: read on from its start, more of it if it was the first.
    chunk_bytes = at == 0 ? chunk_bytes * 4 : kReadBytes;
  }
  return {};
}

Result<bool> WalFile::has_frame_at(uint64_t offset) const {
  CC_ASSIGN(const std::string header, read_range(offset, offset + kFrameHeaderBytes));
  if (header.size() < kFrameHeaderBytes) return false;
  Frame frame;
  return read_frame(header, epoch_, 0, frame) == FrameState::partial;
}

Status WalFile::reserve(uint64_t end) {
  if (end <= allocated_) return {};
  // Doubling up to a point: a small store has a small log, a busy one allocates seldom.
  const uint64_t step = std::clamp(allocated_, kAllocateBytes, 16 * kAllocateBytes);
  const uint64_t size = (end / step + 1) * step;
  CC_TRY(file_->allocate(size));
  allocated_ = size;
  return {};
}

Status WalFile::rewrite(uint64_t begin, uint64_t end) {
  for (uint64_t at = begin; at < end; at += kReadBytes) {
    CC_ASSIGN(const std::string bytes, read_range(at, std::min(end, at + kReadBytes)));
    CC_TRY(write(at, bytes));
  }
  return sync();
}

}  // namespace contextcore::store
