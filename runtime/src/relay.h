#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cirro/cloudevents/attribute.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/outlet.h"

namespace cirro::internal {

/// Sends what came by the path of an outlet there, and settles it when that
/// was confirmed; all else is the next sink's. What is open is bounded by the
/// receiver and by the outlet, which refuses what it has no room for.
class Relay final : public Sink {
 public:
  /// REQUIRES: all outlive *this, and each outlet has ended its sends when
  /// *this or the receiver goes.
  Relay(Sink& next, Observer& observer, const Clock& clock,
        std::vector<Extension> overrides)
      : next_(next),
        observer_(observer),
        clock_(clock),
        overrides_(std::move(overrides)) {}

  /// REQUIRES: before the first delivery; both outlive *this.
  void Add(const InletInfo& path, Outlet& outlet);

  void Deliver(std::span<Delivery> batch) noexcept override;
  void Withdraw(const InletInfo& inlet,
                std::span<const std::uint64_t> assignments) noexcept override {
    next_.Withdraw(inlet, assignments);
  }

 private:
  struct Open {
    Delivery delivery;
    TimePoint begin;
  };

  /// From one path to its outlet.
  class Way final : private SendListener {
   public:
    Way(const Relay& relay, const InletInfo& path, Outlet& outlet)
        : relay_(relay), path_(path), outlet_(outlet) {}

    [[nodiscard]] bool IsFor(const Delivery& delivery) const {
      return &delivery.inlet() == &path_;
    }
    void Send(Delivery delivery) noexcept;

   private:
    void OnSent(std::uint64_t send, Result<void> result,
                std::chrono::milliseconds retry_after) noexcept override;

    const Relay& relay_;
    const InletInfo& path_;
    Outlet& outlet_;
    Mutex mutex_;
    // Used again: there are never more than the receiver has open.
    std::vector<std::optional<Open>> open_ CIRRO_GUARDED_BY(mutex_);
    std::vector<std::uint64_t> free_ CIRRO_GUARDED_BY(mutex_);
  };

  void Settle(Open ended, Settlement settlement) const noexcept;
  [[nodiscard]] Result<Event> Overridden(const Event& event) const;

  Sink& next_;
  Observer& observer_;
  const Clock& clock_;
  const std::vector<Extension> overrides_;
  std::vector<std::unique_ptr<Way>> ways_;
};

}  // namespace cirro::internal
