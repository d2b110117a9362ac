// The floor that every server is measured against: one thread, epoll, two
// system calls a request, and no look at what came. The length of a
// connection's first request is found once (a blank line, a Content-Length);
// after that requests are counted by dividing bytes. It is wrong for any client
// that sends requests of different lengths, and it is as fast as a server of
// this shape can be.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";

constexpr std::string_view kLength = "Content-Length:";

struct Connection {
  std::size_t request_size = 0;  // 0 until the first request was seen whole
  std::size_t pending = 0;       // bytes of a request not yet complete
  std::string first;             // the first request while it is incomplete
};

// The length of the request at the start of `bytes`, or 0 if it is cut short.
std::size_t RequestSize(std::string_view bytes) {
  const std::size_t blank = bytes.find("\r\n\r\n");
  if (blank == std::string_view::npos) return 0;
  std::size_t body = 0;
  const std::size_t field = bytes.find(kLength);
  if (field < blank) {
    body = std::strtoul(bytes.data() + field + kLength.size(), nullptr, 10);
  }
  return blank + 4 + body;
}

std::size_t CountRequests(Connection& connection, std::string_view bytes) {
  if (connection.request_size == 0) {
    connection.first.append(bytes);
    connection.request_size = RequestSize(connection.first);
    if (connection.request_size == 0) return 0;
    connection.pending = connection.first.size();
    connection.first.clear();
  } else {
    connection.pending += bytes.size();
  }
  const std::size_t complete = connection.pending / connection.request_size;
  connection.pending -= complete * connection.request_size;
  return complete;
}

int Fail(const char* what) {
  std::perror(what);
  return 1;
}

// Watches `fd`, named by itself: edge-triggered, so one event per arrival.
void Watch(int epoll, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// Returns false when the peer is gone.
bool Serve(int fd, Connection& connection) {
  static std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN;
    const auto size = static_cast<std::size_t>(got);
    const std::size_t requests =
        CountRequests(connection, {buffer.data(), size});
    if (requests == 1) {
      send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    } else if (requests > 1) {
      std::string answers;
      for (std::size_t i = 0; i < requests; ++i) answers += kAnswer;
      send(fd, answers.data(), answers.size(), MSG_NOSIGNAL);
    }
    // A short read has emptied the socket; an edge comes with the next bytes.
    if (size < buffer.size()) return true;
  }
}

}  // namespace

int main() {
  const char* port = std::getenv("PORT");
  const int listener =
      socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(
      port == nullptr ? 8080 : std::strtoul(port, nullptr, 10)));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (bind(listener, name, sizeof address) != 0) return Fail("bind");
  if (listen(listener, 4096) != 0) return Fail("listen");

  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  Watch(epoll, listener, EPOLLIN);
  std::unordered_map<int, Connection> connections;
  std::array<epoll_event, 512> events;
  for (;;) {
    const int ready =
        epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        const int accepted =
            accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) continue;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[accepted] = {};
        Watch(epoll, accepted, EPOLLIN | EPOLLET | EPOLLRDHUP);
      } else if (!Serve(fd, connections[fd])) {
        connections.erase(fd);
        close(fd);
      }
    }
  }
}
