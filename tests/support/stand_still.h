#pragma once

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>

namespace cirro::test {

/// Stops a child by SIGSTOP and returns when all of its threads stand. The
/// kernel tells them by way of one of them: until that one was given a
/// processor, the others go on.
inline void StandStill(pid_t child) {
  kill(child, SIGSTOP);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WSTOPPED | WEXITED | WNOWAIT);
}

}  // namespace cirro::test
