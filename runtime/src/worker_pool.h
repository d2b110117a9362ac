#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <span>
#include <thread>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/executor.h"
#include "cirro/dispatch/mutex.h"

namespace cirro::internal {

/// Threads that run functions.
///
/// None exists before the first task, or Prepare. Up to `quick` are started as
/// tasks come; more, up to `most`, only when no task was taken for a moment
/// although some wait: functions that compute do not get more threads than
/// processors, functions that block do. Post and ReplaceHung from any thread.
class WorkerPool final : public Executor {
 public:
  struct Bounds {
    std::size_t quick = 1;
    std::size_t most = 1;
    std::size_t max_hung = 0;  ///< Threads replaced at the same time.
    /// Run, on any thread, each time one more would have to be replaced.
    Task exhausted{};
  };

  /// REQUIRES: 1 <= quick <= most.
  explicit WorkerPool(const Bounds& bounds) : bounds_(bounds) {}
  /// REQUIRES: Stop returned true, or nothing was posted.
  ~WorkerPool() override;

  /// Has a thread from the start: where the system gives none when a task
  /// comes, the task waits for the next Post, which a source may not bring.
  /// Fails with kUnavailable.
  Result<void> Prepare();

  void Post(std::span<const Task> tasks) noexcept override;
  bool ReplaceHung(const Task& task) noexcept override;

  /// Runs what was posted, ends the threads, and waits for them until `until`.
  /// False: some still run a task. Idempotent.
  bool Stop(TimePoint until) noexcept;

  [[nodiscard]] std::size_t threads() const noexcept;
  [[nodiscard]] std::size_t waiting() const noexcept;

 private:
  struct Worker {
    Task running{};  // `run` is null between tasks.
    bool hung = false;
    std::jthread thread{};
  };
  using Workers = std::list<Worker>;

  bool Replace(const Task& task) noexcept;
  void Grow() noexcept CIRRO_REQUIRES(mutex_);
  void StartWorker(bool watching) CIRRO_REQUIRES(mutex_);
  void Run(Workers::iterator self, bool watching) noexcept;
  // Returns when there may be a task to take.
  void Await() CIRRO_REQUIRES(mutex_);
  void Watch() CIRRO_REQUIRES(mutex_);
  [[nodiscard]] std::size_t useful() const noexcept CIRRO_REQUIRES(mutex_) {
    return workers_.size() - hung_;
  }

  const Bounds bounds_;

  mutable Mutex mutex_;
  std::condition_variable_any task_came_;  // At most `quick` wait for it.
  std::condition_variable_any summons_;    // The others do.
  std::condition_variable_any ended_;
  std::deque<Task> queue_ CIRRO_GUARDED_BY(mutex_);
  std::uint64_t taken_ CIRRO_GUARDED_BY(mutex_) = 0;  // Tasks, ever.
  Workers workers_ CIRRO_GUARDED_BY(mutex_);
  Workers finished_ CIRRO_GUARDED_BY(mutex_);         // To be joined.
  std::size_t idle_ CIRRO_GUARDED_BY(mutex_) = 0;     // Wait for task_came_.
  std::size_t reserve_ CIRRO_GUARDED_BY(mutex_) = 0;  // Wait for summons_.
  std::size_t hung_ CIRRO_GUARDED_BY(mutex_) = 0;
  // Somebody watches, or is on the way to it, whether the queue moves.
  bool watched_ CIRRO_GUARDED_BY(mutex_) = false;
  bool summoned_ CIRRO_GUARDED_BY(mutex_) = false;
  bool stopping_ CIRRO_GUARDED_BY(mutex_) = false;
};

}  // namespace cirro::internal
