#include "support/child_process.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <array>
#include <chrono>
#include <thread>

namespace cirro::test {
namespace {

// The status that `pid` ended with; -1: not within ten seconds.
int StatusOf(pid_t pid) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) != pid) {
    if (std::chrono::steady_clock::now() > end) return -1;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return status;
}

TEST(ChildProcess, EndsWithAProcessThatIsKilled) {
  // Whose parent is no more becomes a child of this process.
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t starter = fork();
  if (starter == 0) {
    const ChildProcess child({.arguments = {"/bin/sleep", "600"}});
    const pid_t pid = child.pid();
    if (write(ends[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    for (;;) pause();
  }
  ASSERT_GT(starter, 0);
  pid_t child = -1;
  ASSERT_EQ(read(ends[0], &child, sizeof child),
            static_cast<ssize_t>(sizeof child));

  kill(starter, SIGKILL);
  ASSERT_NE(StatusOf(starter), -1);

  const int status = StatusOf(child);
  if (status == -1) kill(child, SIGKILL);
  // By the kernel, or by itself where its parent ended before it had asked.
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 126) << status;
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace cirro::test
