#include "base/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <limits>
#include <system_error>

namespace contextcore {
namespace {

// Files hold private work; only their owner may read them.
constexpr mode_t kFileMode = 0600;

}  // namespace

Error file_error(std::string_view what, const std::string& path, int error_number) {
  Error error;
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      error.code = Code::not_found;
      break;
    case EEXIST:
      error.code = Code::already_exists;
      break;
    case ENOSPC:
    case EDQUOT:
      error.code = Code::resource_exhausted;
      break;
    default:
      error.code = Code::io_error;
      break;
  }
  error.message.append("cannot ").append(what).append(" ").append(path).append(": ").append(
      std::generic_category().message(error_number));
  if (error.code == Code::resource_exhausted) {
    error.hint = "free space on that file system or raise its quota";
  }
  return error;
}

Result<Descriptor> open_descriptor(const std::string& path, int flags) {
  const int fd = retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); });
  if (fd < 0) return file_error((flags & O_CREAT) != 0 ? "create" : "open", path, errno);
  return Descriptor(fd);
}

Status check_range(const std::string& path, uint64_t offset, uint64_t n) {
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<off_t>::max());
  if (offset <= kMax && n <= kMax - offset) return {};
  return Status(Code::invalid_argument, "offset " + std::to_string(offset) + " + " +
                                            std::to_string(n) + " bytes is beyond what " + path +
                                            " can hold");
}

Status write_all(int fd, const std::string& path, uint64_t offset, std::string_view data) {
  CC_TRY(check_range(path, offset, data.size()));
  while (!data.empty()) {
    const ssize_t written =
        retry([&] { return ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset)); });
    if (written < 0) return file_error("write", path, errno);
    if (written == 0) return file_error("write", path, ENOSPC);
    offset += static_cast<uint64_t>(written);
    data.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

}  // namespace contextcore
