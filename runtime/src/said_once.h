#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_set>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/mutex.h"
#include "log.h"

namespace cirro::internal {

/// What was said within the hour, so that each thing is said once. Whoever
/// sends chooses the texts, so only so many are said in an hour, and of each
/// only its hash is kept. Any thread.
class SaidOnce {
 public:
  static constexpr std::size_t kMost = 1'000;

  /// Whether `text` is to be said: it was not within the hour.
  [[nodiscard]] bool First(std::string_view text, TimePoint now) {
    const MutexLock lock(mutex_);
    if (now - since_ >= std::chrono::hours(1)) {
      said_.clear();
      since_ = now;
    }
    if (said_.size() >= kMost) return false;
    return said_.insert(std::hash<std::string_view>()(text)).second;
  }

 private:
  Mutex mutex_;
  TimePoint since_ CIRRO_GUARDED_BY(mutex_){};
  std::unordered_set<std::size_t> said_ CIRRO_GUARDED_BY(mutex_);
};

/// How many lines a second may be written of what peers can cause at will.
class LineQuota {
 public:
  static constexpr std::size_t kPerSecond = 100;

  /// Whether one more may be written; then how many were not since the last
  /// one that was.
  [[nodiscard]] bool Take(TimePoint now, std::size_t& left_out) {
    const MutexLock lock(mutex_);
    if (now - since_ >= std::chrono::seconds(1)) {
      since_ = now;
      used_ = 0;
    }
    if (used_ >= kPerSecond) {
      ++left_out_;
      return false;
    }
    ++used_;
    left_out = left_out_;
    left_out_ = 0;
    return true;
  }

 private:
  Mutex mutex_;
  TimePoint since_ CIRRO_GUARDED_BY(mutex_){};
  std::size_t used_ CIRRO_GUARDED_BY(mutex_) = 0;
  std::size_t left_out_ CIRRO_GUARDED_BY(mutex_) = 0;
};

/// As a field of a line: nothing is none.
[[nodiscard]] inline LogValue LeftOut(std::size_t lines) {
  if (lines == 0) return std::string_view();
  return std::uint64_t{lines};
}

}  // namespace cirro::internal
