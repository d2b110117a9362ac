#include "interrupt.h"

#include <csignal>
#include <initializer_list>

#include "exit_codes.h"

namespace cirro::cli {
namespace {

volatile std::sig_atomic_t ended_by = 0;

}  // namespace

void EndOnSignals() {
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    action.sa_handler = [](int signal) { ended_by = signal; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(number, &action, nullptr);
  }
}

bool IsInterrupted() noexcept { return ended_by != 0; }

int ExitOfInterrupted(int code) noexcept {
  constexpr int kBySignal = 128;  // As shells say it.
  return code == kOk && ended_by != 0 ? kBySignal + ended_by : code;
}

}  // namespace cirro::cli
