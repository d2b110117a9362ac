#include "signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace cirro::internal {
namespace {

// A handler can reach nothing but globals. Lock-free, as it must be in one.
std::atomic<int> event_of_handler{-1};
std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

void OnSignal(int number) {
  const int saved = errno;
  int none = 0;
  // Nothing is buffered, so there is nothing to flush before _exit.
  if (!first_signal.compare_exchange_strong(none, number)) _exit(128 + number);
  const eventfd_t one = 1;
  static_cast<void>(write(event_of_handler.load(), &one, sizeof one));
  errno = saved;
}

void Install(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, nullptr);
}

}  // namespace

StopSignal::StopSignal() : event_(eventfd(0, EFD_CLOEXEC)) {
  if (event_ < 0) {
    throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  first_signal = 0;
  event_of_handler = event_;
  Install(SIGTERM, &OnSignal);
  Install(SIGINT, &OnSignal);
  Install(SIGPIPE, SIG_IGN);
}

StopSignal::~StopSignal() {
  Install(SIGTERM, SIG_DFL);
  Install(SIGINT, SIG_DFL);
  close(event_);
}

void StopSignal::Wake() const noexcept {
  const eventfd_t one = 1;
  static_cast<void>(write(event_, &one, sizeof one));
}

int StopSignal::Wait() const noexcept {
  // Poll and not a read alone: there the thread sanitizer runs handlers.
  pollfd event{event_, POLLIN, 0};
  while (poll(&event, 1, -1) < 0 && errno == EINTR) {
  }
  return first_signal;
}

}  // namespace cirro::internal
