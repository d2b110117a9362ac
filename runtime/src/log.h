#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "cirro/dispatch/context.h"
#include "cirro/dispatch/mutex.h"

namespace cirro::internal {

/// Numbers and truths are such in JSON, too. Text is borrowed.
using LogValue =
    std::variant<std::string_view, bool, std::int64_t, std::uint64_t>;

struct LogField {
  std::string_view name;  // Letters and `_`.
  LogValue value;
};

/// One line: a JSON object, or text for a terminal. Fields with an empty text
/// are left out. Hostile text is escaped in both forms, and cut: the message
/// at 1,024 bytes, other text at 256.
/// `unix_ms` is the time of day in milliseconds since 1970.
[[nodiscard]] std::string FormatLogLine(bool json, bool colour, LogLevel level,
                                        std::int64_t unix_ms,
                                        std::string_view message,
                                        std::initializer_list<LogField> fields);

/// Writes lines to a descriptor, each with one system call and no buffer: what
/// was logged is out, however the process ends. Any thread.
class Logger {
 public:
  /// `fd` stays the caller's.
  Logger(LogLevel least, bool json, bool colour, int fd) noexcept
      : least_(least), json_(json), colour_(colour), fd_(fd) {}

  [[nodiscard]] bool Takes(LogLevel level) const noexcept {
    return level >= least_;
  }
  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields = {}) noexcept;

 private:
  const LogLevel least_;
  const bool json_;
  const bool colour_;
  const int fd_;
  // A line longer than PIPE_BUF is not written in one piece by the kernel.
  Mutex writing_;
};

}  // namespace cirro::internal
