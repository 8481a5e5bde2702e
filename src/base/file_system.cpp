#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/descriptor.h"
#include "base/file_lock.h"
#include "base/random.h"

namespace contextcore {
namespace {

class RealFile : public File {
 public:
  RealFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<size_t> read_at(uint64_t offset, char* out, size_t n) const override {
    CC_TRY(check_range(path_, offset, n));
    size_t done = 0;
    while (done < n) {
      const ssize_t got = retry([&] {
        return ::pread(fd_.get(), out + done, n - done, static_cast<off_t>(offset + done));
      });
      if (got < 0) return file_error("read", path_, errno);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Status write_at(uint64_t offset, std::string_view data) override {
    return write_all(fd_.get(), path_, offset, data);
  }

  Status sync() override {
    if (retry([&] { return ::fdatasync(fd_.get()); }) < 0) return file_error("sync", path_, errno);
    return {};
  }

  Result<uint64_t> size() const override {
    struct stat info{};
    if (::fstat(fd_.get(), &info) < 0) return file_error("stat", path_, errno);
    return static_cast<uint64_t>(info.st_size);
  }

  Status truncate(uint64_t size) override {
    CC_TRY(check_range(path_, size, 0));
    if (retry([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) < 0) {
      return file_error("truncate", path_, errno);
    }
    return {};
  }

  Status allocate(uint64_t target) override {
    CC_TRY(check_range(path_, target, 0));
    CC_ASSIGN(uint64_t at, size());
    if (at >= target) return {};
    // First the reservation, which fails at once where the space is not there; then the zeros: a
    // reserved but unwritten extent still costs a journal commit when it is first overwritten.
    int failure = 0;
    do {
      failure =
          ::posix_fallocate(fd_.get(), static_cast<off_t>(at), static_cast<off_t>(target - at));
    } while (failure == EINTR);
    if (failure != 0) return file_error("allocate space for", path_, failure);
    const std::string zeros(static_cast<size_t>(std::min<uint64_t>(target - at, 256 * 1024)), '\0');
    while (at < target) {
      const auto n = static_cast<size_t>(std::min<uint64_t>(target - at, zeros.size()));
      CC_TRY(write_at(at, {zeros.data(), n}));
      at += n;
    }
    return sync();
  }

 private:
  Descriptor fd_;
  std::string path_;
};

// statfs names the large families; what FUSE serves has to be looked up among the mounts.
std::string_view network_name(unsigned long magic) {
  switch (magic & 0xffffffffUL) {
    case 0x6969:
      return "nfs";
    case 0x517b:
      return "smb";
    case 0xff534d42:
      return "cifs";
    case 0xfe534d42:
      return "smb2";
    case 0x01021997:
      return "9p";
    case 0x00c36400:
      return "ceph";
    case 0x5346414f:
      return "afs";
    case 0x6b414653:
      return "afs";
    case 0x73757245:
      return "coda";
    case 0x0bd00bd0:
      return "lustre";
    case 0x47504653:
      return "gpfs";
    case 0x786f4256:
      return "vboxsf";
    default:
      return {};
  }
}

constexpr unsigned long kFuseMagic = 0x65735546;

std::string network_fuse_type(dev_t device) {
  static constexpr std::string_view kRemote[] = {
      "sshfs",     "s3fs",          "rclone",   "gcsfuse",  "davfs",    "davfs2",
      "curlftpfs", "glusterfs",     "goofys",   "mount-s3", "blobfuse", "blobfuse2",
      "juicefs",   "mountpoint-s3", "grpcfuse", "osxfs"};
  const std::string wanted = std::to_string(major(device)) + ":" + std::to_string(minor(device));
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    // id parent major:minor root mount-point options [tags] - type source options
    std::istringstream fields(line);
    std::string id, parent, numbers;
    fields >> id >> parent >> numbers;
    const size_t dash = line.find(" - ");
    if (numbers != wanted || dash == std::string::npos) continue;
    const std::string type = line.substr(dash + 3, line.find(' ', dash + 3) - dash - 3);
    const std::string_view kind = std::string_view(type).substr(type.starts_with("fuse.") ? 5 : 0);
    if (std::find(std::begin(kRemote), std::end(kRemote), kind) != std::end(kRemote)) return type;
  }
  return {};
}

class RealFileSystem : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_RDONLY;
    if (mode != OpenMode::read) flags = O_RDWR;
    if (mode == OpenMode::create) flags |= O_CREAT;
    if (mode == OpenMode::create_new) flags |= O_CREAT | O_EXCL;
    CC_ASSIGN(Descriptor fd, open_descriptor(path, flags));
    return std::unique_ptr<File>(std::make_unique<RealFile>(std::move(fd), path));
  }

  Result<FileInfo> stat(const std::string& path) const override {
    struct stat raw{};
    if (::stat(path.c_str(), &raw) < 0) return file_error("stat", path, errno);
    FileInfo info;
    info.size = static_cast<uint64_t>(raw.st_size);
    info.is_directory = S_ISDIR(raw.st_mode);
    info.inode = raw.st_ino;
    info.device = static_cast<uint64_t>(raw.st_dev);
    info.modified_ns = int64_t{raw.st_mtim.tv_sec} * 1'000'000'000 + raw.st_mtim.tv_nsec;
    return info;
  }

  Result<std::vector<std::string>> list(const std::string& path) const override {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (directory == nullptr) return file_error("list", path, errno);
    std::vector<std::string> names;
    for (;;) {
      errno = 0;
      const dirent* const entry = ::readdir(directory.get());
      if (entry == nullptr) break;
      std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(std::move(name));
    }
    if (errno != 0) return file_error("list", path, errno);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status make_directories(const std::string& path, uint32_t mode) override {
    if (::mkdir(path.c_str(), mode) == 0) return {};
    int failure = errno;
    if (failure == ENOENT && !path.empty()) {
      const std::string parent = parent_path(path);
      if (parent != path) {
        CC_TRY(make_directories(parent, mode));
        if (::mkdir(path.c_str(), mode) == 0) return {};
        failure = errno;
      }
    }
    // It may exist, also under names like "/" and "a/..", for which mkdir has other words.
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    return file_error("create directory", path, failure);
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return {};
    return file_error("rename " + from + " to", to, errno);
  }

  Status link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) == 0) return {};
    Error error = file_error("link " + from + " to", to, errno);
    // EPERM also of files of others that one may read but not link.
    if (errno == EXDEV || errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK)
      error.code = Code::unsupported;
    return error;
  }

  Status remove(const std::string& path) override {
    if (std::remove(path.c_str()) == 0) return {};
    return file_error("remove", path, errno);
  }

  Status sync_directory(const std::string& path) override {
    const std::string name = path.empty() ? "." : path;
    CC_ASSIGN(const Descriptor fd, open_descriptor(name, O_RDONLY | O_DIRECTORY));
    if (retry([&] { return ::fsync(fd.get()); }) < 0) {
      return file_error("sync directory", name, errno);
    }
    return {};
  }

  Result<std::unique_ptr<FileLock>> lock_while(const std::string& path, int64_t wait_ns,
                                               const StillWanted& still) override {
    return lock_file(path, wait_ns, still);
  }

  std::string network_type(const std::string& path) const override {
    // What does not exist yet lies on the file system of its nearest existing parent.
    std::string at = path.empty() ? "." : path;
    struct statfs info{};
    while (::statfs(at.c_str(), &info) != 0) {
      if (errno == EINTR) continue;
      std::string up = parent_path(at);
      if (up == at) return {};
      at = std::move(up);
    }
    const auto magic = static_cast<unsigned long>(info.f_type);
    if (magic == kFuseMagic) {
      struct stat file{};
      return ::stat(at.c_str(), &file) == 0 ? network_fuse_type(file.st_dev) : std::string();
    }
    return std::string(network_name(magic));
  }
};

}  // namespace

FileSystem& real_file_system() {
  static auto* const file_system = new RealFileSystem;
  return *file_system;
}

Status FileSystem::link(const std::string& from, const std::string&) {
  return {Code::unsupported, "cannot link " + from + ": this file system has no links"};
}

Result<std::string> FileSystem::read_file(const std::string& path) {
  CC_ASSIGN(const std::unique_ptr<File> file, open(path, OpenMode::read));
  CC_ASSIGN(const uint64_t size, file->size());
  std::string data(static_cast<size_t>(size) + 1, '\0');
  // The size is a hint: files grow meanwhile, and those under /proc claim to be empty.
  size_t used = 0;
  for (;;) {
    CC_ASSIGN(const size_t got, file->read_at(used, data.data() + used, data.size() - used));
    used += got;
    if (used < data.size()) break;
    data.resize(data.size() * 2 + 4096);
  }
  data.resize(used);
  return data;
}

Status FileSystem::write_file_atomically(const std::string& path, std::string_view data) {
  const std::string temporary = temporary_path(path);
  const auto write = [&]() -> Status {
    CC_ASSIGN(const std::unique_ptr<File> file, open(temporary, OpenMode::create));
    CC_TRY(file->truncate(0));
    CC_TRY(file->write_at(0, data));
    return file->sync();
  };
  Status status = write();
  if (status.ok()) status = rename(temporary, path);
  if (!status.ok()) {
    // The first failure is what the caller has to know; the leftover is only litter.
    [[maybe_unused]] const Status ignored = remove(temporary);
    return status;
  }
  return sync_directory(parent_path(path));
}

std::string FileSystem::temporary_path(const std::string& path) {
  static std::atomic<uint64_t> counter{0};
  return path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
}

std::string join_path(std::string_view directory, std::string_view name) {
  if (directory.empty() || name.starts_with('/')) return std::string(name);
  std::string path(directory);
  if (!path.ends_with('/') && !name.empty()) path += '/';
  return path.append(name);
}

std::string parent_path(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  path = path.substr(0, slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path.empty() ? "/" : std::string(path);
}

}  // namespace contextcore
