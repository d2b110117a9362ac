#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/link.h"
#include "cirro/memory/memory.h"
#include "inlet_shell.h"

namespace cirro::internal::memory {

/// The inlet of a durable consumer.
class SharedInlet final : public MemoryInlet,
                          public SharedDurable,
                          public DelayedRedelivery,
                          public InProgress,
                          public Batched,
                          public LagReporter,
                          public Linked,
                          private Settler,
                          private Turns {
 public:
  SharedInlet(BrokerCore& core, MemoryInletOptions options, const Clock& clock,
              Observer& observer)
      : shell_(core, std::move(options), clock, observer, *this) {}
  ~SharedInlet() override;

  [[nodiscard]] const InletInfo& info() const noexcept override {
    return shell_.info();
  }
  Result<void> Start(Sink& sink) override;
  void SetDemand(bool wanted) noexcept override { shell_.SetDemand(wanted); }
  void BeginDrain(std::chrono::milliseconds patience) noexcept override {
    shell_.BeginDrain(patience);
  }
  Result<void> Stop(std::chrono::milliseconds grace) noexcept override;
  std::size_t Pump() override;
  [[nodiscard]] TimePoint next_pump() const override { return next_; }
  void Crash() noexcept override;

  [[nodiscard]] std::chrono::milliseconds extend_every()
      const noexcept override {
    return shell_.options().ack_wait / 3;
  }
  void Extend(std::span<const DeliveryToken> tokens) noexcept override;
  [[nodiscard]] std::vector<PartitionLag> Lag() const override {
    return shell_.Lag();
  }
  [[nodiscard]] LinkState link() const noexcept override {
    return shell_.link();
  }

 private:
  void Settle(DeliveryToken token, Settlement settlement) noexcept override;
  [[nodiscard]] std::string PositionOf(DeliveryToken token) const override;
  Turned Turn() noexcept override;
  [[nodiscard]] bool idle() const noexcept override { return open_ == 0; }
  void SettlePosted();

  InletShell shell_;
  std::atomic<bool> ended_{false};
  // Those of whoever turns.
  std::uint64_t member_ = 0;
  std::size_t open_ = 0;
  std::vector<Said> said_;
  std::vector<SharedEnd> ends_;
  std::vector<Fetched> fetched_;
  std::vector<Delivery> batch_;
  TimePoint next_{};
};

}  // namespace cirro::internal::memory
