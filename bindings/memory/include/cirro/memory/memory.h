#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/memory/broker.h"

namespace cirro {

/// How a consumer takes from its topics.
enum class MemoryMode : std::uint8_t {
  kPartitioned,  ///< Like Kafka: members own partitions and commit offsets.
  kShared,       ///< Like a queue: members share messages, each redelivered.
};

struct MemoryInletOptions {
  std::string name = "memory";
  std::vector<std::string> topics{};
  std::string group{};  ///< Empty: the inlet's name.
  MemoryMode mode = MemoryMode::kPartitioned;
  std::uint32_t max_in_flight = 1024;
  std::uint32_t max_batch = 256;  ///< Handed over at once.
  /// Of a group that has committed nothing: from the first record, not from
  /// what comes after it joined.
  bool from_beginning = true;
  /// Of kPartitioned: how long open deliveries may take when their partition is
  /// revoked, and how far delivered offsets may be ahead of the committed one.
  std::chrono::milliseconds revoke_patience{5'000};
  std::uint32_t longest_span = 16'384;
  /// Of kShared: what is neither settled nor extended so long comes again.
  std::chrono::milliseconds ack_wait{30'000};
  /// Without it nothing happens but in Pump, on virtual time.
  bool own_thread = true;
};

/// An inlet that a test can drive, and end like a process that dies.
class CIRRO_EXPORT MemoryInlet : public Inlet {
 public:
  /// Does what can be done now; how many it delivered. REQUIRES: no own thread.
  virtual std::size_t Pump() = 0;
  /// When Pump would do something that it cannot do now.
  [[nodiscard]] virtual TimePoint next_pump() const = 0;
  /// Ends at once: nothing is settled, committed or said to the group. As of a
  /// dead process, the broker takes notice by itself. In place of Stop.
  virtual void Crash() noexcept = 0;
};

/// Fails with kInvalidConfig: no topic, a bound or time of 0, a group that
/// consumes in the other mode. Its capabilities are those that its mode has.
/// REQUIRES: what is passed by reference outlives it.
[[nodiscard]] CIRRO_EXPORT Result<std::unique_ptr<MemoryInlet>> MakeMemoryInlet(
    MemoryBroker& broker, MemoryInletOptions options, const Clock& clock,
    Observer& observer);

struct MemoryOutletOptions {
  std::string name = "memory";
  std::string topic{};
  /// The attribute whose text is a record's key; empty: records have none.
  std::string key_from = "partitionkey";
};

/// An outlet that is also a place for dead letters. Fails with kInvalidConfig
/// without a topic. REQUIRES: `broker` outlives it.
[[nodiscard]] CIRRO_EXPORT Result<std::unique_ptr<Outlet>> MakeMemoryOutlet(
    MemoryBroker& broker, MemoryOutletOptions options);

}  // namespace cirro
