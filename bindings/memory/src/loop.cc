#include "loop.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <mutex>

namespace cirro::internal::memory {
namespace {

// A wait that lasts so long looks again at the clock, which may be a test's.
constexpr std::chrono::hours kLongestWait{1};

}  // namespace

void Loop::Start() {
  thread_ = std::jthread([this] { Run(); });
}

void Loop::Run() noexcept {
  // Signals are for the program's own threads.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);

  while (!quit_) {
    woken_ = false;
    const Turns::Turned turned = Once();
    const TimePoint now = clock_.Now();
    mutex_.lock();
    const bool ends = finishing_ && (turns_.idle() || now >= finish_by_);
    const TimePoint until =
        std::min({turned.next, finish_by_, now + kLongestWait});
    if (!ends && turned.delivered == 0 && until > now) {
      changed_.wait_until(mutex_, until,
                          [this] { return woken_.load() || quit_.load(); });
    }
    mutex_.unlock();
    if (ends) return;
  }
}

Turns::Turned Loop::Once() noexcept {
  {
    const MutexLock lock(mutex_);
    turning_ = true;
  }
  const Turns::Turned turned = turns_.Turn();
  {
    const MutexLock lock(mutex_);
    turning_ = false;
  }
  changed_.notify_all();
  return turned;
}

void Loop::Wake() noexcept {
  if (woken_.exchange(true)) return;
  { const MutexLock lock(mutex_); }  // The thread waits, or has yet to look.
  changed_.notify_all();
}

void Loop::Post(const Said& said) noexcept {
  {
    const MutexLock lock(mutex_);
    posted_.push_back(said);
  }
  Wake();
}

void Loop::TakePosted(std::vector<Said>& all) noexcept {
  all.clear();
  const MutexLock lock(mutex_);
  all.swap(posted_);
}

void Loop::AwaitTurn(std::chrono::milliseconds patience) noexcept {
  mutex_.lock();
  changed_.wait_for(mutex_, patience,
                    [this]() CIRRO_REQUIRES(mutex_) { return !turning_; });
  mutex_.unlock();
}

void Loop::Finish(std::chrono::milliseconds grace) noexcept {
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(mutex_);
    finishing_ = true;
    const TimePoint now = clock_.Now();
    // Not of `now + grace`, which may be past the end of time.
    if (grace < finish_by_ - now) finish_by_ = now + grace;
  }
  woken_ = false;
  Wake();
  thread_.join();
}

void Loop::Quit() noexcept {
  quit_ = true;
  woken_ = false;
  Wake();
  if (thread_.joinable()) thread_.join();
}

}  // namespace cirro::internal::memory
