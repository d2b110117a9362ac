#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace cirro::test {

/// What a RawHttpServer does with one request: writes `bytes`, as they are,
/// and then may close. Neither is a peer that never answers.
struct RawReply {
  std::string bytes{};
  bool close = false;
};

/// A reply with `status` ("202 Accepted"), more header lines and a body.
inline RawReply Status(std::string_view status, std::string_view lines = {},
                       std::string_view body = {}) {
  std::string bytes = "HTTP/1.1 ";
  bytes += status;
  bytes += "\r\n";
  bytes += lines;
  bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  bytes += body;
  return {std::move(bytes)};
}

/// An HTTP server that says exactly what its script says, on 127.0.0.1. It
/// understands Content-Length and no more, and keeps what it was sent.
class RawHttpServer {
 public:
  /// Called on the server's thread with the bytes of one request.
  using Script = std::function<RawReply(const std::string& request)>;

  explicit RawHttpServer(Script script)
      : script_(std::move(script)),
        listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        wake_(eventfd(0, EFD_CLOEXEC)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || listen(listener_, 64) != 0 ||
        getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("no listener on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { Run(); });
  }
  ~RawHttpServer() {
    eventfd_write(wake_, 1);
    thread_.join();
    close(listener_);
    close(wake_);
  }
  RawHttpServer(const RawHttpServer&) = delete;
  RawHttpServer& operator=(const RawHttpServer&) = delete;

  [[nodiscard]] std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Run() {
    std::map<int, std::string> open;
    for (;;) {
      std::vector<pollfd> polled = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const auto& [fd, input] : open) polled.push_back({fd, POLLIN, 0});
      poll(polled.data(), polled.size(), -1);
      if (polled[0].revents != 0) break;
      if (polled[1].revents != 0) {
        open.emplace(accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), "");
        ++connections_;
      }
      for (std::size_t i = 2; i < polled.size(); ++i) {
        const int fd = polled[i].fd;
        if (polled[i].revents == 0 || Read(fd, open[fd])) continue;
        close(fd);
        open.erase(fd);
      }
    }
    for (const auto& [fd, input] : open) close(fd);
  }

  // False when the connection is over.
  bool Read(int fd, std::string& input) {
    char buffer[65'536];
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    input.append(buffer, static_cast<std::size_t>(got));
    for (;;) {
      const std::size_t head = input.find("\r\n\r\n");
      if (head == std::string::npos) return true;
      const std::size_t at = input.find("Content-Length: ");
      const std::size_t length =
          at < head ? std::strtoul(input.c_str() + at + 16, nullptr, 10) : 0;
      if (input.size() < head + 4 + length) return true;
      const std::string request = input.substr(0, head + 4 + length);
      input.erase(0, request.size());
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const RawReply reply = script_(request);
      send(fd, reply.bytes.data(), reply.bytes.size(), MSG_NOSIGNAL);
      if (reply.close) return false;
    }
  }

  const Script script_;
  const int listener_;
  const int wake_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::jthread thread_;
};

}  // namespace cirro::test
