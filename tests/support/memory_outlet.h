#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/outlet.h"

namespace cirro::test {

/// A place in memory. It confirms each event as it comes, or holds the sends
/// until a test ends them one by one. Any thread may send.
class MemoryOutlet final : public Outlet {
 public:
  explicit MemoryOutlet(std::string name, bool holds = false)
      : name_(std::move(name)), holds_(holds) {}

  [[nodiscard]] std::string_view name() const noexcept override {
    return name_;
  }
  Result<void> Start() override { return {}; }

  void Send(Event event, SendCompletion completion) noexcept override {
    {
      const MutexLock lock(mutex_);
      if (holds_) {
        open_.push_back({std::move(event), std::move(completion)});
        return;
      }
      taken_.push_back(std::move(event));
    }
    completion.Complete({});
  }

  void Stop(std::chrono::milliseconds /*grace*/) noexcept override {
    while (Fail(ErrorCode::kUnavailable)) {
    }
  }

  [[nodiscard]] std::size_t open() {
    const MutexLock lock(mutex_);
    return open_.size();
  }
  [[nodiscard]] std::vector<Event> taken() {
    const MutexLock lock(mutex_);
    return taken_;
  }

  /// Ends the send at `place`: the event is here now. False: there is none.
  bool Confirm(std::size_t place = 0) {
    auto send = TakeOpen(place);
    if (send.empty()) return false;
    {
      const MutexLock lock(mutex_);
      taken_.push_back(std::move(send.front().event));
    }
    send.front().completion.Complete({});
    return true;
  }
  bool Fail(ErrorCode code, std::size_t place = 0,
            std::chrono::milliseconds retry_after = {}) {
    auto send = TakeOpen(place);
    if (send.empty()) return false;
    send.front().completion.Complete(Error{code, "the outlet says so"},
                                     retry_after);
    return true;
  }
  /// Loses the send: its completion is dropped.
  bool Drop(std::size_t place = 0) { return !TakeOpen(place).empty(); }

 private:
  struct Open {
    Event event;
    SendCompletion completion;
  };

  std::vector<Open> TakeOpen(std::size_t place) {
    std::vector<Open> taken;
    const MutexLock lock(mutex_);
    if (place < open_.size()) {
      const auto at = open_.begin() + static_cast<std::ptrdiff_t>(place);
      taken.push_back(std::move(*at));
      open_.erase(at);
    }
    return taken;
  }

  const std::string name_;
  const bool holds_;

  Mutex mutex_;
  std::deque<Open> open_ CIRRO_GUARDED_BY(mutex_);
  std::vector<Event> taken_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::test
