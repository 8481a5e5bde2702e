#pragma once
// The program's own log: one line per message on stderr, for whoever runs the server.
//
//   log_warn("cannot reach the exporter", {{"url", url}, {"attempts", 3}});
//   2026-11-22T15:24:29.123Z WARN cannot reach the exporter url=http://… attempts=3
//
// Silent until set_log_level is called, so that commands print their results only. Thread-safe.

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace contextcore {

enum class LogLevel : uint8_t { debug, info, warn, error, off };

void set_log_level(LogLevel level);
LogLevel log_level();
// "debug", "info", "warn", "error", "off".
std::optional<LogLevel> parse_log_level(std::string_view name);

struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  template <typename Number>
    requires(std::integral<Number> || std::floating_point<Number>)
  LogField(std::string_view k, Number v) : key(k), value(std::to_string(v)) {}
};
using LogFields = std::initializer_list<LogField>;

void log_debug(std::string_view message, LogFields fields = {});
void log_info(std::string_view message, LogFields fields = {});
void log_warn(std::string_view message, LogFields fields = {});
void log_error(std::string_view message, LogFields fields = {});

// Where lines go instead of stderr (each ends with a newline); an empty function means stderr
// again.
void set_log_sink(std::function<void(std::string_view line)> sink);

// One line as it is written. Values with blanks, quotes, '=' or control characters are quoted as
// JSON strings; control characters in the message are escaped likewise, so that a line stays a
// line.
std::string format_log_line(int64_t wall_ns, LogLevel level, std::string_view message,
                            LogFields fields);

}  // namespace contextcore
