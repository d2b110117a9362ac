#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

namespace cirro::cli {

/// Keeps a rate.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  /// `rate`: a second, at most; 0: no limit.
  explicit Pace(double rate) : rate_(rate) {}

  /// Returns when the next is due, or `stopped` says so.
  void Wait(const std::function<bool()>& stopped) {
    if (rate_ <= 0) return;
    constexpr auto kLook = std::chrono::milliseconds(100);
    auto now = Clock::now();
    for (; now < next_ && !stopped(); now = Clock::now()) {
      std::this_thread::sleep_until(std::min(next_, now + kLook));
    }
    const auto gap = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(1 / rate_));
    next_ = std::max(next_, now - gap) + gap;
  }

 private:
  const double rate_;
  Clock::time_point next_ = Clock::now();
};

/// Says when a second has passed since it last did.
class EachSecond {
 public:
  [[nodiscard]] bool Is() {
    const auto now = Pace::Clock::now();
    if (now - said_ < std::chrono::seconds(1)) return false;
    said_ = now;
    return true;
  }

 private:
  Pace::Clock::time_point said_ = Pace::Clock::now();
};

}  // namespace cirro::cli
