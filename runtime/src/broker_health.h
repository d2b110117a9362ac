#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/mutex.h"
#include "config.h"

namespace cirro::internal {

/// Whether the inlets that have a broker can do their work, asked when somebody
/// asks the process: nothing runs in between. Any thread.
class BrokerHealth {
 public:
  /// A rebalance, or messages that wait and do not move, are normal for so
  /// long.
  static constexpr std::chrono::seconds kPatience{60};

  /// How many deliveries of an inlet, by its name, have ended.
  using Settled = std::function<std::uint64_t(std::string_view inlet)>;

  /// REQUIRES: `clock` outlives *this.
  BrokerHealth(BrokerReadiness heeded, const Clock& clock, Settled settled)
      : heeded_(heeded), clock_(clock), settled_(std::move(settled)) {}

  /// Before anyone asks. REQUIRES: the inlet outlives *this.
  void Watch(const Inlet& inlet);

  /// Why the process is not ready; empty: it is.
  [[nodiscard]] std::string WhyNotReady();

  struct Lag {
    std::string_view inlet;
    std::vector<PartitionLag> partitions;
  };
  /// As last heard from each broker.
  [[nodiscard]] std::vector<Lag> lags() const;

  struct Link {
    std::string_view inlet;
    bool up;
  };
  [[nodiscard]] std::vector<Link> links() const;

 private:
  struct Watched {
    std::string_view name;
    const Linked* link;
    const LagReporter* lag;
    // What it looked like when it last moved.
    std::uint64_t settled = 0;
    TimePoint moved{};
  };

  // Why this one does not do its work, or empty.
  [[nodiscard]] std::string Trouble(Watched& inlet, TimePoint now) const;

  const BrokerReadiness heeded_;
  const Clock& clock_;
  const Settled settled_;
  mutable Mutex mutex_;
  std::vector<Watched> watched_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::internal
