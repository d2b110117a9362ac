#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

/// Runs what it is given when its time has come, on one thread of its own:
/// what a client of a slow service does with its answers.
class Timer {
 public:
  using Clock = std::chrono::steady_clock;

  /// Any thread. What is not due when the timer is destroyed never runs.
  void After(std::chrono::milliseconds delay, std::function<void()> run) {
    {
      const std::lock_guard lock(mutex_);
      due_.emplace(Clock::now() + delay, std::move(run));
    }
    changed_.notify_one();
  }

 private:
  void Loop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      if (due_.empty()) {
        changed_.wait(lock, stop, [this] { return !due_.empty(); });
        continue;
      }
      const Clock::time_point first = due_.begin()->first;
      if (Clock::now() < first) {
        changed_.wait_until(lock, stop, first, [this, first] {
          return due_.begin()->first < first;
        });
        continue;
      }
      const auto next = due_.extract(due_.begin());
      lock.unlock();
      next.mapped()();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<Clock::time_point, std::function<void()>> due_;
  std::jthread thread_{[this](const std::stop_token& stop) { Loop(stop); }};
};
