#include "header_lines.h"

#include <cstddef>

namespace cirro::internal::nats {
namespace {

constexpr std::string_view kFirst = "NATS/1.0\r\n";
constexpr std::string_view kEnd = "\r\n";

constexpr bool IsSpace(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view Trim(std::string_view text) noexcept {
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  return text;
}

bool Parse(std::string_view lines, std::vector<NatsHeader>& headers) {
  if (!lines.starts_with(kFirst)) return false;
  // Elsewhere a text would end there.
  if (lines.find('\0') != std::string_view::npos) return false;
  lines.remove_prefix(kFirst.size());
  while (lines != kEnd) {
    const std::size_t end = lines.find(kEnd);
    if (end == std::string_view::npos) return false;
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos || IsSpace(line[0])) {
      return false;
    }
    headers.push_back({line.substr(0, colon), Trim(line.substr(colon + 1))});
    lines.remove_prefix(end + kEnd.size());
  }
  return true;
}

}  // namespace

bool ParseHeaderLines(std::string_view lines,
                      std::vector<NatsHeader>& headers) {
  headers.clear();
  const bool parsed = Parse(lines, headers);
  if (!parsed) headers.clear();
  return parsed;
}

}  // namespace cirro::internal::nats
