#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/descriptor.h"

namespace contextcore {
namespace {

// The kernel's lock orders threads, but the C++ memory model does not know of it: what one holder
// wrote to memory happens before what the next one in this process reads through this counter.
std::atomic<uint64_t> g_lock_releases{0};

class RealLock : public FileLock {
 public:
  RealLock(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  ~RealLock() override {
    // A stale owner would be named to those who wait for the next holder.
    if (wrote_owner_) {
      [[maybe_unused]] const int ignored = ::ftruncate(fd_.get(), 0);
    }
    g_lock_releases.fetch_add(1, std::memory_order_acq_rel);
    // Said aloud, because a forked child may still have the descriptor open.
    ::flock(fd_.get(), LOCK_UN);
  }

  Status write_owner(std::string_view text) override {
    wrote_owner_ = true;
    CC_TRY(write_all(fd_.get(), path_, 0, text));
    if (::ftruncate(fd_.get(), static_cast<off_t>(text.size())) < 0) {
      return file_error("truncate", path_, errno);
    }
    return {};
  }

 private:
  Descriptor fd_;
  std::string path_;
  bool wrote_owner_ = false;
};

// True if path still names the file that fd has open: a lock on a removed file excludes nobody.
bool is_same_file(int fd, const std::string& path) {
  struct stat mine{};
  struct stat there{};
  return ::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &there) == 0 &&
         mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

Error lock_held(int fd, const std::string& path, int64_t wait_ns) {
  char owner[512];
  const ssize_t n = ::pread(fd, owner, sizeof owner, 0);
  Error error;
  error.code = Code::unavailable;
  error.message = "the lock " + path + " is held";
  if (n > 0) {
    std::string text(owner, static_cast<size_t>(n));
    std::replace(text.begin(), text.end(), '\n', ' ');
    while (text.ends_with(' ')) text.pop_back();
    error.message += " by " + text;
  }
  if (wait_ns > 0) error.message += ", waited " + std::to_string(wait_ns / 1'000'000) + " ms";
  error.hint = "try again when the holder has finished";
  return error;
}

// How long between two questions whether the lock is still wanted.
constexpr int64_t kSliceNs = 100'000'000;

// A place in the kernel's queue for a lock. The queue is first come, first served, which polling is
// not: among 64 writers that poll, somebody is unlucky for seconds. But a call that queues cannot
// be given up, so a thread of its own makes it; when nobody wants the lock any more once its turn has
// come, it passes it on.
class Place {
 public:
  explicit Place(Descriptor fd) : fd_(std::move(fd)) {}

  static Result<std::shared_ptr<Place>> take(Descriptor fd, const std::string& path) {
    auto place = std::make_shared<Place>(std::move(fd));
    try {
      std::thread([place] { place->queue(); }).detach();
    } catch (const std::system_error& error) {
      return file_error("wait for the lock", path, error.code().value());
    }
    return place;
  }

  // False: not yet.
  bool wait(int64_t ns) {
    std::unique_lock lock(mutex_);
    return come_.wait_for(lock, std::chrono::nanoseconds(ns), [this] { return done_; });
  }

  // After wait() has said true; 0 or an error number.
  int failure() const { return failure_; }
  Descriptor give() { return std::move(fd_); }

  void leave() {
    const std::lock_guard lock(mutex_);
    left_ = true;
    if (done_ && failure_ == 0) ::flock(fd_.get(), LOCK_UN);
  }

  int fd() const { return fd_.get(); }

 private:
  void queue() {
    const int got = retry([&] { return ::flock(fd_.get(), LOCK_EX); });
    const int failure = got == 0 ? 0 : errno;
    const std::lock_guard lock(mutex_);
    done_ = true;
    failure_ = failure;
    if (left_ && failure == 0) ::flock(fd_.get(), LOCK_UN);
    come_.notify_one();
  }

  Descriptor fd_;
  std::mutex mutex_;
  std::condition_variable come_;
  bool done_ = false, left_ = false;
  int failure_ = 0;
};

// Ok when the lock is held by fd; what still says, or that it is held, otherwise.
Status wait_in_turn(Descriptor& fd, const std::string& path, int64_t wait_ns, int64_t start_ns,
                    const StillWanted& still) {
  CC_ASSIGN(const std::shared_ptr<Place> place, Place::take(std::move(fd), path));
  for (;;) {
    const int64_t left_ns = wait_ns - (real_clock().monotonic_ns() - start_ns);
    if (place->wait(std::clamp<int64_t>(left_ns, 0, kSliceNs))) {
      if (place->failure() != 0) return file_error("lock", path, place->failure());
      fd = place->give();
      return {};
    }
    Status status = still ? still() : Status();
    if (status.ok() && left_ns <= kSliceNs) status = lock_held(place->fd(), path, wait_ns);
    if (!status.ok()) {
      place->leave();
      return status;
    }
  }
}

}  // namespace

Result<std::unique_ptr<FileLock>> lock_file(const std::string& path, int64_t wait_ns,
                                            const StillWanted& still) {
  const int64_t start_ns = real_clock().monotonic_ns();
  for (;;) {
    CC_ASSIGN(Descriptor fd, open_descriptor(path, O_RDWR | O_CREAT));
    if (retry([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return file_error("lock", path, errno);
      if (still) CC_TRY(still());
      if (wait_ns <= 0) return lock_held(fd.get(), path, 0);
      CC_TRY(wait_in_turn(fd, path, wait_ns, start_ns, still));
    }
    if (is_same_file(fd.get(), path)) {
      [[maybe_unused]] const auto seen = g_lock_releases.load(std::memory_order_acquire);
      return std::unique_ptr<FileLock>(std::make_unique<RealLock>(std::move(fd), path));
    }
  }
}

}  // namespace contextcore
