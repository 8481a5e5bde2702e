#include "store/pinned_files.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "store/backup_file.h"
#include "store/commit_mark.h"
#include "store/wal.h"

namespace contextcore::store {
namespace {

constexpr int kAttempts = 200;
constexpr int kSameManifestAttempts = 5;
constexpr int64_t kRetrySleepNs = 2'000'000;

Status read_only() { return {Code::failed_precondition, "these files are for reading only"}; }

class SharedFile : public File {
 public:
  SharedFile(std::shared_ptr<File> file, const std::function<void(uint64_t)>& on_read)
      : file_(std::move(file)), on_read_(on_read) {}
  Result<size_t> read_at(uint64_t offset, char* out, size_t n) const override {
    CC_ASSIGN(const size_t got, file_->read_at(offset, out, n));
    if (on_read_) on_read_(got);
    return got;
  }
  Status write_at(uint64_t, std::string_view) override { return read_only(); }
  Status sync() override { return read_only(); }
  Result<uint64_t> size() const override { return file_->size(); }
  Status truncate(uint64_t) override { return read_only(); }
  Status allocate(uint64_t) override { return read_only(); }

 private:
  std::shared_ptr<File> file_;
  const std::function<void(uint64_t)>& on_read_;
};

class BytesFile : public File {
 public:
  explicit BytesFile(const std::string& bytes) : bytes_(bytes) {}
  Result<size_t> read_at(uint64_t offset, char* out, size_t n) const override {
    if (offset >= bytes_.size()) return size_t{0};
    n = std::min<size_t>(n, bytes_.size() - offset);
    std::memcpy(out, bytes_.data() + offset, n);
    return n;
  }
  Status write_at(uint64_t, std::string_view) override { return read_only(); }
  Status sync() override { return read_only(); }
  Result<uint64_t> size() const override { return bytes_.size(); }
  Status truncate(uint64_t) override { return read_only(); }
  Status allocate(uint64_t) override { return read_only(); }

 private:
  const std::string& bytes_;
};

bool vanished(const Status& status) {
  return status.error().code == Code::not_found || status.error().code == Code::unavailable;
}

}  // namespace

std::vector<std::string> data_paths(const std::string& directory, const Manifest& manifest) {
  std::vector<std::string> paths;
  std::set<uint64_t> runs;
  for (const SegmentInfo& info : manifest.segments) {
    paths.push_back(data_path(directory, info.number, extension_of(info.kind)));
    if (info.mask_number != 0) paths.push_back(data_path(directory, info.mask_number, "mask"));
    if (info.run_number != 0) runs.insert(info.run_number);
  }
  for (const uint64_t number : runs) paths.push_back(data_path(directory, number, "traces"));
  for (const CommandFileInfo& info : manifest.commands) {
    paths.push_back(data_path(directory, info.number, "commands"));
  }
  for (const DigestFileInfo& info : manifest.digests) {
    paths.push_back(data_path(directory, info.number, "digests"));
  }
  for (const uint64_t number : manifest.work_numbers) {
    paths.push_back(data_path(directory, number, "work"));
  }
  if (manifest.forwards_number != 0) {
    paths.push_back(data_path(directory, manifest.forwards_number, "forwards"));
  }
  return paths;
}

Result<std::unique_ptr<PinnedFiles>> PinnedFiles::pin(FileSystem& files, Clock& clock,
                                                      const std::string& directory) {
  int same = 0;
  uint64_t edit = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::unique_ptr<PinnedFiles> pinned(new PinnedFiles(directory));
    Status status = pinned->open_all(files);
    if (status.ok()) status = pinned->read_log(files, clock);
    if (!status.ok() && !vanished(status)) return status.error();
    if (status.ok() && pinned->missing_.empty()) return pinned;
    if (!files.exists(current_path(directory))) {
      return {Code::not_found, "there is no store at " + directory};
    }
    // A manifest that stays while its files are gone is not being replaced: they are lost.
    same = pinned->manifest_.edit == edit ? same + 1 : 0;
    edit = pinned->manifest_.edit;
    if (same >= kSameManifestAttempts && !pinned->manifest_.store_id.empty()) {
      pinned->log_.status = status;
      return pinned;
    }
    clock.sleep_ns(kRetrySleepNs);
  }
  return {Code::unavailable, "the store " + directory + " changes faster than it can be read"};
}

Status PinnedFiles::open_all(FileSystem& files) {
  CC_ASSIGN(const std::string name, files.read_file(current_path(directory_)));
  if (name.empty() || name.find('/') != std::string::npos) {
    return Error{Code::corruption, current_path(directory_) + " does not name a manifest", {}, {}, {}};
  }
  manifest_path_ = join_path(directory_, name);
  const auto bytes = files.read_file(manifest_path_);
  if (!bytes.ok()) {
    // A newer one may have taken its place since CURRENT was read.
    if (bytes.error().code != Code::not_found) return bytes.error();
    const auto again = files.read_file(current_path(directory_));
    if (again.ok() && *again == name) {
      return Error{Code::corruption, manifest_path_ + ", which CURRENT names, does not exist", {}, {}, {}};
    }
    return bytes.error();
  }
  uint64_t valid = 0;
  CC_ASSIGN(manifest_, read_manifest_bytes(*bytes, manifest_path_, valid));
  manifest_tail_ = bytes->size() - valid;
  total_bytes_ = bytes->size();
  for (const std::string& path : data_paths(directory_, manifest_)) {
    auto file = files.open(path, OpenMode::read);
    if (!file.ok()) {
      if (file.error().code != Code::not_found) return file.error();
      missing_.push_back(path);
      continue;
    }
    CC_ASSIGN(sizes_[path], (*file)->size());
    total_bytes_ += sizes_[path];
    open_[path] = std::move(file).value();
  }
  return {};
}

Status PinnedFiles::read_log(FileSystem& files, Clock& clock) {
  log_ = {};
  log_.path = wal_path(directory_, manifest_.wal_epoch);
  CommitMarkFile mark_file(files, clock, mark_path(directory_));
  CC_ASSIGN(const std::optional<CommitMark> mark, mark_file.read());
  if (mark && mark->epoch != manifest_.wal_epoch) {
    // A cut is under way or has come to its end. Epoch 0 without anybody at it: a cut was killed.
    const auto now = ManifestFile(files, directory_).read();
    if (mark->epoch != 0 || !now.ok() || now->edit != manifest_.edit) {
      return {Code::unavailable, "the log is of another epoch by now"};
    }
  }
  const bool marked = mark && mark->epoch == manifest_.wal_epoch;
  // A backup has no mark and knows how much it copied.
  const auto backup = marked ? std::nullopt : backup_state(files, directory_, manifest_);
  log_.committed = marked ? mark->offset : backup ? backup->log_bytes : 0;
  CC_ASSIGN(auto wal, WalFile::open(files, log_.path, manifest_.wal_epoch, manifest_.store_id, false));
  WalPosition position = wal->start(manifest_.sequence);
  CC_TRY(wal->replay(position, marked ? mark->offset : UINT64_MAX, [](const Frame&) { return Status(); }));
  CC_ASSIGN(auto file, files.open(log_.path, OpenMode::read));
  std::string bytes(position.offset, '\0');
  CC_ASSIGN(const size_t got, file->read_at(0, bytes.data(), bytes.size()));
  bytes.resize(got);
  if (!marked) {
    std::string tail(64, '\0');
    CC_ASSIGN(const size_t more, file->read_at(position.offset, tail.data(), tail.size()));
    log_.unread_tail = tail.substr(0, more).find_first_not_of('\0') != std::string::npos;
  }
  log_.bytes = std::move(bytes);
  total_bytes_ += log_.bytes.size();
  // The copy, not the file, is what has to be whole: that may have been recycled between the two.
  CC_ASSIGN(auto copy, WalFile::open(*this, log_.path, manifest_.wal_epoch, manifest_.store_id, false));
  WalPosition end = copy->start(manifest_.sequence);
  CC_TRY(copy->replay(end, UINT64_MAX, [](const Frame&) { return Status(); }));
  if (end.offset != log_.bytes.size()) return {Code::unavailable, "the log changed while it was read"};
  log_.last_sequence = end.sequence;
  CC_ASSIGN(const std::optional<CommitMark> after, mark_file.read());
  const bool moved = after && after->epoch != manifest_.wal_epoch && after->epoch != 0;
  // What no mark covers may be a frame that a writer who came meanwhile has not committed.
  if (marked ? moved && !log_.whole() : after && after->epoch != 0) {
    return {Code::unavailable, "a writer came while the log was read"};
  }
  return {};
}

Result<std::unique_ptr<File>> PinnedFiles::open(const std::string& path, OpenMode mode) {
  if (mode != OpenMode::read) return read_only().error();
  if (path == log_.path) return std::unique_ptr<File>(std::make_unique<BytesFile>(log_.bytes));
  const auto known = open_.find(path);
  if (known == open_.end()) return {Code::not_found, path + " is not there"};
  return std::unique_ptr<File>(std::make_unique<SharedFile>(known->second, on_read_));
}

Result<FileInfo> PinnedFiles::stat(const std::string& path) const {
  FileInfo info;
  if (path == log_.path) {
    info.size = log_.bytes.size();
    return info;
  }
  const auto known = sizes_.find(path);
  if (known == sizes_.end()) return {Code::not_found, path + " is not there"};
  info.size = known->second;
  return info;
}

Result<std::vector<std::string>> PinnedFiles::list(const std::string& path) const {
  return {Code::not_found, path + " is not listed"};
}
Status PinnedFiles::make_directories(const std::string&, uint32_t) { return read_only(); }
Status PinnedFiles::rename(const std::string&, const std::string&) { return read_only(); }
Status PinnedFiles::remove(const std::string&) { return read_only(); }
Status PinnedFiles::sync_directory(const std::string&) { return read_only(); }
Result<std::unique_ptr<FileLock>> PinnedFiles::lock_while(const std::string&, int64_t,
                                                          const StillWanted&) {
  return read_only().error();
}

}  // namespace contextcore::store
