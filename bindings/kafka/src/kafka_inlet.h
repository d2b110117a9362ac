#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/settlement.h"
#include "cirro/kafka/inlet_options.h"
#include "consumer.h"
#include "handles.h"
#include "inlet_shared.h"
#include "properties.h"
#include "transactions.h"

namespace cirro::internal::kafka {

/// A member of a consumer group, at least once.
///
/// What is called here from any thread leaves a word in InletShared; the
/// Consumer, on the one thread, does it.
class KafkaInlet : public Inlet,
                   public Settler,
                   public Seekable,
                   public ConsumerGroups,
                   public PartitionOrdered,
                   public Batched,
                   public KeepsAttempts,
                   public LagReporter,
                   public Linked {
 public:
  KafkaInlet(KafkaInletOptions options, Properties properties,
             const Clock& clock, Observer& observer);
  ~KafkaInlet() override;

  [[nodiscard]] const InletInfo& info() const noexcept override {
    return info_;
  }
  Result<void> Start(Sink& sink) override;
  void SetDemand(bool wanted) noexcept override;
  void BeginDrain(std::chrono::milliseconds patience) noexcept override;
  Result<void> Stop(std::chrono::milliseconds grace) noexcept override;

  void Settle(DeliveryToken token, Settlement settlement) noexcept override;
  [[nodiscard]] std::string PositionOf(DeliveryToken token) const override;

  Result<void> Seek(const SeekPoint& to,
                    std::chrono::milliseconds patience) override;
  void SetPartitionHooks(PartitionHooks& hooks) noexcept override {
    hooks_ = &hooks;
  }
  void Attempted(DeliveryToken token, int attempts) noexcept override;
  [[nodiscard]] std::vector<PartitionLag> Lag() const override {
    return shared_.lag();
  }
  [[nodiscard]] LinkState link() const noexcept override {
    return shared_.link_as_told();
  }

 protected:
  [[nodiscard]] const KafkaInletOptions& options() const noexcept {
    return options_;
  }
  [[nodiscard]] Voice& voice() noexcept { return voice_; }
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
  [[nodiscard]] InletShared& shared() noexcept { return shared_; }
  /// Start, with transactions where they are not null.
  [[nodiscard]] Result<void> StartWith(Sink& sink, Transactions* transactions);

 private:
  const KafkaInletOptions options_;
  const Properties properties_;
  const InletInfo info_;
  const Clock& clock_;
  Voice voice_;
  PartitionHooks* hooks_ = nullptr;
  InletShared shared_;
  std::unique_ptr<Consumer> consumer_;  // The thread's, once it runs.

  std::jthread thread_;
};

/// The same, exactly once: offsets, outputs and letters in transactions.
class TransactionalKafkaInlet final : public KafkaInlet, public Transactional {
 public:
  TransactionalKafkaInlet(KafkaInletOptions options, Properties properties,
                          const Clock& clock, Observer& observer);
  ~TransactionalKafkaInlet() override;

  /// Fails with kInvalidConfig. REQUIRES: once, before Start.
  [[nodiscard]] Result<void> MakeTransactions();

  Result<void> Join(std::span<Outlet* const> outlets,
                    std::span<DeadLetterPlace* const> places) override;
  [[nodiscard]] Result<void> CanSend(
      std::uint32_t outlet, const Event& event) const noexcept override {
    return transactions_->CanSend(outlet, event);
  }
  [[nodiscard]] Result<void> CanKeep(
      std::uint32_t place, const DeadLetter& letter) const noexcept override {
    return transactions_->CanKeep(place, letter);
  }
  Result<void> Start(Sink& sink) override;
  /// Longer than it is given, if the broker stands still: librdkafka's calls of
  /// a transaction then take up to 15 s.
  Result<void> Stop(std::chrono::milliseconds grace) noexcept override;
  void Settle(DeliveryToken token, Settlement settlement) noexcept override;

 private:
  std::unique_ptr<Transactions> transactions_;
};

/// Fails with kInvalidConfig, naming the option.
[[nodiscard]] Result<std::unique_ptr<Inlet>> MakeKafkaInlet(
    KafkaInletOptions options, const Clock& clock, Observer& observer);

}  // namespace cirro::internal::kafka
