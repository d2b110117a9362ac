#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/capability.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/mutex.h"

namespace cirro::test {

/// A source in memory that behaves like a broker's: what is not acknowledged
/// comes again, after the delay that was asked for, with its attempts counted.
/// With a peer that waits it is like HTTP: nothing comes again by itself. It
/// delivers when Pump is called, on the caller's thread and the clock's
/// time. Any thread may settle. Whether it delays or not, it says it cannot:
/// see DelayingInlet.
class MemoryInlet : public Inlet, private Settler {
 public:
  enum class State : std::uint8_t {
    kQueued,  ///< In the source; due at `due`.
    kOpen,    ///< Delivered, not settled.
    kAcked,
    kTermed,
    kRefused,  ///< Given back to a peer that waits: it decides what next.
  };
  struct Message {
    std::optional<Event> event{};
    std::string broken{};  ///< Without an event: the bytes that are none.
    std::string key{};
    std::uint32_t reply_capacity = 0;
    Duration patience = Duration::max();  ///< Of the peer, from delivery.
    std::shared_ptr<const Original> original{};
    bool crashed = false;
    State state = State::kQueued;
    int attempts = 0;
    TimePoint due{};
    std::vector<Settlement> settlements{};
  };

  MemoryInlet(const Clock& clock, InletInfo info, std::size_t max_open = 1000)
      : clock_(&clock), info_(std::move(info)), max_open_(max_open) {}

  /// Puts a message into the source; its number.
  std::size_t Publish(Message message) {
    const MutexLock lock(mutex_);
    messages_.push_back(std::move(message));
    return messages_.size() - 1;
  }
  std::size_t Publish(Event event, std::string key = {}) {
    return Publish({.event = std::move(event), .key = std::move(key)});
  }

  /// Delivers what is due, oldest first, as far as demand and the bound on
  /// open deliveries allow, `most` at the most; how many.
  std::size_t Pump(std::size_t most = SIZE_MAX) {
    std::vector<Delivery> batch;
    Sink* sink = nullptr;
    {
      const MutexLock lock(mutex_);
      sink = sink_;
      if (sink_ == nullptr || draining_) return 0;
      for (std::size_t i = first_; i < messages_.size(); ++i) {
        Message& message = messages_[i];
        if (i == first_ && Settled(message)) ++first_;
        if (batch.size() == most || open_ == max_open_ || !demand_) break;
        if (message.state != State::kQueued) continue;
        if (message.due > clock_->Now()) continue;
        message.state = State::kOpen;
        ++message.attempts;
        ++open_;
        batch.push_back(Make(message, i));
      }
    }
    const std::size_t count = batch.size();
    if (count > 0) sink->Deliver(batch);
    return count;
  }

  /// When the next message will be due that is not due yet.
  [[nodiscard]] TimePoint next_due() {
    const MutexLock lock(mutex_);
    TimePoint next = TimePoint::max();
    for (const Message& message : messages_) {
      if (message.state != State::kQueued) continue;
      if (message.due > clock_->Now()) next = std::min(next, message.due);
    }
    return next;
  }
  [[nodiscard]] Message message(std::size_t number) {
    const MutexLock lock(mutex_);
    return messages_[number];
  }
  [[nodiscard]] std::size_t size() {
    const MutexLock lock(mutex_);
    return messages_.size();
  }
  [[nodiscard]] std::size_t open() {
    const MutexLock lock(mutex_);
    return open_;
  }
  [[nodiscard]] bool demand() {
    const MutexLock lock(mutex_);
    return demand_;
  }
  /// Settlements of what was not open: each is a bug.
  [[nodiscard]] std::size_t wrong_settlements() {
    const MutexLock lock(mutex_);
    return wrong_;
  }

  [[nodiscard]] const InletInfo& info() const noexcept override {
    return info_;
  }
  Result<void> Start(Sink& sink) override {
    const MutexLock lock(mutex_);
    sink_ = &sink;
    return {};
  }
  void SetDemand(bool wanted) noexcept override {
    const MutexLock lock(mutex_);
    demand_ = wanted;
  }
  void BeginDrain(std::chrono::milliseconds /*patience*/) noexcept override {
    const MutexLock lock(mutex_);
    draining_ = true;
  }
  Result<void> Stop(std::chrono::milliseconds /*grace*/) noexcept override {
    const MutexLock lock(mutex_);
    draining_ = true;
    if (open_ == 0) return {};
    return Error{ErrorCode::kDeadlineExceeded,
                 std::to_string(open_) + " deliveries are open"};
  }

 private:
  static bool Settled(const Message& message) {
    return message.state != State::kQueued && message.state != State::kOpen;
  }

  Delivery Make(const Message& message, std::size_t number) {
    const DeliveryToken token{static_cast<std::uint64_t>(message.attempts),
                              number};
    Delivery delivery =
        message.event
            ? Delivery(*message.event, info_, *this, token)
            : Delivery(Malformed{message.broken,
                                 {},
                                 {ErrorCode::kInvalidEvent, "it is no event"}},
                       info_, *this, token);
    delivery.facts.key = message.key;
    delivery.facts.attempt = message.attempts;
    delivery.facts.reply_capacity = message.reply_capacity;
    delivery.facts.original = message.original;
    delivery.facts.crashed = message.crashed;
    if (message.patience != Duration::max()) {
      delivery.facts.deadline = clock_->Now() + message.patience;
    }
    return delivery;
  }

  [[nodiscard]] std::string PositionOf(DeliveryToken token) const override {
    return std::to_string(token.low);
  }
  void Settle(DeliveryToken token, Settlement settlement) noexcept override {
    const MutexLock lock(mutex_);
    Message& message = messages_[token.low];
    if (message.state != State::kOpen ||
        token.high != static_cast<std::uint64_t>(message.attempts)) {
      ++wrong_;
      return;
    }
    --open_;
    switch (settlement.kind) {
      case Settlement::Kind::kAck:
        message.state = State::kAcked;
        break;
      case Settlement::Kind::kTerm:
        message.state = State::kTermed;
        break;
      case Settlement::Kind::kNak:
        message.state = info_.peer_waits ? State::kRefused : State::kQueued;
        message.due = clock_->Now() + settlement.delay;
        break;
    }
    message.settlements.push_back(std::move(settlement));
  }

  const Clock* const clock_;
  const InletInfo info_;
  const std::size_t max_open_;

  Mutex mutex_;
  Sink* sink_ CIRRO_GUARDED_BY(mutex_) = nullptr;
  std::vector<Message> messages_ CIRRO_GUARDED_BY(mutex_);
  std::size_t first_ CIRRO_GUARDED_BY(mutex_) = 0;  // All before are settled.
  std::size_t open_ CIRRO_GUARDED_BY(mutex_) = 0;
  std::size_t wrong_ CIRRO_GUARDED_BY(mutex_) = 0;
  bool demand_ CIRRO_GUARDED_BY(mutex_) = true;
  bool draining_ CIRRO_GUARDED_BY(mutex_) = false;
};

/// One whose source keeps the delay of what it is to give again.
class DelayingInlet final : public MemoryInlet, public DelayedRedelivery {
 public:
  using MemoryInlet::MemoryInlet;
};

}  // namespace cirro::test
