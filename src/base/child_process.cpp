#include "base/child_process.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

extern char** environ;

namespace contextcore {
namespace {

constexpr std::array kPassedOn = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

std::atomic<pid_t> child{0};

void pass_on(int signal, siginfo_t* info, void*) {
  // A terminal (si_code > 0) signals its whole process group, the child included.
  const pid_t pid = child.load();
  const int saved = errno;
  if (pid > 0 && info->si_code <= 0) ::kill(pid, signal);
  errno = saved;
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& changes) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    bool replaced = false;
    for (const auto& [name, value] : changes) {
      replaced = replaced ||
                 (text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=');
    }
    if (!replaced) out.emplace_back(text);
  }
  for (const auto& [name, value] : changes) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// Signals that come between the handlers' setting and the child's start wait.
class PassedOnSignals {
 public:
  PassedOnSignals() {
    sigset_t all;
    ::sigemptyset(&all);
    for (const int signal : kPassedOn) ::sigaddset(&all, signal);
    ::sigprocmask(SIG_BLOCK, &all, &mask_before_);
    struct sigaction action = {};
    action.sa_sigaction = pass_on;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    for (size_t i = 0; i < kPassedOn.size(); ++i) ::sigaction(kPassedOn[i], &action, &before_[i]);
  }
  ~PassedOnSignals() {
    for (size_t i = 0; i < kPassedOn.size(); ++i) ::sigaction(kPassedOn[i], &before_[i], nullptr);
    ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  PassedOnSignals(const PassedOnSignals&) = delete;
  PassedOnSignals& operator=(const PassedOnSignals&) = delete;

  int spawn(pid_t& pid, std::vector<char*> arguments, std::vector<char*> variables) const {
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    // As if this process were not there: what was ignored (nohup) stays ignored.
    sigset_t defaults;
    ::sigemptyset(&defaults);
    for (size_t i = 0; i < kPassedOn.size(); ++i) {
      if (before_[i].sa_handler != SIG_IGN) ::sigaddset(&defaults, kPassedOn[i]);
    }
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setsigmask(&attributes, &mask_before_);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    const int error = ::posix_spawnp(&pid, arguments[0], nullptr, &attributes, arguments.data(),
                                     variables.data());
    ::posix_spawnattr_destroy(&attributes);
    return error;
  }
  void let_in() const { ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr); }

 private:
  sigset_t mask_before_ = {};
  std::array<struct sigaction, kPassedOn.size()> before_ = {};
};

}  // namespace

Result<ChildExit> run_program(const std::vector<std::string>& command,
                              const std::vector<std::pair<std::string, std::string>>& environment) {
  const std::vector<std::string> variables = environment_with(environment);
  const PassedOnSignals signals;
  pid_t pid = 0;
  if (const int error = signals.spawn(pid, pointers(command), pointers(variables)); error != 0) {
    const Code code = error == ENOENT   ? Code::not_found
                      : error == EACCES ? Code::permission_denied
                                        : Code::io_error;
    return Error{code, "cannot run " + command[0] + ": " + std::strerror(error), {}, {}, {}};
  }
  child.store(pid);
  signals.let_in();
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR)
      return Error{Code::io_error,
                   std::string("cannot wait for the program: ") + std::strerror(errno),
                   {},
                   {},
                   {}};
  }
  child.store(0);
  if (WIFSIGNALED(status)) return ChildExit{128 + WTERMSIG(status), WTERMSIG(status)};
  return ChildExit{WEXITSTATUS(status), 0};
}

}  // namespace contextcore
