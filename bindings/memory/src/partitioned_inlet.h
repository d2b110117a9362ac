#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/link.h"
#include "cirro/memory/memory.h"
#include "inlet_shell.h"
#include "partition_reader.h"

namespace cirro::internal::memory {

/// The inlet of a group whose members own partitions.
class PartitionedInlet final : public MemoryInlet,
                               public ConsumerGroups,
                               public PartitionOrdered,
                               public Seekable,
                               public Batched,
                               public LagReporter,
                               public Linked,
                               public KeepsAttempts,
                               private Settler,
                               private Turns {
 public:
  PartitionedInlet(BrokerCore& core, MemoryInletOptions options,
                   const Clock& clock, Observer& observer)
      : shell_(core, std::move(options), clock, observer, *this) {}
  ~PartitionedInlet() override;

  [[nodiscard]] const InletInfo& info() const noexcept override {
    return shell_.info();
  }
  Result<void> Start(Sink& sink) override;
  void SetDemand(bool wanted) noexcept override { shell_.SetDemand(wanted); }
  void BeginDrain(std::chrono::milliseconds patience) noexcept override {
    shell_.BeginDrain(patience);
  }
  Result<void> Stop(std::chrono::milliseconds grace) noexcept override;
  std::size_t Pump() override { return shell_.loop().Once().delivered; }
  [[nodiscard]] TimePoint next_pump() const override { return next_; }
  void Crash() noexcept override;

  void SetPartitionHooks(PartitionHooks& hooks) noexcept override {
    hooks_ = &hooks;
  }
  Result<void> Seek(const SeekPoint& to,
                    std::chrono::milliseconds patience) override;
  void Attempted(DeliveryToken token, int attempts) noexcept override;
  [[nodiscard]] std::vector<PartitionLag> Lag() const override {
    return shell_.Lag();
  }
  [[nodiscard]] LinkState link() const noexcept override {
    return shell_.link();
  }

 private:
  // When what was given back is to be delivered again.
  struct Again {
    TimePoint due;
    DeliveryToken token;
    bool operator>(const Again& other) const { return due > other.due; }
  };
  // A seek that is waited for.
  struct Wish {
    SeekPoint to;
    bool done = false;
    Result<void> result{};
  };
  using Readers = std::map<std::uint32_t, std::unique_ptr<PartitionReader>>;

  void Settle(DeliveryToken token, Settlement settlement) noexcept override;
  [[nodiscard]] std::string PositionOf(DeliveryToken token) const override;
  Turned Turn() noexcept override;
  [[nodiscard]] bool idle() const noexcept override { return open_ == 0; }

  [[nodiscard]] PartitionReader* ReaderOf(DeliveryToken token);
  void HearPosted();
  void SeekAsWished();
  [[nodiscard]] Result<void> SeekNow(const SeekPoint& to);
  /// Whether there is a stable assignment to read.
  bool Follow(const GroupView& view, TimePoint now);
  void Withdraw();
  void Adopt();
  void GiveUp(bool lost);
  void Commit(bool clean);
  void Redeliver(TimePoint now);
  void FetchNew(Turned& turned);
  void Add(Fetched& fetched, PartitionReader& reader);

  InletShell shell_;
  PartitionHooks* hooks_ = nullptr;
  std::atomic<bool> ended_{false};

  // Those of whoever turns.
  std::uint64_t member_ = 0;
  std::uint32_t last_epoch_ = 0;
  Readers readers_;
  std::size_t open_ = 0;  // Deliveries that are unsettled, of any epoch.
  std::optional<TimePoint> release_by_{};
  bool out_of_date_ = false;  // A commit was refused.
  std::priority_queue<Again, std::vector<Again>, std::greater<>> again_;
  std::vector<Said> said_;
  std::vector<Fetched> fetched_;
  std::vector<Delivery> batch_;
  TimePoint next_{};

  Mutex mutex_;
  std::condition_variable_any sought_;
  std::shared_ptr<Wish> wish_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::internal::memory
