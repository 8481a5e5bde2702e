#include "store/commit_mark.h"

#include <array>
#include <utility>

#include "base/hash.h"
#include "store/store_codec.h"

namespace contextcore::store {
namespace {

constexpr size_t kMarkBytes = 48;
constexpr size_t kMarkBodyBytes = 40;
constexpr uint64_t kMarkSeed = 0x6d61726b;  // so that zeros are not a valid mark
constexpr int kReadAttempts = 64;

std::string boot_digest(const std::string& boot_id) {
  if (boot_id.empty()) return {};
  const Hash128 hash = xxh3_128(boot_id);
  std::string out;
  RecordWriter writer(out);
  writer.u64(hash.high);
  writer.u64(hash.low);
  return out;
}

}  // namespace

CommitMarkFile::CommitMarkFile(FileSystem& files, Clock& clock, std::string path)
    : files_(files), clock_(clock), path_(std::move(path)), boot_(boot_digest(clock.boot_id())) {}

Result<std::optional<CommitMark>> CommitMarkFile::read() {
  const std::optional<CommitMark> none;
  if (boot_.empty()) return none;
  if (file_ == nullptr) {
    auto opened = files_.open(path_, OpenMode::read);
    if (!opened.ok()) {
      if (opened.error().code == Code::not_found) return none;
      return opened.error();
    }
    file_ = std::move(opened).value();
  }
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    std::array<char, kMarkBytes> bytes{};
    CC_ASSIGN(const size_t got, file_->read_at(0, bytes.data(), bytes.size()));
    if (got == kMarkBytes) {
      const std::string_view text(bytes.data(), bytes.size());
      RecordReader reader(text);
      const std::string_view boot = reader.raw(16);
      CommitMark mark;
      mark.epoch = reader.u64();
      mark.offset = reader.u64();
      mark.durable = reader.u64();
      if (reader.u64() == xxh3_64(text.substr(0, kMarkBodyBytes), kMarkSeed)) {
        return boot == boot_ ? std::optional(mark) : none;
      }
    }
    // A writer is in the middle of it; it needs about a microsecond.
    if (attempt > 8) clock_.sleep_ns(10'000);
  }
  return none;
}

Status CommitMarkFile::write(const CommitMark& mark) {
  if (boot_.empty()) return {};
  if (file_ == nullptr || !writable_) {
    CC_ASSIGN(file_, files_.open(path_, OpenMode::create));
    writable_ = true;
  }
  std::string bytes = boot_;
  RecordWriter writer(bytes);
  writer.u64(mark.epoch);
  writer.u64(mark.offset);
  writer.u64(mark.durable);
  writer.u64(xxh3_64(bytes, kMarkSeed));
  return file_->write_at(0, bytes);
}

}  // namespace contextcore::store
