#pragma once

#include <chrono>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/timestamp.h"

namespace cirro {

/// Monotonic time. Deadlines and delays are in it; never wall-clock time.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// Where the time comes from. Called from any thread.
class CIRRO_EXPORT Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  [[nodiscard]] virtual TimePoint Now() const noexcept = 0;
  /// The time of day, for the `time` of replies; never for a deadline.
  [[nodiscard]] virtual Timestamp WallTime() const noexcept = 0;
};

}  // namespace cirro
