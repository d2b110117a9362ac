#pragma once

#include <cstdint>
#include <span>

#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/clock.h"

namespace cirro {

/// One piece of work: `run(target, argument)` once, on some thread. It does
/// not throw. A value without ownership: `target` outlives the executor's use.
struct Task {
  void (*run)(void* target, std::uint64_t argument) noexcept = nullptr;
  void* target = nullptr;
  std::uint64_t argument = 0;
};

/// Runs tasks: a worker pool, the calling thread, or a seeded order in tests.
/// The engine bounds what is in flight, so an executor never refuses.
class CIRRO_EXPORT Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  /// Takes over the tasks, in order, with one wake-up; never blocks on them.
  /// Called from any thread.
  virtual void Post(std::span<const Task> tasks) noexcept = 0;

  /// The task running as (target, argument) is hung: replace its thread, so
  /// that the others' share does not shrink. False when the executor's bound
  /// on hung threads is reached and it did not. Called from any thread.
  virtual bool ReplaceHung(const Task& task) noexcept = 0;
};

/// Calls back at a time. One wish at a time: a later call replaces it.
class CIRRO_EXPORT TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  virtual ~TimerQueue() = default;

  /// Runs `task` at `when`, or soon if that is past, on a thread of the
  /// queue's own. TimePoint::max() forgets the wish. Called from any thread.
  virtual void Arm(TimePoint when, const Task& task) noexcept = 0;
};

}  // namespace cirro
