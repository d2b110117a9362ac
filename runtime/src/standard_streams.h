#pragma once

#include <fcntl.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>

#include "cirro/cloudevents/result.h"

// Descriptors 0 to 2, as a program finds them and leaves them.
namespace cirro::internal {

/// Takes the numbers of standard streams that are closed, so that no socket
/// gets one: what is said on stderr would go to its peer. As before, reading
/// 0 and writing 1 fails: nobody shall believe that it was done. For the begin
/// of main, while there is one thread.
inline void OpenStandardStreams() noexcept {
  constexpr std::array kModes{O_WRONLY, O_RDONLY, O_WRONLY};
  for (std::size_t i = 0; i < kModes.size(); ++i) {
    if (fcntl(static_cast<int>(i), F_GETFD) >= 0) continue;
    // The lowest free number is this one: those below are open.
    static_cast<void>(open("/dev/null", kModes[i]));
  }
}

/// Writes what stdout still holds; once, at the end. Fails with kUnavailable
/// if this or anything before was not written.
[[nodiscard]] inline Result<void> FlushStandardOutput() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  const int number = errno;
  if (flushed && std::ferror(stdout) == 0) return {};
  return Error{
      ErrorCode::kUnavailable,
      std::string("the standard output cannot be written: ") +
          (number == 0 ? "part of it is lost" : std::strerror(number))};
}

/// Whether it is a pipe or socket whose other end was closed.
[[nodiscard]] inline bool NobodyReads(int fd) {
  pollfd poll_fd{.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLERR) != 0;
}

}  // namespace cirro::internal
