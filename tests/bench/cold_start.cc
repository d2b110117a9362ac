// cold_start PORT SERVER [ARGS...]: starts SERVER with PORT in its environment
// and prints the nanoseconds from just before exec to its first answered event,
// then the processor time that it used for that.
// cold_start exit PROGRAM [ARGS...]: to the end of PROGRAM instead, which is
// what exec, the dynamic linker and the libraries' initialisers cost alone.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{10};

constexpr std::string_view kEvent =
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n"
    "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /bench\r\n"
    "ce-type: com.example.bench.inline\r\nContent-Type: application/json\r\n"
    "Content-Length: 2\r\n\r\n{}";

// The server on one core and the prober on another, where there are two.
void PinTo(int which) {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  if (CPU_COUNT(&allowed) < 2) return;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || which-- > 0) continue;
    cpu_set_t chosen;
    CPU_ZERO(&chosen);
    CPU_SET(cpu, &chosen);
    sched_setaffinity(0, sizeof chosen, &chosen);
    return;
  }
}

constexpr std::string_view kGood = "HTTP/1.1 2";

pid_t Spawn(char** arguments) {
  const pid_t child = fork();
  if (child == 0) {
    PinTo(0);
    execv(arguments[0], arguments);
    std::perror(arguments[0]);
    _exit(127);
  }
  return child;
}

// True when the event was answered with 2xx; false when nobody listens yet.
bool SendEvent(const sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{kPatience.count(), 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  bool answered = false;
  if (connect(fd, name, sizeof address) == 0 &&
      send(fd, kEvent.data(), kEvent.size(), MSG_NOSIGNAL) > 0) {
    std::array<char, 4096> answer;
    const ssize_t got = recv(fd, answer.data(), answer.size(), 0);
    answered =
        got > 0 && std::string_view(answer.data(), kGood.size()) == kGood;
  }
  close(fd);
  return answered;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: cold_start PORT|exit PROGRAM [ARGS...]\n", stderr);
    return 2;
  }
  const std::string port = argv[1];
  const bool until_exit = port == "exit";
  if (!until_exit) setenv("PORT", port.c_str(), 1);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(
      static_cast<std::uint16_t>(std::strtoul(port.c_str(), nullptr, 10)));

  const Clock::time_point start = Clock::now();
  const pid_t child = Spawn(argv + 2);
  PinTo(1);
  bool done = until_exit;
  int status = 0;
  rusage used{};
  if (until_exit) {
    while (wait4(child, &status, WNOHANG, &used) == 0) {
    }
  } else {
    while (!done && Clock::now() - start < kPatience &&
           waitpid(child, &status, WNOHANG) == 0) {
      done = SendEvent(address);
    }
  }
  const std::chrono::nanoseconds taken = Clock::now() - start;
  if (!until_exit) {
    kill(child, SIGKILL);
    wait4(child, &status, 0, &used);
  }
  if (!done || (until_exit && status != 0)) {
    std::fprintf(stderr, "%s: no event was answered\n", argv[2]);
    return 1;
  }
  const auto processor =
      std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
      std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  std::printf(
      "%lld %lld\n", static_cast<long long>(taken.count()),
      static_cast<long long>(std::chrono::nanoseconds(processor).count()));
  return 0;
}
