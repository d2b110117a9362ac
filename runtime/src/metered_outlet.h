#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/outlet.h"
#include "log.h"
#include "metrics.h"
#include "said_once.h"

namespace cirro::internal {

/// An outlet that counts how the sends of another one end, and logs each that
/// failed: the event's own outcome does not say why. Any thread sends.
class MeteredOutlet final : public Outlet, private SendListener {
 public:
  /// REQUIRES: all of them outlive *this.
  MeteredOutlet(Outlet& outlet, Metrics& metrics, Logger& logger,
                const Clock& clock)
      : outlet_(outlet), metrics_(metrics), logger_(logger), clock_(clock) {}

  [[nodiscard]] std::string_view name() const noexcept override {
    return outlet_.name();
  }
  Result<void> Start() override { return outlet_.Start(); }
  void Send(Event event, SendCompletion completion) noexcept override;
  void Stop(std::chrono::milliseconds grace) noexcept override {
    outlet_.Stop(grace);
  }

 private:
  struct Open {
    Event event;
    SendCompletion completion;
    TimePoint begin;
  };

  void OnSent(std::uint64_t send, Result<void> result,
              std::chrono::milliseconds retry_after) noexcept override;

  Outlet& outlet_;
  Metrics& metrics_;
  Logger& logger_;
  const Clock& clock_;
  LineQuota failed_;
  Mutex mutex_;
  // Used again: there are never more than the outlet takes at once.
  std::vector<std::optional<Open>> open_ CIRRO_GUARDED_BY(mutex_);
  std::vector<std::uint64_t> free_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::internal
