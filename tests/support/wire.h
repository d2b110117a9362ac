#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/dispatch/mutex.h"

namespace cirro::test {

/// What a client sends to a server of 127.0.0.1, and what that answers, goes
/// through here until it is cut: to the server that is a client that died, to
/// the client a server that is away. Any thread.
class Wire {
 public:
  enum class Protocol : std::uint8_t {
    kAny,
    /// Answers name the server that clients are to connect to: this instead.
    kKafka,
  };

  Wire(std::uint16_t server, Protocol protocol)
      : server_(server), protocol_(protocol), listener_(Socket()) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_.get(), generic, size) != 0 ||
        listen(listener_.get(), 64) != 0 ||
        getsockname(listener_.get(), generic, &size) != 0) {
      throw std::runtime_error("no port for a wire");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { Run(); });
  }
  ~Wire() {
    Cut();
    shutdown(listener_.get(), SHUT_RDWR);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Ends every connection, and each new one at once. Nothing goes through
  /// when this has returned.
  void Cut() {
    std::vector<std::unique_ptr<Link>> ended;
    const MutexLock lock(mutex_);
    cut_ = true;
    ended.swap(links_);
  }
  void Mend() {
    const MutexLock lock(mutex_);
    cut_ = false;
  }

 private:
  class Descriptor {
   public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() {
      if (fd_ >= 0) close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

   private:
    int fd_;
  };

  /// One connection.
  struct Link {
    Descriptor client;
    Descriptor server;
    std::jthread there{};
    std::jthread back{};

    Link(Descriptor from, Descriptor to)
        : client(std::move(from)), server(std::move(to)) {}
    ~Link() { End(); }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    void End() const {
      shutdown(client.get(), SHUT_RDWR);
      shutdown(server.get(), SHUT_RDWR);
    }
  };

  static Descriptor Socket() {
    return Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  static sockaddr_in Loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static void SendAtOnce(int fd) {
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }

  void Run() {
    for (;;) {
      Descriptor client(
          accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client.get() < 0) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        return;
      }
      const MutexLock lock(mutex_);
      if (!cut_) Join(std::move(client));
    }
  }
  void Join(Descriptor client) CIRRO_REQUIRES(mutex_) {
    Descriptor server = Socket();
    const sockaddr_in address = Loopback(server_);
    if (connect(server.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof address) != 0) {
      return;
    }
    SendAtOnce(client.get());
    SendAtOnce(server.get());
    links_.push_back(
        std::make_unique<Link>(std::move(client), std::move(server)));
    Link& link = *links_.back();
    link.there = std::jthread([&link] {
      Pass(link.client.get(), link.server.get());
      link.End();
    });
    link.back = std::jthread([this, &link] {
      if (protocol_ == Protocol::kKafka) {
        PassFrames(link.server.get(), link.client.get());
      } else {
        Pass(link.server.get(), link.client.get());
      }
      link.End();
    });
  }

  static bool SendAll(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  static void Pass(int from, int to) {
    std::array<char, 65'536> bytes{};
    for (;;) {
      const ssize_t size = recv(from, bytes.data(), bytes.size(), 0);
      if (size <= 0 ||
          !SendAll(to, {bytes.data(), static_cast<std::size_t>(size)})) {
        return;
      }
    }
  }
  // A frame is its length, in four bytes, and so many more.
  void PassFrames(int from, int to) const {
    std::string frame;
    for (;;) {
      std::uint32_t length = 0;
      if (recv(from, &length, sizeof length, MSG_WAITALL) != sizeof length) {
        return;
      }
      frame.assign(reinterpret_cast<const char*>(&length), sizeof length);
      frame.resize(sizeof length + ntohl(length));
      if (recv(from, frame.data() + sizeof length, ntohl(length),
               MSG_WAITALL) != static_cast<ssize_t>(ntohl(length))) {
        return;
      }
      NameThis(frame);
      if (!SendAll(to, frame)) return;
    }
  }
  // An address in an answer is the host's name and the port, in four bytes.
  void NameThis(std::string& frame) const {
    const std::string host = "127.0.0.1";
    const auto with_port = [&host](std::uint16_t port) {
      const std::uint32_t number = htonl(port);
      std::string bytes(sizeof number, '\0');
      std::memcpy(bytes.data(), &number, sizeof number);
      return host + bytes;
    };
    const std::string theirs = with_port(server_);
    const std::string ours = with_port(port_);
    for (std::size_t at = frame.find(theirs); at != std::string::npos;
         at = frame.find(theirs, at + ours.size())) {
      frame.replace(at, ours.size(), ours);
    }
  }

  const std::uint16_t server_;
  const Protocol protocol_;
  const Descriptor listener_;
  std::uint16_t port_ = 0;
  Mutex mutex_;
  bool cut_ CIRRO_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Link>> links_ CIRRO_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace cirro::test
