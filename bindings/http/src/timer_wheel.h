#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "cirro/dispatch/clock.h"

namespace cirro::internal::http {

/// A place in a TimerWheel. Its owner takes it out before it dies.
struct TimerNode {
  TimerNode* previous = nullptr;
  TimerNode* next = nullptr;
  std::uint64_t tick = 0;  ///< 0: in no wheel.
};

/// Coarse timers of one thread, for many owners whose deadlines mostly move
/// later and never come. A node fires at its time or up to a tick after it, or
/// early: at the horizon, or when its deadline moved later meanwhile. Whoever
/// is called compares with the clock and schedules again.
class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{64};

  explicit TimerWheel(TimePoint begin) : begin_(begin) {
    for (TimerNode& slot : slots_) slot.previous = slot.next = &slot;
  }
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// A node that would fire before `when` anyway stays where it is.
  void Schedule(TimerNode& node, TimePoint when) {
    const std::uint64_t tick = std::min(TickOf(when), now_ + kSlots - 1);
    if (node.tick != 0) {
      if (node.tick <= tick) return;
      Cancel(node);
    }
    node.tick = std::max(tick, now_ + 1);
    TimerNode& slot = slots_[node.tick % kSlots];
    node.previous = slot.previous;
    node.next = &slot;
    slot.previous->next = &node;
    slot.previous = &node;
    earliest_ = std::min(earliest_, node.tick);
  }

  static void Cancel(TimerNode& node) {
    if (node.tick == 0) return;
    node.previous->next = node.next;
    node.next->previous = node.previous;
    node.tick = 0;
  }

  /// Calls `fire(node)` for each node whose tick is over by `now`; it is out
  /// of the wheel then, and may be scheduled again.
  template <typename Fire>
  void Advance(TimePoint now, Fire fire) {
    const std::uint64_t target = TickOf(now + Duration(1)) - 1;
    while (now_ < target) {
      // After a long sleep every slot is looked at once, not every tick.
      if (target - now_ > kSlots) now_ = target - kSlots;
      ++now_;
      TimerNode& slot = slots_[now_ % kSlots];
      while (slot.next != &slot) {
        TimerNode& node = *slot.next;
        Cancel(node);
        fire(node);
      }
    }
    earliest_ = Earliest();
  }

  /// When Advance has something to do; TimePoint::max() if never. Possibly
  /// too early, never too late.
  [[nodiscard]] TimePoint next() const {
    return earliest_ == kNever
               ? TimePoint::max()
               : begin_ + static_cast<std::int64_t>(earliest_) * kTick;
  }

 private:
  static constexpr std::size_t kSlots = 512;  // some 33 s
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  // The first tick that is not before `when`.
  [[nodiscard]] std::uint64_t TickOf(TimePoint when) const {
    if (when <= begin_) return 1;
    const auto ticks = (when - begin_ - Duration(1)) / kTick + 1;
    return static_cast<std::uint64_t>(ticks);
  }

  [[nodiscard]] std::uint64_t Earliest() const {
    for (std::uint64_t tick = now_ + 1; tick <= now_ + kSlots; ++tick) {
      const TimerNode& slot = slots_[tick % kSlots];
      if (slot.next != &slot) return tick;
    }
    return kNever;
  }

  const TimePoint begin_;
  std::uint64_t now_ = 0;  ///< The last tick that is over.
  std::uint64_t earliest_ = kNever;
  std::array<TimerNode, kSlots> slots_;
};

}  // namespace cirro::internal::http
