#pragma once
// Descriptors of the operating system, and its error numbers as errors. For the files of this room that make system calls.

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace contextcore {

// "cannot <what> <path>: <the system's words>".
Error file_error(std::string_view what, const std::string& path, int error_number);

// Repeats a system call that a signal interrupted.
template <typename Call>
auto retry(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Close-on-exec; a file that is made can be read by its owner only.
Result<Descriptor> open_descriptor(const std::string& path, int flags);

// invalid_argument where offset + n is more than a file can have.
Status check_range(const std::string& path, uint64_t offset, uint64_t n);

Status write_all(int fd, const std::string& path, uint64_t offset, std::string_view data);

}  // namespace contextcore
