#pragma once

#include <condition_variable>
#include <thread>

#include "cirro/dispatch/executor.h"
#include "cirro/dispatch/mutex.h"

namespace cirro::internal {

/// The time of the system.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const noexcept override;
  [[nodiscard]] Timestamp WallTime() const noexcept override;
};

/// Calls back at a time, on a thread that the first wish starts. Any thread.
class TimerThread final : public TimerQueue {
 public:
  TimerThread() = default;
  ~TimerThread() override = default;

  void Arm(TimePoint when, const Task& task) noexcept override;

  /// Forgets the wish and ends the thread; a task that runs is waited for.
  void Stop() noexcept;

 private:
  void Run(const std::stop_token& stop) noexcept;

  Mutex mutex_;
  std::condition_variable_any changed_;
  TimePoint when_ CIRRO_GUARDED_BY(mutex_) = TimePoint::max();
  Task task_ CIRRO_GUARDED_BY(mutex_);
  bool started_ CIRRO_GUARDED_BY(mutex_) = false;
  bool stopped_ CIRRO_GUARDED_BY(mutex_) = false;

  std::jthread thread_;
};

}  // namespace cirro::internal
