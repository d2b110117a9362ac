#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/nats/codec.h"
#include "cirro/nats/nats.h"
#include "link.h"

namespace cirro::internal::nats {

/// A core NATS subscription. The protocol has no settlement: what was handed
/// over is gone for the server.
class CoreNatsInlet final : public Inlet, public Settler, public Linked {
 public:
  /// Fails with kInvalidConfig.
  [[nodiscard]] static Result<std::unique_ptr<Inlet>> Make(
      CoreNatsInletOptions options, const Clock& clock, Observer& observer);

  CoreNatsInlet(CoreNatsInletOptions options, const Clock& clock,
                Observer& observer);
  ~CoreNatsInlet() override;

  [[nodiscard]] const InletInfo& info() const noexcept override {
    return info_;
  }
  Result<void> Start(Sink& sink) override;
  void SetDemand(bool wanted) noexcept override;
  void BeginDrain(std::chrono::milliseconds patience) noexcept override;
  Result<void> Stop(std::chrono::milliseconds grace) noexcept override;
  void Settle(DeliveryToken token, Settlement settlement) noexcept override;
  [[nodiscard]] LinkState link() const noexcept override {
    return link_.state();
  }

 private:
  void Read(const std::stop_token& stop) noexcept;
  void HandOver(natsMsg* first);
  void TellDropped();

  const CoreNatsInletOptions options_;
  const InletInfo info_;
  Observer& observer_;
  Sink* sink_ = nullptr;

  NatsDecoder decoder_;
  std::vector<NatsHeader> headers_;
  std::vector<Delivery> batch_;
  std::uint64_t last_token_ = 0;
  std::int64_t dropped_ = 0;  // By libnats, as was told.

  std::atomic<std::size_t> open_{0};

  Mutex mutex_;
  std::condition_variable_any changed_;
  bool demand_ CIRRO_GUARDED_BY(mutex_) = true;
  bool read_last_ CIRRO_GUARDED_BY(mutex_) = false;
  bool stopped_ CIRRO_GUARDED_BY(mutex_) = false;

  Link link_;
  natsSubscription* messages_ = nullptr;  // The link's.
  std::jthread reader_;
};

}  // namespace cirro::internal::nats
