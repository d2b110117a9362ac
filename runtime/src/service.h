#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker_health.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/dispatch/registry.h"
#include "cirro/http/receiver.h"
#include "config.h"
#include "endpoints.h"
#include "inlet_stops.h"
#include "log.h"
#include "metered_outlet.h"
#include "metrics.h"
#include "relay.h"
#include "reporter.h"
#include "side_routes.h"
#include "timer_thread.h"
#include "worker_pool.h"

namespace cirro::internal {

/// Everything that runs: made from the configuration, started, drained.
///
/// Start once, then Drain; from one thread.
class Service {
 public:
  struct Parts {
    Config config;
    Registry registry;
    std::vector<std::unique_ptr<Inlet>> inlets{};
    std::vector<std::unique_ptr<Outlet>> outlets{};
    std::string module_path{};
    int listen_fd = -1;  // Inherited from a supervisor.
    /// Run when too many functions hang to go on, or when a part has failed
    /// for good; any thread.
    Task exhausted{};
  };

  /// REQUIRES: the logger outlives *this.
  Service(Parts parts, Logger& logger);
  /// REQUIRES: not started, or all of it has ended.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Fails with kInvalidConfig or kUnavailable; then nothing runs but what an
  /// inlet has brought already and drain.grace did not see the end of.
  Result<void> Start();

  /// The steps of a drain, each with a log line. Fails with kDeadlineExceeded:
  /// a function still runs.
  Result<void> Drain();

  /// Whether no function runs any more, after a Start that failed or a Drain.
  /// While one does *this must not be destroyed.
  [[nodiscard]] bool ended() const noexcept { return ended_; }

  /// Whether a part has failed for good, and said so.
  [[nodiscard]] bool failed() const noexcept { return reporter_.failed(); }

  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::uint16_t admin_port() const noexcept;

 private:
  Result<void> ApplyConfig();
  [[nodiscard]] std::string OriginOf(std::string_view section,
                                     std::string_view key) const;
  [[nodiscard]] Result<void> CheckReplyTo(const std::string& section,
                                          std::string_view reply_to) const;
  [[nodiscard]] std::string HowToBeAPlace(const std::string& name) const;
  [[nodiscard]] Result<void> CheckPlaces(
      const std::string& section, std::span<const std::string> names) const;
  Result<void> MakeDispatcher();
  void MakeRelay(const std::vector<Extension>& overrides);
  void WarnOfRepliesWithoutPlace() const;
  void WarnOfDedupWithoutUse() const;
  void WarnOfLettersInMemory() const;
  void TellInletsToDrain(TimePoint until);
  void MakeReceiver();
  void SayWhereItListens();
  [[nodiscard]] bool NeedsWorkerFromTheStart() const;
  void UndoStart();
  // Stops what runs functions; what they are given back to is there still.
  /// False: one still runs.
  bool StopFunctions(TimePoint last);
  [[nodiscard]] std::string RenderMetrics();

  const Config config_;
  const int listen_fd_;
  const Task exhausted_;
  Logger& logger_;
  bool ended_ = true;

  SystemClock clock_;
  Metrics metrics_;
  Reporter reporter_;
  WorkerPool pool_;
  TimerThread timers_;
  SideRoutes side_routes_;

  Registry registry_;  // Empty once there is a dispatcher.
  std::map<std::string, std::string, std::less<>> types_;  // By function.
  Endpoints endpoints_;
  InletStops stops_;
  BrokerHealth health_;
  // Paths of outlets, by these.
  std::map<std::string, InletInfo, std::less<>> paths_;
  std::unique_ptr<Relay> relay_;  // Where outlets have an http_path.
  std::vector<std::unique_ptr<MeteredOutlet>> metered_;  // Of each outlet.
  std::unique_ptr<DedupStore> dedup_;
  std::unique_ptr<HttpReceiver> receiver_;
  // Gives back what is open, so it goes before what it gives back to.
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace cirro::internal
