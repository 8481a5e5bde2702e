#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "base/clock.h"
#include "base/json.h"
#include "base/time.h"

namespace contextcore {
namespace {

constexpr std::string_view kNames[] = {"debug", "info", "warn", "error", "off"};
constexpr std::string_view kLabels[] = {"DEBUG", "INFO", "WARN", "ERROR", "OFF"};

std::atomic<LogLevel> g_level{LogLevel::off};

struct Sink {
  std::mutex mutex;
  std::function<void(std::string_view)> fn;
};

Sink& sink() {
  static auto* const instance = new Sink;  // never destroyed: threads may outlive statics
  return *instance;
}

void write_stderr(std::string_view line) {
  while (!line.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, line.data(), line.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody is left to be told
    line.remove_prefix(static_cast<size_t>(n));
  }
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_plain(std::string_view value) {
  return !value.empty() && std::none_of(value.begin(), value.end(), [](char c) {
    return c == ' ' || c == '"' || c == '=' || is_control(c);
  });
}

void append_value(std::string_view value, std::string& out) {
  if (is_plain(value)) {
    out += value;
  } else {
    append_json_string(value, out);
  }
}

void append_message(std::string_view message, std::string& out) {
  if (std::none_of(message.begin(), message.end(), is_control)) {
    out += message;
  } else {
    append_json_string(message, out);
  }
}

void log(LogLevel level, std::string_view message, LogFields fields) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  const std::string line = format_log_line(real_clock().wall_ns(), level, message, fields);
  const std::lock_guard lock(sink().mutex);
  if (sink().fn) {
    sink().fn(line);
  } else {
    write_stderr(line);
  }
}

}  // namespace

void set_log_level(LogLevel level) { g_level.store(level); }

LogLevel log_level() { return g_level.load(); }

std::optional<LogLevel> parse_log_level(std::string_view name) {
  const auto* const found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<LogLevel>(found - std::begin(kNames));
}

void log_debug(std::string_view message, LogFields fields) {
  log(LogLevel::debug, message, fields);
}
void log_info(std::string_view message, LogFields fields) { log(LogLevel::info, message, fields); }
void log_warn(std::string_view message, LogFields fields) { log(LogLevel::warn, message, fields); }
void log_error(std::string_view message, LogFields fields) {
  log(LogLevel::error, message, fields);
}

void set_log_sink(std::function<void(std::string_view line)> fn) {
  const std::lock_guard lock(sink().mutex);
  sink().fn = std::move(fn);
}

std::string format_log_line(int64_t wall_ns, LogLevel level, std::string_view message,
                            LogFields fields) {
  // Milliseconds, always three digits, so that the lines align and sort as text.
  const int64_t rest_ns = (wall_ns % kSecondNs + kSecondNs) % kSecondNs;
  const int64_t ms = rest_ns / kMillisecondNs;
  std::string line = format_rfc3339(wall_ns - rest_ns);
  line.pop_back();
  line += '.';
  line += static_cast<char>('0' + ms / 100);
  line += static_cast<char>('0' + ms / 10 % 10);
  line += static_cast<char>('0' + ms % 10);
  line += "Z ";
  line += kLabels[static_cast<size_t>(level)];
  line += ' ';
  append_message(message, line);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(field.value, line);
  }
  line += '\n';
  return line;
}

}  // namespace contextcore
