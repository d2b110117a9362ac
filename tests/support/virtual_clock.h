#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/executor.h"

namespace cirro::test {

/// Time that passes when a test says so. One thread at a time.
class VirtualClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const noexcept override { return now_; }
  [[nodiscard]] Timestamp WallTime() const noexcept override {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(now_ - kStart);
    return {.seconds = 1'600'000'000 + seconds.count()};
  }
  void Advance(Duration by) { now_ += by; }
  void AdvanceTo(TimePoint when) {
    if (when > now_) now_ = when;
  }

 private:
  static constexpr TimePoint kStart{std::chrono::hours(1)};

  TimePoint now_ = kStart;
};

/// Timers on virtual time: RunDue is the queue's own thread.
class VirtualTimers final : public TimerQueue {
 public:
  explicit VirtualTimers(const VirtualClock& clock) : clock_(&clock) {}

  void Arm(TimePoint when, const Task& task) noexcept override {
    when_ = when;
    task_ = task;
  }
  [[nodiscard]] TimePoint next() const { return when_; }
  /// Runs what is due; false when nothing is.
  bool RunDue() {
    if (when_ > clock_->Now()) return false;
    when_ = TimePoint::max();
    task_.run(task_.target, task_.argument);
    return true;
  }

 private:
  const VirtualClock* clock_;
  TimePoint when_ = TimePoint::max();
  Task task_;
};

}  // namespace cirro::test
