#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/kafka/codec.h"
#include "cirro/kafka/outlet_options.h"
#include "handles.h"
#include "properties.h"
#include "refusals.h"

namespace cirro::internal::kafka {

/// The Kafka outlet: an idempotent producer, and one thread that hears its
/// delivery reports.
class KafkaOutlet final : public Outlet, public DeadLetterPlace, public Linked {
 public:
  /// Fails with kInvalidConfig.
  [[nodiscard]] static Result<std::unique_ptr<Outlet>> Make(
      KafkaOutletOptions options, const Clock& clock, Observer& observer);

  ~KafkaOutlet() override;

  [[nodiscard]] const KafkaOutletOptions& options() const noexcept {
    return options_;
  }

  [[nodiscard]] std::string_view name() const noexcept override {
    return options_.name;
  }
  [[nodiscard]] std::string_view place_name() const noexcept override {
    return options_.name;
  }
  Result<void> Start() override;
  void Send(Event event, SendCompletion completion) noexcept override;
  void Bury(DeadLetter letter, SendCompletion completion) noexcept override;
  /// Sends the message of a letter as it came, for the function that it died
  /// of, to the partition that it came from. Completes as Send.
  void SendBack(const DeadLetter& letter, SendCompletion completion) noexcept;
  void Stop(std::chrono::milliseconds grace) noexcept override;
  [[nodiscard]] LinkState link() const noexcept override;

 private:
  struct Sending;

  KafkaOutlet(KafkaOutletOptions options, Properties properties,
              const Clock& clock, Observer& observer);

  void Enqueue(const KafkaDraft& draft, std::string_view key,
               std::int32_t partition, SendCompletion completion) noexcept;
  void Refuse(SendCompletion completion, ErrorCode code,
              const std::string& why) const noexcept;

  // What the thread does, and nobody else.
  void Run() noexcept;
  void Serve(std::chrono::milliseconds patience) noexcept;
  void Report(const rd_kafka_message_t& message) noexcept;
  void GiveUp(rd_kafka_t* producer) noexcept;
  void Rebuild() noexcept;
  void WatchLink() noexcept;
  void Link(LinkState::Kind kind) noexcept;
  [[nodiscard]] bool IsDone() noexcept;

  // Of the thread, or before there is one.
  [[nodiscard]] Result<void> MakeProducer();

  const KafkaOutletOptions options_;
  const Properties properties_;
  const Clock& clock_;
  Voice voice_;

  // The thread's own, once there is one.
  HandleQueue reports_;
  Refusals refusals_;
  bool fatal_ = false;
  TimePoint anew_at_{};  // Another producer is not made before.
  TimePoint probed_{};

  mutable Mutex mutex_;
  Handle producer_ CIRRO_GUARDED_BY(mutex_);
  Topic topic_ CIRRO_GUARDED_BY(mutex_);
  std::uint32_t in_flight_ CIRRO_GUARDED_BY(mutex_) = 0;
  bool stopping_ CIRRO_GUARDED_BY(mutex_) = false;
  TimePoint give_up_at_ CIRRO_GUARDED_BY(mutex_) = TimePoint::max();
  LinkState link_ CIRRO_GUARDED_BY(mutex_);

  std::jthread thread_;
};

}  // namespace cirro::internal::kafka
