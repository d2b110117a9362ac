#pragma once

#include <pthread.h>

#include <csignal>

namespace cirro::internal::nats {

/// Signals are for the program's own threads.
inline void BlockSignals() noexcept {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace cirro::internal::nats
