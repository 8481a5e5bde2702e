#include "base/process.h"

#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace contextcore {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

Result<std::string> current_directory() {
  char path[PATH_MAX];
  if (::getcwd(path, sizeof path) == nullptr) {
    return Error{Code::io_error,
                 std::string("cannot tell the working directory: ") + std::strerror(errno),
                 {},
                 {},
                 {}};
  }
  return std::string(path);
}

int64_t process_id() { return ::getpid(); }

std::string user_name() {
  if (auto name = environment("USER")) return *name;
  if (const passwd* entry = ::getpwuid(::getuid()); entry != nullptr) return entry->pw_name;
  return "uid-" + std::to_string(::getuid());
}

std::string home_directory() {
  if (auto home = environment("HOME")) return *home;
  if (const passwd* entry = ::getpwuid(::getuid()); entry != nullptr) return entry->pw_dir;
  return "/";
}

std::string executable_directory() {
  char path[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0) return {};
  const std::string whole(path, static_cast<size_t>(length));
  return whole.substr(0, whole.rfind('/'));
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

void keep_heap_small() {
#ifdef __GLIBC__
  constexpr int kArenas = 2;
  constexpr int kOwnBlockBytes = 4 << 20;  // also keeps glibc from raising it
  mallopt(M_ARENA_MAX, kArenas);
  mallopt(M_MMAP_THRESHOLD, kOwnBlockBytes);
#endif
}

void raise_open_file_limit() {
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // where it is refused, opening will say so
}

Status exec_program(const std::string& path, const std::vector<std::string>& arguments) {
  std::vector<char*> pointers{const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  ::execv(path.c_str(), pointers.data());
  return Status(errno == ENOENT ? Code::not_found : Code::io_error,
                "cannot run " + path + ": " + std::strerror(errno));
}

}  // namespace contextcore
