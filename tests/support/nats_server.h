#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/free_port.h"
#include "support/stand_still.h"
#include "support/temp_dir.h"

namespace cirro::test {

/// Where the nats-server program is: installed, or where ./dev unpacks it;
/// empty: nowhere.
inline std::string NatsServerProgram() {
  const char* const path = std::getenv("PATH");
  std::string folders = std::string(path == nullptr ? "" : path) +
                        ":/usr/sbin:/usr/local/bin:" +
                        CIRRO_SOURCE_DIR "/build/deps/nats-server/usr/sbin";
  for (std::size_t at = 0; at <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const std::string program = folders.substr(at, end - at) + "/nats-server";
    if (access(program.c_str(), X_OK) == 0) return program;
    at = end + 1;
  }
  return {};
}

/// Skips all tests of a program, aloud, where there is no server to start.
class NeedsNatsServer final : public ::testing::Environment {
 public:
  void SetUp() override {
    if (NatsServerProgram().empty()) {
      GTEST_SKIP() << "no nats-server: apt install nats-server";
    }
  }
};
inline ::testing::Environment* const kNeedsNatsServer =
    ::testing::AddGlobalTestEnvironment(new NeedsNatsServer);

/// Takes connections on a port where no server is, and closes them.
class Attempts {
 public:
  explicit Attempts(std::uint16_t port) {
    const int yes = 1;
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd_, 16) != 0) {
      throw std::runtime_error("the port is taken");
    }
  }
  ~Attempts() { close(fd_); }
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;

  /// How many came, until there were `enough` or none for twenty seconds.
  [[nodiscard]] int Take(int enough) const {
    int count = 0;
    for (; count < enough; ++count) {
      const int one = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (one < 0) break;
      close(one);
    }
    return count;
  }

 private:
  const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

/// A server with JetStream of a test's own, on a free port, its data in a fresh
/// directory. It can die and come back as it was.
class NatsServer {
 public:
  explicit NatsServer(std::vector<std::string> more = {})
      : more_(std::move(more)) {
    Start();
  }

  [[nodiscard]] std::string url() const {
    return "nats://127.0.0.1:" + std::to_string(port_);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const TempDir& folder() const { return folder_; }

  /// Returns when it listens.
  void Start() {
    std::vector<std::string> arguments = {
        NatsServerProgram(), "-a", "127.0.0.1", "-p", std::to_string(port_),
        "-js", "-sd", folder_.path().string(),
        // Of its own: it would wait for a reader of its output one day.
        "-l", folder_ / "log"};
    arguments.insert(arguments.end(), more_.begin(), more_.end());
    process_ = std::make_unique<ChildProcess>(
        ChildProcess::Start{.arguments = std::move(arguments)});
    for (int i = 0; i < 2'000; ++i) {
      if (Listens()) return;
      usleep(5'000);
    }
    throw std::runtime_error("nats-server does not listen: see " +
                             (folder_ / "log"));
  }
  /// SIGKILL.
  void Kill() { process_.reset(); }
  /// It neither answers nor closes anything until Resume.
  void Pause() const { StandStill(process_->pid()); }
  void Resume() const { process_->Signal(SIGCONT); }

 private:
  [[nodiscard]] bool Listens() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool ok =
        connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    return ok;
  }

  const std::vector<std::string> more_;
  const std::uint16_t port_ = FreePort();
  TempDir folder_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace cirro::test
