#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace cirro::test {

/// In a child, before it becomes a program: the kernel ends it when the thread
/// that made it ends, however that ends. So what a killed test started stays on
/// no port. `parent` is the getpid() of before the fork. Without allocations.
inline void DieWithParent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It ended before the kernel was told.
  if (getppid() != parent) _exit(126);
}

}  // namespace cirro::test
