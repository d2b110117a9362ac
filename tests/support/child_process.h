#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/die_with_parent.h"

namespace cirro::test {

/// A program under test: what it writes, its signals, how it ended. Waits are
/// bounded by `patience`. It ends with the thread that started it at the
/// latest.
class ChildProcess {
 public:
  struct Start {
    std::vector<std::string> arguments;      ///< The program first.
    std::vector<std::string> environment{};  ///< NAME=value; nothing else.
    int listener = -1;  ///< Becomes descriptor 3, with LISTEN_PID set.
  };

  explicit ChildProcess(Start start, std::chrono::milliseconds patience =
                                         std::chrono::seconds(20))
      : patience_(patience) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    output_ = ends[0];
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
      DieWithParent(parent);
      Become(start, ends[1]);
    }
    close(ends[1]);
  }
  ~ChildProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(output_);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void Signal(int number) const { kill(pid_, number); }

  /// Reads both of its outputs until `text` was written; false: it ended, or
  /// patience did, before.
  bool WaitFor(const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + patience_;
    while (written_.find(text) == std::string::npos) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          end - std::chrono::steady_clock::now());
      pollfd polled{output_, POLLIN, 0};
      if (left.count() <= 0 ||
          poll(&polled, 1, static_cast<int>(left.count())) != 1) {
        return false;
      }
      std::array<char, 4096> buffer{};
      const ssize_t got = read(output_, buffer.data(), buffer.size());
      if (got <= 0) return false;
      written_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return true;
  }

  /// Reads until it ends: its exit status, or minus the signal's number. One
  /// that does not end is killed when patience is over.
  int Wait() {
    const auto end = std::chrono::steady_clock::now() + patience_;
    WaitFor(std::string("\0no such text", 13));
    if (std::chrono::steady_clock::now() >= end) kill(pid_, SIGKILL);
    int status = 0;
    if (waitpid(std::exchange(pid_, -1), &status, 0) < 0) return -1000;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Whether it runs; Wait says how it ended.
  [[nodiscard]] bool Runs() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info,
                  WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
  }

  [[nodiscard]] const std::string& written() const { return written_; }

 private:
  [[noreturn]] static void Become(Start& start, int output) {
    if (start.listener >= 0) {
      start.environment.push_back("LISTEN_FDS=1");
      start.environment.push_back("LISTEN_PID=" + std::to_string(getpid()));
    }
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (start.listener == 3) {
      fcntl(3, F_SETFD, 0);
    } else if (start.listener >= 0) {
      dup2(start.listener, 3);
    }
    std::vector<char*> arguments;
    for (std::string& argument : start.arguments) {
      arguments.push_back(argument.data());
    }
    arguments.push_back(nullptr);
    std::vector<char*> environment;
    for (std::string& variable : start.environment) {
      environment.push_back(variable.data());
    }
    environment.push_back(nullptr);
    execve(arguments[0], arguments.data(), environment.data());
    _exit(127);
  }

  const std::chrono::milliseconds patience_;
  int output_ = -1;
  pid_t pid_ = -1;
  std::string written_;
};

}  // namespace cirro::test
