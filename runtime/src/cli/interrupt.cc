#include "interrupt.h"

#include <csignal>
#include <initializer_list>
#include <utility>

#include "exit_codes.h"

namespace cirro::cli {
namespace {

volatile std::sig_atomic_t ended_by = 0;

void OnSignal(int number) {
  if (ended_by == 0) {
    ended_by = number;
    return;
  }
  signal(number, SIG_DFL);
  raise(number);
}

}  // namespace

void EndOnSignals() {
  static bool done = false;
  if (std::exchange(done, true)) return;
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction before {};
    sigaction(number, nullptr, &before);
    // As nohup, or a shell for what it runs behind it, wants it.
    if (before.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = &OnSignal;
    // What is being written is written: nobody is told twice.
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, nullptr);
  }
}

bool IsInterrupted() noexcept { return ended_by != 0; }

int ExitOfInterrupted(int code) noexcept {
  constexpr int kBySignal = 128;  // As shells say it.
  return code == kOk && ended_by != 0 ? kBySignal + ended_by : code;
}

}  // namespace cirro::cli
