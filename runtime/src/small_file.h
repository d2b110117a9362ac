#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <optional>
#include <string>

namespace cirro::internal {

/// The contents of a file; nothing when it cannot be read. Plain system calls:
/// a stream would cost more than the rest of the start.
[[nodiscard]] inline std::optional<std::string> ReadSmallFile(
    const std::string& path, std::size_t limit = 1U << 20U) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string text;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = read(fd, buffer, sizeof buffer)) > 0 && text.size() < limit) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  close(fd);
  if (got < 0) return std::nullopt;
  return text;
}

}  // namespace cirro::internal
