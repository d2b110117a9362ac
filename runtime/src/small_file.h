#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "cirro/cloudevents/result.h"

namespace cirro::internal {

/// The whole contents of a file. Fails with kInvalidConfig when it cannot be
/// read, or has more than `limit` bytes; the message is what is said behind
/// the file's name. Plain system calls: a stream would cost more than the rest
/// of the start.
[[nodiscard]] inline Result<std::string> ReadSmallFile(
    const std::string& path, std::size_t limit = 1U << 20U) {
  const auto unreadable = [] {
    return Error{ErrorCode::kInvalidConfig,
                 std::string("cannot be read: ") + std::strerror(errno)};
  };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unreadable();
  std::string text;
  char buffer[4096];
  ssize_t got = 0;
  while (text.size() <= limit) {
    got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  if (got < 0) {
    Error error = unreadable();
    close(fd);
    return error;
  }
  close(fd);
  if (text.size() > limit) {
    return Error{ErrorCode::kInvalidConfig,
                 "is larger than " + std::to_string(limit) + " bytes"};
  }
  return text;
}

}  // namespace cirro::internal
