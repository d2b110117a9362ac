#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/executor.h"
#include "cirro/dispatch/mutex.h"

namespace cirro::test {

/// So many threads. What was posted runs before it ends.
class LiveExecutor final : public Executor {
 public:
  explicit LiveExecutor(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
    }
  }
  ~LiveExecutor() override { Stop(); }

  void Post(std::span<const Task> tasks) noexcept override {
    {
      const MutexLock lock(mutex_);
      tasks_.insert(tasks_.end(), tasks.begin(), tasks.end());
    }
    changed_.notify_all();
  }
  bool ReplaceHung(const Task& /*task*/) noexcept override { return false; }

  void Stop() { threads_.clear(); }

 private:
  void Run(const std::stop_token& stop) {
    for (;;) {
      mutex_.lock();
      changed_.wait(mutex_, stop, [this]() CIRRO_REQUIRES(mutex_) {
        return !tasks_.empty();
      });
      if (tasks_.empty()) {
        mutex_.unlock();
        return;
      }
      const Task task = tasks_.front();
      tasks_.pop_front();
      mutex_.unlock();
      task.run(task.target, task.argument);
    }
  }

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Task> tasks_ CIRRO_GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;
};

/// Timers on real time, with a thread of their own.
class LiveTimers final : public TimerQueue {
 public:
  LiveTimers() : thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  void Arm(TimePoint when, const Task& task) noexcept override {
    {
      const MutexLock lock(mutex_);
      when_ = when;
      task_ = task;
      ++wishes_;
    }
    changed_.notify_all();
  }
  void Stop() { thread_ = {}; }

 private:
  void Run(const std::stop_token& stop) {
    mutex_.lock();
    while (!stop.stop_requested()) {
      const TimePoint when = when_;
      const std::size_t wishes = wishes_;
      const auto changed = [this, wishes]() CIRRO_REQUIRES(mutex_) {
        return wishes_ != wishes;
      };
      if (when == TimePoint::max()) {
        changed_.wait(mutex_, stop, changed);
        continue;
      }
      if (changed_.wait_until(mutex_, stop, when, changed)) continue;
      if (stop.stop_requested()) break;
      const Task due = task_;
      when_ = TimePoint::max();
      mutex_.unlock();
      due.run(due.target, due.argument);
      mutex_.lock();
    }
    mutex_.unlock();
  }

  Mutex mutex_;
  std::condition_variable_any changed_;
  TimePoint when_ CIRRO_GUARDED_BY(mutex_) = TimePoint::max();
  Task task_ CIRRO_GUARDED_BY(mutex_);
  std::size_t wishes_ CIRRO_GUARDED_BY(mutex_) = 0;
  std::jthread thread_;
};

}  // namespace cirro::test
