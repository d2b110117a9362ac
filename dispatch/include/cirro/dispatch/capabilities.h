#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/capability.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/dispatch/settlement.h"

// Those that the dispatcher asks for, and those that are promises alone.
// Seeking and groups are in consumer_groups.h, lag and connections in link.h.
namespace cirro {

/// Settlement::delay of a kNak is kept by the source: the message comes again
/// after it, not before, with its attempts counted there. Without it the
/// dispatcher holds the delivery, and the room that it takes, until it is to
/// be tried again.
class CIRRO_EXPORT DelayedRedelivery : public Capability {
 public:
  ~DelayedRedelivery() override;
};

/// The source gives a message to somebody else that is neither settled nor
/// extended in time.
class CIRRO_EXPORT InProgress : public Capability {
 public:
  ~InProgress() override;
  /// How often what is unsettled is to be extended; constant.
  [[nodiscard]] virtual std::chrono::milliseconds extend_every()
      const noexcept = 0;
  /// These are still queued, running or waiting. Never blocks; any thread. One
  /// that was settled meanwhile is passed over.
  virtual void Extend(std::span<const DeliveryToken> tokens) noexcept = 0;
};

/// The source keeps how often a message was tried, where the dispatcher tells
/// it, beyond the end of the process.
class CIRRO_EXPORT KeepsAttempts : public Capability {
 public:
  ~KeepsAttempts() override;
  /// So many attempts of it failed so far. Never blocks; any thread.
  virtual void Attempted(DeliveryToken token, int attempts) noexcept = 0;
};

/// Several processes share one durable consumer by its name; there are no
/// partitions to be assigned.
class CIRRO_EXPORT SharedDurable : public Capability {
 public:
  ~SharedDurable() override;
};

/// Messages of one partition come in their order, and a key has one partition.
class CIRRO_EXPORT PartitionOrdered : public Capability {
 public:
  ~PartitionOrdered() override;
};

/// All messages come in one order, as long as none comes again.
class CIRRO_EXPORT OrderedDelivery : public Capability {
 public:
  ~OrderedDelivery() override;
};

/// Messages are fetched, and handed over, several at once.
class CIRRO_EXPORT Batched : public Capability {
 public:
  ~Batched() override;
};

/// Outputs and the settlement of their input take effect together or not at
/// all: Settlement::outputs and ::letters are sent by the source itself.
class CIRRO_EXPORT Transactional : public Capability {
 public:
  ~Transactional() override;
  /// What outputs name by index from now on. Fails with kInvalidConfig where
  /// one is not on the source's own cluster. REQUIRES: before Start.
  virtual Result<void> Join(std::span<Outlet* const> outlets,
                            std::span<DeadLetterPlace* const> places) = 0;

  /// Fails with kTooLarge, kRefused or kUnroutable where a transaction with it,
  /// sent to that outlet, would be undone however often it is tried. Never
  /// blocks; any thread, once they are joined.
  [[nodiscard]] virtual Result<void> CanSend(
      std::uint32_t outlet, const Event& event) const noexcept = 0;
  /// The same of a letter for that place.
  [[nodiscard]] virtual Result<void> CanKeep(
      std::uint32_t place, const DeadLetter& letter) const noexcept = 0;
};

/// Of an outlet: an event that is sent again, with the same source and id and
/// within the window, is kept once.
class CIRRO_EXPORT Deduper : public Capability {
 public:
  ~Deduper() override;
  [[nodiscard]] virtual std::chrono::milliseconds window() const noexcept = 0;
};

}  // namespace cirro
