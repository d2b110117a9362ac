#include "worker_pool.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <iterator>
#include <string>
#include <system_error>

namespace cirro::internal {
namespace {

// How long nothing may be taken from a filled queue before one more thread is
// thought to be of use.
constexpr std::chrono::milliseconds kPatience{1};

}  // namespace

WorkerPool::~WorkerPool() {
  const bool stopped = Stop(TimePoint::max());
  assert(stopped);
  static_cast<void>(stopped);
}

Result<void> WorkerPool::Prepare() {
  const MutexLock lock(mutex_);
  if (!workers_.empty()) return {};
  try {
    StartWorker(false);
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kUnavailable,
                 std::string("no thread for functions can be started (see "
                             "`ulimit -u` and pids.max): ") +
                     error.what()};
  }
  return {};
}

void WorkerPool::Post(std::span<const Task> tasks) noexcept {
  const MutexLock lock(mutex_);
  queue_.insert(queue_.end(), tasks.begin(), tasks.end());
  for (std::size_t i = 0; i < std::min(tasks.size(), idle_); ++i) {
    task_came_.notify_one();
  }
  if (queue_.size() > idle_) Grow();
}

bool WorkerPool::ReplaceHung(const Task& task) noexcept {
  if (Replace(task)) return true;
  const Task& exhausted = bounds_.exhausted;
  if (exhausted.run != nullptr) {
    exhausted.run(exhausted.target, exhausted.argument);
  }
  return false;
}

bool WorkerPool::Replace(const Task& task) noexcept {
  const MutexLock lock(mutex_);
  const auto worker =
      std::find_if(workers_.begin(), workers_.end(), [&](const Worker& w) {
        return w.running.run != nullptr && w.running.target == task.target &&
               w.running.argument == task.argument;
      });
  if (worker == workers_.end() || worker->hung) return true;
  if (hung_ >= bounds_.max_hung) return false;
  worker->hung = true;
  ++hung_;
  if (!queue_.empty()) Grow();
  return true;
}

// Called when more tasks wait than threads.
void WorkerPool::Grow() noexcept {
  try {
    std::size_t wanted = queue_.size() - std::min(queue_.size(), idle_);
    for (; wanted > 0 && useful() < bounds_.quick; --wanted) StartWorker(false);
    if (wanted == 0 || watched_) return;
    if (reserve_ > 0) {
      watched_ = summoned_ = true;
      summons_.notify_one();
    } else if (useful() < bounds_.most) {
      StartWorker(true);
      watched_ = true;
    }
  } catch (const std::system_error&) {
    // The system gives no more threads now. The tasks wait for those that
    // there are, or for the next Post.
  }
}

void WorkerPool::StartWorker(bool watching) {
  finished_.clear();  // Joins threads that are past their last task.
  workers_.emplace_back();
  const auto self = std::prev(workers_.end());
  try {
    self->thread =
        std::jthread([this, self, watching] { Run(self, watching); });
  } catch (...) {
    workers_.erase(self);
    throw;
  }
}

void WorkerPool::Run(Workers::iterator self, bool watching) noexcept {
  const MutexLock lock(mutex_);
  if (watching) Watch();
  for (;;) {
    while (queue_.empty() && !stopping_) Await();
    if (queue_.empty()) break;
    self->running = queue_.front();
    queue_.pop_front();
    ++taken_;
    const Task task = self->running;
    mutex_.unlock();
    task.run(task.target, task.argument);
    mutex_.lock();
    self->running.run = nullptr;
    if (self->hung) {
      self->hung = false;
      --hung_;
      // It came back, and other threads have its place, if there were any to
      // be had.
      if (useful() > bounds_.quick) break;
    }
  }
  finished_.splice(finished_.end(), workers_, self);
  ended_.notify_all();
}

void WorkerPool::Await() {
  if (idle_ < bounds_.quick) {
    ++idle_;
    task_came_.wait(mutex_);
    --idle_;
    return;
  }
  ++reserve_;
  summons_.wait(mutex_, [this]() CIRRO_REQUIRES(mutex_) {
    return summoned_ || stopping_;
  });
  --reserve_;
  if (summoned_) {
    summoned_ = false;
    Watch();
  }
}

// Returns when the queue is empty or does not move. In the second case the
// caller takes a task, and somebody else watches the rest.
void WorkerPool::Watch() {
  std::uint64_t seen = 0;
  do {
    seen = taken_;
    summons_.wait_for(mutex_, kPatience,
                      [this]() CIRRO_REQUIRES(mutex_) { return stopping_; });
  } while (!stopping_ && !queue_.empty() && taken_ != seen);
  watched_ = false;
  if (queue_.size() > idle_ + 1) Grow();
}

bool WorkerPool::Stop(TimePoint until) noexcept {
  Workers ended;
  const MutexLock lock(mutex_);
  stopping_ = true;
  task_came_.notify_all();
  summons_.notify_all();
  const auto all_ended = [this]() CIRRO_REQUIRES(mutex_) {
    return workers_.empty();
  };
  // The longest time point overflows inside wait_until.
  if (until == TimePoint::max()) {
    ended_.wait(mutex_, all_ended);
  } else if (!ended_.wait_until(mutex_, until, all_ended)) {
    return false;
  }
  finished_.clear();
  return true;
}

std::size_t WorkerPool::threads() const noexcept {
  const MutexLock lock(mutex_);
  return workers_.size();
}

std::size_t WorkerPool::waiting() const noexcept {
  const MutexLock lock(mutex_);
  return queue_.size();
}

}  // namespace cirro::internal
