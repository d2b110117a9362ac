#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "broker_core.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/observer.h"
#include "cirro/memory/memory.h"
#include "loop.h"

namespace cirro::internal::memory {

/// What both inlets have: their sink, its demand, and how they stand.
class InletShell {
 public:
  InletShell(BrokerCore& core, MemoryInletOptions options, const Clock& clock,
             Observer& observer, Turns& turns);

  [[nodiscard]] const MemoryInletOptions& options() const { return options_; }
  [[nodiscard]] const InletInfo& info() const { return info_; }
  [[nodiscard]] BrokerCore& core() const { return core_; }
  [[nodiscard]] TimePoint Now() const { return clock_.Now(); }
  [[nodiscard]] Loop& loop() { return loop_; }

  Result<void> Start(Sink& sink);
  void SetDemand(bool wanted) noexcept;
  /// Whether messages are to be fetched, beside so many that are open.
  [[nodiscard]] bool wants(std::size_t open) const noexcept;
  /// How many at once.
  [[nodiscard]] std::size_t room(std::size_t open) const noexcept;
  void BeginDrain(std::chrono::milliseconds patience) noexcept;

  /// Hands over what was fetched and empties it. `tokens` are theirs.
  void Deliver(std::vector<Delivery>& batch) noexcept;
  /// As Sink::Withdraw.
  void Withdraw(std::span<const std::uint64_t> assignments) noexcept;
  void Note(LogLevel level, std::string_view message) noexcept;
  /// So many messages are not in the broker any more.
  void Lost(std::uint64_t messages) noexcept;

  void SetLink(LinkState::Kind kind) noexcept;
  [[nodiscard]] LinkState link() const noexcept;
  void SetLag(std::vector<PartitionLag> lag);
  [[nodiscard]] std::vector<PartitionLag> Lag() const;

 private:
  BrokerCore& core_;
  const MemoryInletOptions options_;
  const InletInfo info_;
  const Clock& clock_;
  Observer& observer_;
  std::atomic<Sink*> sink_{nullptr};
  std::atomic<bool> wanted_{true};
  std::atomic<bool> draining_{false};

  mutable Mutex mutex_;
  LinkState link_ CIRRO_GUARDED_BY(mutex_);
  std::vector<PartitionLag> lag_ CIRRO_GUARDED_BY(mutex_);

  Loop loop_;
};

/// Adds the delivery of what was fetched, which is moved from.
void AddDelivery(Fetched& fetched, const InletInfo& info, Settler& settler,
                 DeliveryToken token, std::vector<Delivery>& batch);

/// Of a settlement, what the source has to know.
[[nodiscard]] Said SaidBy(DeliveryToken token, const Settlement& settlement);

}  // namespace cirro::internal::memory
