#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "cirro/dispatch/clock.h"

namespace cirro::test {

/// The time that it is, where a real broker is behind a test.
class RealClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const noexcept override {
    return std::chrono::steady_clock::now();
  }
  [[nodiscard]] Timestamp WallTime() const noexcept override {
    return ToTimestamp(std::chrono::system_clock::now());
  }
};

/// Waits until `holds`; false: not within `patience`. Asks again and again,
/// because what is waited for is another process's.
inline bool Eventually(
    const std::function<bool()>& holds,
    std::chrono::milliseconds patience = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    // Not at once: the server that is asked has work to do, too.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace cirro::test
