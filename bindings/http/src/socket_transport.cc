#include "socket_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace cirro::internal::http {
namespace {

IoResult Outcome(ssize_t size) noexcept {
  if (size > 0) {
    return {IoResult::Kind::kDone, static_cast<std::size_t>(size)};
  }
  if (size == 0) return {IoResult::Kind::kEnd, 0};
  const bool block = errno == EAGAIN || errno == EWOULDBLOCK;
  return {block ? IoResult::Kind::kBlock : IoResult::Kind::kBroken, 0};
}

}  // namespace

SocketTransport::~SocketTransport() { close(fd_); }

IoResult SocketTransport::Read(std::span<char> into) noexcept {
  ssize_t size = 0;
  do {
    size = recv(fd_, into.data(), into.size(), 0);
  } while (size < 0 && errno == EINTR);
  return Outcome(size);
}

IoResult SocketTransport::Write(std::string_view bytes) noexcept {
  ssize_t size = 0;
  do {
    size = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (size < 0 && errno == EINTR);
  return Outcome(size);
}

void SocketTransport::EndWriting() noexcept { shutdown(fd_, SHUT_WR); }

}  // namespace cirro::internal::http
