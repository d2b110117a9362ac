#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"

namespace cirro {

/// Who hears how a send ended. Outlives every SendCompletion that names it.
class CIRRO_EXPORT SendListener {
 public:
  SendListener() = default;
  SendListener(const SendListener&) = delete;
  SendListener& operator=(const SendListener&) = delete;
  virtual ~SendListener() = default;

  /// Called exactly once a send, from any thread; never blocks.
  /// `retry_after` is 0 where the peer named no time.
  virtual void OnSent(std::uint64_t send, Result<void> result,
                      std::chrono::milliseconds retry_after) noexcept = 0;
};

/// The duty to say how a send ended, once. Move-only; dropped, it says
/// kUnknownOutcome.
class CIRRO_EXPORT SendCompletion {
 public:
  SendCompletion(SendListener& listener, std::uint64_t send) noexcept
      : listener_(&listener), send_(send) {}
  SendCompletion(SendCompletion&& other) noexcept
      : listener_(std::exchange(other.listener_, nullptr)),
        send_(other.send_) {}
  SendCompletion& operator=(SendCompletion&& other) noexcept;
  ~SendCompletion();

  /// REQUIRES: not completed.
  void Complete(Result<void> result,
                std::chrono::milliseconds retry_after = {}) noexcept;

 private:
  SendListener* listener_;
  std::uint64_t send_;
};

/// A place that events are sent to: an HTTP sink, a topic, a queue.
class CIRRO_EXPORT Outlet {
 public:
  Outlet() = default;
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  virtual ~Outlet() = default;

  /// As in logs, metrics and `[outlet.NAME]`.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  /// Fails with kInvalidConfig only: an outlet is ready to take events before
  /// its peer is reachable.
  virtual Result<void> Start() = 0;

  /// Sends, and completes when the peer has the event, or with kUnavailable,
  /// kUnroutable, kRefused, kTooLarge, kOverloaded (also: its own bounded
  /// queue is full), kTimedOut or kUnknownOutcome. Never blocks; may complete
  /// before it returns. Called from any thread.
  virtual void Send(Event event, SendCompletion completion) noexcept = 0;

  /// Waits at most `grace` for open sends, fails the rest, closes. Idempotent.
  virtual void Stop(std::chrono::milliseconds grace) noexcept = 0;
};

}  // namespace cirro
