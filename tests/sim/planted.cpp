#include "sim/planted.h"

#include <utility>

#include "base/sim_scheduler.h"
#include "store/cut.h"
#include "store/digest.h"
#include "store/digest_file.h"
#include "store/frame.h"
#include "store/store_codec.h"
#include "store/trace_run.h"
#include "store/wal.h"

namespace contextcore::sim {
namespace {

Bug planted = Bug::none;
bool replaying = false;

bool is_log(const std::string& path) { return path.ends_with(".wal"); }
bool is_mark(const std::string& path) { return path.ends_with("/COMMIT"); }

// Whom a file of a lying file system has to tell of its syncs.
struct Promises {
  std::vector<std::shared_ptr<File>> unsynced;  // syncs that were reported and are still to come
};

class LyingFile : public File {
 public:
  LyingFile(std::unique_ptr<File> file, std::string path, std::shared_ptr<Promises> promises)
      : file_(std::move(file)), path_(std::move(path)), promises_(std::move(promises)) {}
  Result<size_t> read_at(uint64_t offset, char* out, size_t n) const override {
    return file_->read_at(offset, out, n);
  }
  Status write_at(uint64_t offset, std::string_view data) override {
    CC_TRY(file_->write_at(offset, data));
    if (is_mark(path_)) {
      for (const auto& file : std::exchange(promises_->unsynced, {})) CC_TRY(file->sync());
    }
    return {};
  }
  Status sync() override {
    if (planted == Bug::skipped_log_sync && is_log(path_)) return {};
    if (planted == Bug::mark_before_sync && is_log(path_)) {
      promises_->unsynced.push_back(file_);
      return {};
    }
    const Status status = file_->sync();
    if (planted == Bug::ignored_sync_error && is_log(path_)) return {};
    return status;
  }
  Result<uint64_t> size() const override { return file_->size(); }
  Status truncate(uint64_t size) override { return file_->truncate(size); }
  Status allocate(uint64_t size) override { return file_->allocate(size); }

 private:
  std::shared_ptr<File> file_;
  std::string path_;
  std::shared_ptr<Promises> promises_;
};

class NoLock : public FileLock {
 public:
  Status write_owner(std::string_view) override { return {}; }
};

class LyingFiles : public FileSystem {
 public:
  explicit LyingFiles(FileSystem& files) : files_(files) {}
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    CC_ASSIGN(auto file, files_.open(path, mode));
    return std::unique_ptr<File>(std::make_unique<LyingFile>(std::move(file), path, promises_));
  }
  Result<FileInfo> stat(const std::string& path) const override { return files_.stat(path); }
  Result<std::vector<std::string>> list(const std::string& path) const override {
    return files_.list(path);
  }
  Status make_directories(const std::string& path, uint32_t mode) override {
    return files_.make_directories(path, mode);
  }
  Status rename(const std::string& from, const std::string& to) override {
    return files_.rename(from, to);
  }
  Status remove(const std::string& path) override { return files_.remove(path); }
  Status sync_directory(const std::string& path) override {
    if (planted == Bug::skipped_directory_sync && path.ends_with("/store")) return {};
    return files_.sync_directory(path);
  }
  Result<std::unique_ptr<FileLock>> lock_while(const std::string& path, int64_t wait_ns,
                                               const StillWanted& still) override {
    if (planted == Bug::lost_lock) return std::unique_ptr<FileLock>(std::make_unique<NoLock>());
    return files_.lock_while(path, wait_ns, still);
  }
  std::string network_type(const std::string& path) const override {
    return files_.network_type(path);
  }

 protected:
  std::string temporary_path(const std::string& path) override {
    return path + ".tmp-" + std::to_string(SimScheduler::current()->group()) + "-" +
           std::to_string(++temporary_);
  }

 private:
  FileSystem& files_;
  std::shared_ptr<Promises> promises_ = std::make_shared<Promises>();
  uint64_t temporary_ = 0;
};

}  // namespace

const std::vector<PlantedBug>& planted_bugs() {
  static const std::vector<PlantedBug> bugs{
      {Bug::skipped_log_sync, "skipped_log_sync"},
      {Bug::skipped_directory_sync, "skipped_directory_sync"},
      {Bug::mark_before_sync, "mark_before_sync"},
      {Bug::accepted_torn_tail, "accepted_torn_tail"},
      {Bug::dropped_mask, "dropped_mask"},
      {Bug::unlisted_traces, "unlisted_traces"},
      {Bug::shared_rows, "shared_rows"},
      {Bug::doubled_frames, "doubled_frames"},
      {Bug::forgotten_digests, "forgotten_digests"},
      {Bug::unread_digests, "unread_digests"},
      {Bug::unwritten_adoption, "unwritten_adoption"},
      {Bug::ignored_sync_error, "ignored_sync_error"},
      {Bug::lost_lock, "lost_lock"},
  };
  return bugs;
}

MakeLiar plant(Bug bug) {
  planted = bug;
  replaying = false;
  switch (bug) {
    case Bug::honest_file_system:
    case Bug::skipped_log_sync:
    case Bug::skipped_directory_sync:
    case Bug::mark_before_sync:
    case Bug::ignored_sync_error:
    case Bug::lost_lock:
      return [](FileSystem& files) { return std::make_unique<LyingFiles>(files); };
    default:
      return {};
  }
}

// ---- functions of the store, by their names for the linker; members get their object first

namespace {
using store::Cut;
using store::DigestRing;
using store::Frame;
using store::FrameState;
using store::Manifest;
using store::TraceRunBuilder;
using store::WalFile;
using store::WalPosition;
using ForEachFrame = std::function<Status(const Frame& frame)>;
}  // namespace

#define CONTEXTCORE_WRAPPED(name, result, symbol, ...)          \
  result real_##name(__VA_ARGS__) __asm__("__real_" symbol);    \
  result wrapped_##name(__VA_ARGS__) __asm__("__wrap_" symbol); \
  result wrapped_##name(__VA_ARGS__)

CONTEXTCORE_WRAPPED(read_frame, FrameState,
                    "_ZN11contextcore5store10read_frameESt17basic_string_viewIcSt11char_traitsIcEEmmRNS0_5FrameE",
                    std::string_view bytes, uint64_t epoch, uint64_t seed, Frame& out) {
  const FrameState state = real_read_frame(bytes, epoch, seed, out);
  if (planted != Bug::accepted_torn_tail || state != FrameState::none) return state;
  // As if the checksum had been right.
  if (bytes.size() < store::kFrameHeaderBytes) return state;
  store::RecordReader header(bytes);
  const uint32_t size = header.u32();
  header.u16();
  const uint16_t parts = header.u16();
  if (header.u64() != epoch || size < store::kFrameHeaderBytes + 8 || size > bytes.size()) return state;
  out = {epoch, header.u64(), header.u32(), {}, 0, size};
  const std::string_view body = bytes.substr(store::kFrameHeaderBytes, size - store::kFrameHeaderBytes - 8);
  store::RecordReader reader(body);
  for (uint16_t i = 0; i < parts; ++i) {
    store::FramePart part;
    part.signal = static_cast<store::PartSignal>(reader.u8());
    part.encoding = static_cast<store::PartEncoding>(reader.u8());
    part.bytes = reader.bytes();
    out.parts.push_back(part);
  }
  out.checksum = store::RecordReader(bytes.substr(size - 8)).u64();
  return reader.done() ? FrameState::valid : state;
}

CONTEXTCORE_WRAPPED(replay, Status,
                    "_ZNK11contextcore5store7WalFile6replayERNS0_11WalPositionEmRKSt8functionIFNS_6StatusERKNS0_5FrameEEE",
                    const WalFile* self, WalPosition& position, uint64_t end, const ForEachFrame& fn) {
  return real_replay(self, position, end, [&](const Frame& frame) -> Status {
    replaying = true;
    Status status = fn(frame);
    if (status.ok() && planted == Bug::doubled_frames) status = fn(frame);
    replaying = false;
    return status;
  });
}

CONTEXTCORE_WRAPPED(add_digest, void, "_ZN11contextcore5store10DigestRing3addERKNS_7Hash128Em",
                    DigestRing* self, const Hash128& digest, uint64_t sequence) {
  if (planted == Bug::forgotten_digests && replaying) return;
  real_add_digest(self, digest, sequence);
}

CONTEXTCORE_WRAPPED(read_digests, Result<std::vector<store::DigestRun>>,
                    "_ZN11contextcore5store12read_digestsERNS_10FileSystemERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
                    FileSystem& files, const std::string& path) {
  if (planted == Bug::unread_digests) return std::vector<store::DigestRun>();
  return real_read_digests(files, path);
}

CONTEXTCORE_WRAPPED(rewrite, Status, "_ZN11contextcore5store7WalFile7rewriteEmm", WalFile* self,
                    uint64_t begin, uint64_t end) {
  if (planted == Bug::unwritten_adoption) return self->sync();
  return real_rewrite(self, begin, end);
}

CONTEXTCORE_WRAPPED(write_cut, Result<Manifest>, "_ZN11contextcore5store3Cut5writeEv", Cut* self) {
  auto manifest = real_write_cut(self);
  if (planted != Bug::dropped_mask || !manifest.ok()) return manifest;
  for (store::SegmentInfo& segment : manifest->segments) segment.mask_number = segment.masked_rows = 0;
  return manifest;
}

CONTEXTCORE_WRAPPED(add_traces, void, "_ZN11contextcore5store15TraceRunBuilder3addEmRKSt6vectorImSaImEE",
                    TraceRunBuilder* self, uint64_t segment, const std::vector<uint64_t>& fingerprints) {
  std::vector<uint64_t> listed = fingerprints;
  if (planted == Bug::unlisted_traces && !listed.empty()) listed.pop_back();
  real_add_traces(self, segment, listed);
}

CONTEXTCORE_WRAPPED(keep_tenants, Status,
                    "_ZN11contextcore5store12keep_tenantsERKNS0_12ColumnSourceERKNS0_9TenantSetEmRNS0_6RowSetE",
                    const store::ColumnSource& source, const store::TenantSet& tenants, size_t base,
                    store::RowSet& rows) {
  if (planted == Bug::shared_rows) return {};
  return real_keep_tenants(source, tenants, base, rows);
}

}  // namespace contextcore::sim
