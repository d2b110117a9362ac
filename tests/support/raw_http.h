#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cirro::test {

/// An answer as a RawHttpClient read it. Status 0: there was none.
struct RawResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< Lower case.
  std::string body;

  [[nodiscard]] std::string Header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

/// A client that sends exactly what it is told to 127.0.0.1 and reads answers.
/// Waits by poll, never longer than `patience`; what did not come by then is
/// an answer of status 0, or kTimeout.
class RawHttpClient {
 public:
  enum class End { kEnd, kReset, kTimeout };

  explicit RawHttpClient(
      std::uint16_t port,
      std::chrono::milliseconds patience = std::chrono::seconds(10),
      int receive_buffer = 0)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        patience_(patience) {
    if (receive_buffer > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                 sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address),
                         sizeof address) == 0;
  }
  RawHttpClient(RawHttpClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        patience_(other.patience_),
        connected_(other.connected_),
        input_(std::move(other.input_)),
        end_(other.end_) {}
  RawHttpClient& operator=(RawHttpClient&&) = delete;
  ~RawHttpClient() { Close(); }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return fd_; }
  /// How the peer ended; kTimeout: it did not yet.
  [[nodiscard]] End end() const { return end_; }

  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  /// Closes by a reset.
  void Reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    Close();
  }
  void EndWriting() const { shutdown(fd_, SHUT_WR); }

  /// Everything, waiting for room. False: the peer is gone, or out of patience.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t sent = SendSome(bytes);
      bytes.remove_prefix(sent);
      if (sent > 0) continue;
      if (errno != EAGAIN || !Wait(POLLOUT, Deadline())) return false;
    }
    return true;
  }
  /// What goes out without waiting.
  std::size_t SendSome(std::string_view bytes) const {
    errno = 0;
    const ssize_t sent =
        send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }

  /// The next answer that is no 1xx.
  RawResponse Receive(bool to_head = false) {
    RawResponse response;
    do {
      response = ReceiveOne(to_head);
    } while (response.status >= 100 && response.status < 200);
    return response;
  }
  /// The next answer, `100 Continue` included.
  RawResponse ReceiveOne(bool to_head = false) {
    const auto deadline = Deadline();
    std::size_t head = std::string::npos;
    while ((head = input_.find("\r\n\r\n")) == std::string::npos) {
      if (!Read(deadline)) return {};
    }
    RawResponse response = ParseHead(input_.substr(0, head + 2));
    input_.erase(0, head + 4);
    const std::size_t length =
        to_head ? 0
                : std::strtoul(response.Header("content-length").c_str(),
                               nullptr, 10);
    while (input_.size() < length) {
      if (!Read(deadline)) return {};
    }
    response.body = input_.substr(0, length);
    input_.erase(0, length);
    return response;
  }
  /// Sends, and the answer to it.
  RawResponse Exchange(std::string_view bytes) {
    Send(bytes);
    return Receive();
  }

  /// Reads until the peer's end; what came is in rest().
  End WaitForEnd() {
    const auto deadline = Deadline();
    while (Read(deadline)) {
    }
    return end_;
  }
  [[nodiscard]] const std::string& rest() const { return input_; }

 private:
  using Time = std::chrono::steady_clock::time_point;

  [[nodiscard]] Time Deadline() const {
    return std::chrono::steady_clock::now() + patience_;
  }

  [[nodiscard]] bool Wait(short events, Time deadline) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd polled{fd_, events, 0};
    return left.count() > 0 &&
           poll(&polled, 1, static_cast<int>(left.count())) == 1;
  }

  // False at the end, whichever.
  bool Read(Time deadline) {
    if (end_ != End::kTimeout || !Wait(POLLIN, deadline)) return false;
    char buffer[65'536];
    const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) {
      end_ = got == 0 ? End::kEnd : End::kReset;
      return false;
    }
    input_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  static RawResponse ParseHead(const std::string& head) {
    RawResponse response;
    if (!head.starts_with("HTTP/1.1 ")) return response;
    response.status = std::atoi(head.c_str() + 9);
    std::size_t line = head.find("\r\n") + 2;
    while (line < head.size()) {
      const std::size_t end = head.find("\r\n", line);
      const std::size_t colon = head.find(':', line);
      std::string name = head.substr(line, colon - line);
      std::transform(name.begin(), name.end(), name.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      });
      const std::size_t value = head.find_first_not_of(' ', colon + 1);
      response.headers.emplace_back(std::move(name),
                                    head.substr(value, end - value));
      line = end + 2;
    }
    return response;
  }

  int fd_;
  std::chrono::milliseconds patience_;
  bool connected_ = false;
  std::string input_;
  End end_ = End::kTimeout;
};

/// A POST with these header lines (each with CR LF) and body.
inline std::string Post(std::string_view lines, std::string_view body = {}) {
  std::string request = "POST / HTTP/1.1\r\nHost: localhost\r\n";
  request += lines;
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  request += body;
  return request;
}

/// A binary-mode event with this id, and data if any.
inline std::string PostEvent(std::string_view id, std::string_view data = {}) {
  std::string lines =
      "ce-specversion: 1.0\r\nce-source: /test\r\nce-type: test.event\r\n";
  lines += "ce-id: ";
  lines += id;
  lines += "\r\n";
  if (!data.empty()) lines += "Content-Type: text/plain\r\n";
  return Post(lines, data);
}

}  // namespace cirro::test
