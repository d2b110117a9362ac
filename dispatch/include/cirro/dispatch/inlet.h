#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/delivery.h"

namespace cirro {

/// What is true of every delivery of one inlet.
struct InletInfo {
  std::string name;  ///< As in logs, metrics and `[inlet.NAME]`: "http".
  /// The peer waits for the settlement and does its own retrying (HTTP): one
  /// attempt, and everything ends by the delivery's deadline.
  bool peer_waits = false;
  /// Most deliveries, and their bytes, that it has open at once; 0: no bound
  /// but the dispatcher's. At three quarters of a bound demand ends, and it
  /// begins again at a half: a broker's inlet is never refused for being full.
  std::uint32_t max_in_flight = 0;
  std::size_t max_bytes = 0;
};

/// Takes deliveries over from inlets. Never blocks and never fails: what it
/// cannot hold of a peer that waits it settles as kNak with kOverloaded; what
/// comes from another source it holds, past its bounds by as much as one batch
/// of each inlet, and ends its demand.
class CIRRO_EXPORT Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Moves from each of `batch`. Called from any thread.
  virtual void Deliver(std::span<Delivery> batch) noexcept = 0;

  /// What the inlet delivered under one of `assignments` (DeliveryToken::high)
  /// is soon another member's: what does not run is settled at once, as kNak
  /// with kDraining, and what runs is not tried again here. A sink that calls
  /// no functions may ignore it. Any thread; not after BeginDrain.
  virtual void Withdraw(const InletInfo& inlet,
                        std::span<const std::uint64_t> assignments) noexcept;
};

/// A source of events: one HTTP port, one consumer group, one subject.
///
/// Life: Start once, BeginDrain, Stop, destroy; from one thread. Deliveries
/// reach the sink on the inlet's own threads, from Start until BeginDrain's
/// last one.
class CIRRO_EXPORT Inlet {
 public:
  Inlet() = default;
  Inlet(const Inlet&) = delete;
  Inlet& operator=(const Inlet&) = delete;
  virtual ~Inlet() = default;

  [[nodiscard]] virtual const InletInfo& info() const noexcept = 0;

  /// Connects or listens, and begins to deliver. REQUIRES: `sink` outlives
  /// *this. Fails with kInvalidConfig (for good) or kUnavailable (nothing was
  /// delivered; Start may be tried again).
  virtual Result<void> Start(Sink& sink) = 0;

  /// Whether the sink has room. Without room a broker inlet stops fetching
  /// and keeps its place in its group; HTTP lets the sink refuse. Called from
  /// any thread, one at a time; the last call counts. Does not deliver before
  /// it returns.
  virtual void SetDemand(bool wanted) noexcept = 0;

  /// Takes nothing new, as the protocol allows; what is open goes on. Returns
  /// when nothing more will be delivered, at the latest after `patience`.
  virtual void BeginDrain(std::chrono::milliseconds patience) noexcept = 0;

  /// Waits at most `grace` until what was settled is with the peer, then
  /// closes. Idempotent. Fails with kDeadlineExceeded if something was open.
  virtual Result<void> Stop(std::chrono::milliseconds grace) noexcept = 0;
};

}  // namespace cirro
