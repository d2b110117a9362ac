#include "log.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>

#include "cirro/cloudevents/timestamp.h"
#include "cirro/cloudevents/utf8.h"

namespace cirro::internal {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// Names that log collectors know; Cloud Logging reads `severity` and `message`.
std::string_view Severity(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarning:
      return "WARNING";
    case LogLevel::kError:
      return "ERROR";
  }
  return {};
}

std::string_view Colour(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "\x1b[90m";
    case LogLevel::kInfo:
      return "\x1b[32m";
    case LogLevel::kWarning:
      return "\x1b[33m";
    case LogLevel::kError:
      return "\x1b[31m";
  }
  return {};
}
constexpr std::string_view kPlain = "\x1b[0m";

void AppendEscape(std::string& out, unsigned char byte) {
  out += "\\u00";
  out += kHex[byte >> 4U];
  out += kHex[byte & 0xFU];
}

// What is inside the quotes of a JSON string; also what a terminal can be
// shown without obeying it.
void AppendEscaped(std::string& out, std::string_view text) {
  const bool utf8 = IsUtf8(text);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !utf8)) {
      // Bytes that are not UTF-8 are shown as the characters of Latin-1.
      AppendEscape(out, byte);
    } else {
      out += c;
    }
  }
}

std::string TimeText(std::int64_t unix_ms) {
  Timestamp time;
  time.seconds = unix_ms / 1000;
  time.nanoseconds = static_cast<std::uint32_t>(unix_ms % 1000) * 1'000'000;
  std::string text = FormatTimestamp(time);  // ...:56Z or ...:56.789Z
  constexpr std::size_t kWhole = 20;
  if (text.size() == kWhole) text.insert(kWhole - 1, 1, '.');
  while (text.size() < kWhole + 4) text.insert(text.size() - 1, 1, '0');
  return text;
}

void AppendJsonField(std::string& out, std::string_view name,
                     std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":\"";
  AppendEscaped(out, value);
  out += '"';
}

}  // namespace

std::string FormatLogLine(bool json, bool colour, LogLevel level,
                          std::int64_t unix_ms, std::string_view message,
                          std::initializer_list<LogField> fields) {
  std::string line;
  line.reserve(256);
  const std::string time = TimeText(unix_ms);
  if (json) {
    line.append(R"({"time":")").append(time).append("\"");
    AppendJsonField(line, "severity", Severity(level));
    AppendJsonField(line, "message", message);
    for (const LogField& field : fields) {
      if (!field.value.empty()) AppendJsonField(line, field.name, field.value);
    }
    return line.append("}\n");
  }
  line.append(time, 11, 12).append(" ");
  if (colour) line += Colour(level);
  line += Severity(level);
  if (colour) line += kPlain;
  line.append(8 - Severity(level).size(), ' ');
  AppendEscaped(line, message);
  for (const LogField& field : fields) {
    if (field.value.empty()) continue;
    line.append("  ").append(field.name).append("=");
    AppendEscaped(line, field.value);
  }
  return line.append("\n");
}

void Logger::Write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) noexcept {
  if (!Takes(level)) return;
  try {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const std::string line =
        FormatLogLine(json_, colour_, level, now.count(), message, fields);
    const MutexLock lock(writing_);
    for (std::string_view rest = line; !rest.empty();) {
      const ssize_t written = write(fd_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return;  // Nobody reads: there is nowhere to say so.
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  } catch (const std::exception&) {
    // No memory for a line: what goes on is worth more than the line.
  }
}

}  // namespace cirro::internal
