#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/capability.h"
#include "cirro/dispatch/clock.h"

namespace cirro {

/// What is in the source and not yet settled.
struct PartitionLag {
  std::string partition;  ///< "topic/3", "stream/consumer".
  std::uint64_t messages = 0;
};

class CIRRO_EXPORT LagReporter : public Capability {
 public:
  ~LagReporter() override;
  /// As last heard from the broker; asks nothing. Any thread.
  [[nodiscard]] virtual std::vector<PartitionLag> Lag() const = 0;
};

/// How an inlet or outlet stands with its broker.
struct LinkState {
  enum class Kind : std::uint8_t {
    kConnecting,  ///< Never connected so far.
    kConnected,
    kRebalancing,   ///< Its group is; nothing is delivered.
    kDisconnected,  ///< It was connected, and tries again.
    kFailed,        ///< For good; Observer::Failed said why.
  };
  Kind kind = Kind::kConnecting;
  TimePoint since{};
};

class CIRRO_EXPORT Linked : public Capability {
 public:
  ~Linked() override;
  /// Any thread.
  [[nodiscard]] virtual LinkState link() const noexcept = 0;
};

}  // namespace cirro
