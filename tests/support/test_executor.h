#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <span>
#include <vector>

#include "cirro/dispatch/executor.h"

namespace cirro::test {

/// Runs tasks when a test says so, in the order that its seed gives, or in the
/// order they were posted. One thread at a time; a task may run others.
class SeededExecutor final : public Executor {
 public:
  void Post(std::span<const Task> tasks) noexcept override {
    tasks_.insert(tasks_.end(), tasks.begin(), tasks.end());
  }
  bool ReplaceHung(const Task& task) noexcept override {
    hung_.push_back(task.argument);
    return true;
  }

  [[nodiscard]] std::size_t waiting() const { return tasks_.size(); }
  [[nodiscard]] const std::vector<std::uint64_t>& hung() const { return hung_; }

  /// Runs one task; false when there is none.
  bool RunFirst() { return RunAt(0); }
  bool RunAny(std::mt19937_64& random) {
    return !tasks_.empty() && RunAt(random() % tasks_.size());
  }
  void RunAll() {
    while (RunFirst()) {
    }
  }

 private:
  bool RunAt(std::size_t place) {
    if (place >= tasks_.size()) return false;
    const Task task = tasks_[place];
    tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(place));
    task.run(task.target, task.argument);
    return true;
  }

  std::deque<Task> tasks_;
  std::vector<std::uint64_t> hung_;
};

/// Runs each task on the thread that posts it; what a running task posts comes
/// after it, so that the stack does not grow.
class InlineExecutor final : public Executor {
 public:
  void Post(std::span<const Task> tasks) noexcept override {
    tasks_.insert(tasks_.end(), tasks.begin(), tasks.end());
    if (running_) return;
    running_ = true;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      const Task task = tasks_[i];
      task.run(task.target, task.argument);
    }
    tasks_.clear();
    running_ = false;
  }
  bool ReplaceHung(const Task& /*task*/) noexcept override { return false; }

 private:
  std::vector<Task> tasks_;
  bool running_ = false;
};

}  // namespace cirro::test
