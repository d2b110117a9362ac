#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <iterator>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/inlet.h"

namespace cirro::test {

/// What is malformed is refused for what is wrong with it, as the dispatcher
/// does.
inline Settlement Refused(const Malformed& malformed) {
  return {.kind = Settlement::Kind::kTerm, .error = malformed.error};
}
inline Settlement Done() { return {.kind = Settlement::Kind::kAck}; }
inline Settlement Failed(ErrorCode code, std::string message = "the inside",
                         std::chrono::milliseconds delay = {}) {
  const bool final =
      code == ErrorCode::kRejected || code == ErrorCode::kInvalidEvent;
  return {.kind = final ? Settlement::Kind::kTerm : Settlement::Kind::kNak,
          .delay = delay,
          .error = Error{code, std::move(message)}};
}

/// Settles each event at once, on the inlet's thread, as a function says.
class InlineSink final : public Sink {
 public:
  using Function = std::function<Settlement(const Delivery&)>;

  InlineSink() = default;
  explicit InlineSink(Function function) : function_(std::move(function)) {}

  void Deliver(std::span<Delivery> batch) noexcept override {
    for (Delivery& delivery : batch) {
      if (const Malformed* const malformed = delivery.malformed()) {
        delivery.Settle(Refused(*malformed));
        continue;
      }
      {
        const std::lock_guard lock(mutex_);
        ids_.emplace_back(delivery.event()->id());
      }
      delivery.Settle(function_ ? function_(delivery) : Done());
    }
  }

  /// Of the events so far, in the order they came.
  [[nodiscard]] std::vector<std::string> ids() {
    const std::lock_guard lock(mutex_);
    return ids_;
  }

 private:
  const Function function_;
  std::mutex mutex_;
  std::vector<std::string> ids_;
};

/// Keeps deliveries until the test settles them, from its own thread.
class HoldingSink final : public Sink {
 public:
  void Deliver(std::span<Delivery> batch) noexcept override {
    const std::lock_guard lock(mutex_);
    for (Delivery& delivery : batch) held_.push_back(std::move(delivery));
    arrived_.notify_all();
  }

  /// Waits for `count` more deliveries and takes them, in the order they came.
  /// Fewer, when they did not come within ten seconds.
  std::vector<Delivery> Take(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(10),
                      [&] { return held_.size() >= count; });
    return TakeHeld(count);
  }
  /// At most `count`, of what is here now.
  std::vector<Delivery> TakeNow(std::size_t count) {
    const std::lock_guard lock(mutex_);
    return TakeHeld(count);
  }
  Delivery TakeOne() { return std::move(Take(1).at(0)); }

  [[nodiscard]] std::size_t held() {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }

 private:
  std::vector<Delivery> TakeHeld(std::size_t count) {
    const auto end = held_.begin() +
                     static_cast<std::ptrdiff_t>(std::min(count, held_.size()));
    std::vector<Delivery> taken(std::make_move_iterator(held_.begin()),
                                std::make_move_iterator(end));
    held_.erase(held_.begin(), end);
    return taken;
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Delivery> held_;
};

}  // namespace cirro::test
