#include "listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace cirro::internal::http {
namespace {

constexpr int kBacklog = 4'096;  // cut to net.core.somaxconn by the system
constexpr int kOn = 1;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] sockaddr* get() {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): sockets
    return reinterpret_cast<sockaddr*>(&storage);
  }
};

bool Parse(const std::string& text, std::uint16_t port, Address& out) {
  sockaddr_in v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.size = sizeof v4;
    return true;
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.size = sizeof v6;
    return true;
  }
  return false;
}

Error Failed(const std::string& what, int number) {
  const bool passing = number == EADDRINUSE || number == EMFILE ||
                       number == ENFILE || number == ENOMEM ||
                       number == ENOBUFS;
  return {passing ? ErrorCode::kUnavailable : ErrorCode::kInvalidConfig,
          what + ": " + std::strerror(number)};
}

}  // namespace

Result<Listener> Listener::Open(const std::string& address, std::uint16_t port,
                                const char* setting) {
  const std::string where = address + " port " + std::to_string(port);
  Address parsed;
  if (!Parse(address, port, parsed)) {
    return Error{ErrorCode::kInvalidConfig,
                 "'" + address + "' is no IPv4 or IPv6 address (http.host)"};
  }
  Listener listener;
  listener.fd_ = socket(parsed.storage.ss_family,
                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (!listener.open()) return Failed("cannot listen on " + where, errno);
  setsockopt(listener.fd_, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  setsockopt(listener.fd_, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
  if (bind(listener.fd_, parsed.get(), parsed.size) != 0 ||
      listen(listener.fd_, kBacklog) != 0) {
    return Failed("cannot listen on " + where + " (" + setting + ")", errno);
  }
  if (!listener.FindPlace()) return Failed("cannot find " + where, errno);
  return listener;
}

Result<Listener> Listener::Adopt(int fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
      listening == 0) {
    return Error{ErrorCode::kInvalidConfig,
                 "descriptor " + std::to_string(fd) +
                     " is no listening socket (LISTEN_FDS)"};
  }
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return Failed("cannot adopt descriptor " + std::to_string(fd), errno);
  }
  Listener listener;
  listener.fd_ = fd;
  if (!listener.FindPlace()) {
    listener.fd_ = -1;  // It stays the supervisor's.
    return Error{ErrorCode::kInvalidConfig,
                 "descriptor " + std::to_string(fd) +
                     " listens on neither IPv4 nor IPv6 (LISTEN_FDS)"};
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
  return listener;
}

// False: it is of another family.
bool Listener::FindPlace() {
  Address place;
  place.size = sizeof place.storage;
  if (getsockname(fd_, place.get(), &place.size) != 0) return false;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto take = [&](const void* digits, std::uint16_t port) {
    inet_ntop(place.storage.ss_family, digits, text.data(), text.size());
    address_ = text.data();
    port_ = ntohs(port);
  };
  if (place.storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &place.storage, sizeof v4);
    take(&v4.sin_addr, v4.sin_port);
  } else if (place.storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &place.storage, sizeof v6);
    take(&v6.sin6_addr, v6.sin6_port);
  } else {
    return false;
  }
  return true;
}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      address_(std::move(other.address_)),
      port_(other.port_) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
    address_ = std::move(other.address_);
    port_ = other.port_;
  }
  return *this;
}

Listener::~Listener() { Close(); }

int Listener::Accept() const {
  return accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void Listener::Close() {
  if (open()) close(std::exchange(fd_, -1));
}

}  // namespace cirro::internal::http
