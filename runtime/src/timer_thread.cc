#include "timer_thread.h"

#include <chrono>
#include <system_error>

namespace cirro::internal {

TimePoint SystemClock::Now() const noexcept {
  return std::chrono::steady_clock::now();
}

Timestamp SystemClock::WallTime() const noexcept {
  return ToTimestamp(std::chrono::system_clock::now());
}

void TimerThread::Arm(TimePoint when, const Task& task) noexcept {
  const MutexLock lock(mutex_);
  const bool sooner = when < when_;
  when_ = when;
  task_ = task;
  if (stopped_ || when == TimePoint::max()) return;
  if (!started_) {
    try {
      thread_ =
          std::jthread([this](const std::stop_token& stop) { Run(stop); });
      started_ = true;
    } catch (const std::system_error&) {
      // No thread to be had: the next wish tries again.
    }
  } else if (sooner) {
    changed_.notify_one();
  }
}

void TimerThread::Stop() noexcept {
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
    when_ = TimePoint::max();
  }
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void TimerThread::Run(const std::stop_token& stop) noexcept {
  const MutexLock lock(mutex_);
  while (!stop.stop_requested()) {
    // Wakes when the wish is due or became sooner; a later one is found out
    // when the old time is over.
    const TimePoint sleep_until = when_;
    if (sleep_until == TimePoint::max()) {
      changed_.wait(mutex_, stop, [this]() CIRRO_REQUIRES(mutex_) {
        return when_ != TimePoint::max();
      });
      continue;
    }
    if (std::chrono::steady_clock::now() < sleep_until) {
      changed_.wait_until(mutex_, stop, sleep_until,
                          [this, sleep_until]() CIRRO_REQUIRES(mutex_) {
                            return when_ < sleep_until;
                          });
      continue;
    }
    const Task task = task_;
    when_ = TimePoint::max();
    mutex_.unlock();
    task.run(task.target, task.argument);
    mutex_.lock();
  }
}

}  // namespace cirro::internal
