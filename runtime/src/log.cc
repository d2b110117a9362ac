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

// A line is read by people and paid for by the byte.
constexpr std::size_t kMostMessage = 1024;
constexpr std::size_t kMostField = 256;

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

void AppendEscape(std::string& out, unsigned code_point) {
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) {
    out += kHex[(code_point >> shift) & 0xFU];
  }
}

// The control character at the front of `text`, which is not ASCII, that a
// terminal would obey (C1), take for a line's end, or reorder the line by
// (Bidi_Control); 0: there is none. REQUIRES: `text` is UTF-8.
// Source: Unicode 15.0, PropList.txt and section 23.1.
unsigned HiddenAt(std::string_view text) {
  const auto byte = [text](std::size_t at) {
    return unsigned{static_cast<unsigned char>(text[at])};
  };
  if (byte(0) == 0xC2 && byte(1) < 0xA0) return byte(1);
  if (byte(0) == 0xD8 && byte(1) == 0x9C) return 0x061C;
  if (byte(0) != 0xE2 || byte(1) > 0x81) return 0;
  const unsigned code_point =
      0x2000U | ((byte(1) & 0x3FU) << 6U) | (byte(2) & 0x3FU);
  const auto within = [code_point](unsigned first, unsigned last) {
    return first <= code_point && code_point <= last;
  };
  return within(0x200E, 0x200F) || within(0x2028, 0x202E) ||
                 within(0x2066, 0x2069)
             ? code_point
             : 0;
}

// What is inside the quotes of a JSON string; also what a terminal can be
// shown without obeying it.
void AppendEscaped(std::string& out, std::string_view text) {
  const bool utf8 = IsUtf8(text);
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !utf8)) {
      // Bytes that are not UTF-8 are shown as the characters of Latin-1.
      AppendEscape(out, byte);
    } else if (const unsigned hidden = byte < 0xC0 ? 0 : HiddenAt(text);
               hidden != 0) {
      AppendEscape(out, hidden);
      text.remove_prefix(hidden < 0x800 ? 1 : 2);
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

// `text`, or its first `most` bytes at most, never a part of a character.
void AppendCut(std::string& out, std::string_view text, std::size_t most) {
  if (text.size() <= most) {
    AppendEscaped(out, text);
    return;
  }
  std::size_t end = most;
  if (IsUtf8(text)) {
    while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  }
  AppendEscaped(out, text.substr(0, end));
  out += "...";
}

bool IsEmpty(const LogField& field) {
  const auto* const text = std::get_if<std::string_view>(&field.value);
  return text != nullptr && text->empty();
}

void AppendValue(std::string& out, const LogField& field, const char* quote) {
  if (const auto* const text = std::get_if<std::string_view>(&field.value)) {
    out += quote;
    AppendCut(out, *text, kMostField);
    out += quote;
  } else if (const auto* const truth = std::get_if<bool>(&field.value)) {
    out += *truth ? "true" : "false";
  } else if (const auto* const number =
                 std::get_if<std::int64_t>(&field.value)) {
    out += std::to_string(*number);
  } else {
    out += std::to_string(std::get<std::uint64_t>(field.value));
  }
}

}  // namespace

std::string FormatLogLine(bool json, bool colour, LogLevel level,
                          std::int64_t unix_ms, std::string_view message,
                          std::initializer_list<LogField> fields) {
  std::string line;
  line.reserve(256);
  const std::string time = TimeText(unix_ms);
  if (json) {
    line.append(R"({"time":")").append(time);
    line.append(R"(","severity":")").append(Severity(level));
    line += R"(","message":")";
    AppendCut(line, message, kMostMessage);
    line += '"';
    for (const LogField& field : fields) {
      if (IsEmpty(field)) continue;
      line.append(",\"").append(field.name).append("\":");
      AppendValue(line, field, "\"");
    }
    return line.append("}\n");
  }
  line.append(time, 11, 12).append(" ");
  if (colour) line += Colour(level);
  line += Severity(level);
  if (colour) line += kPlain;
  line.append(8 - Severity(level).size(), ' ');
  AppendCut(line, message, kMostMessage);
  for (const LogField& field : fields) {
    if (IsEmpty(field)) continue;
    line.append("  ").append(field.name).append("=");
    AppendValue(line, field, "");
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
