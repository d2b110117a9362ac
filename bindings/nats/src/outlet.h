#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/nats/nats.h"
#include "link.h"
#include "spent_messages.h"

namespace cirro::internal::nats {

/// Publishes to one subject: a bounded queue and one thread, which hands
/// messages to libnats; what the stream answers is heard on an inbox.
class NatsOutlet : public Outlet, public Linked {
 public:
  /// One of a stream is a DeadLetterPlace, and has Deduper where message ids
  /// are on; what core NATS confirms nobody need hold. Fails with
  /// kInvalidConfig.
  [[nodiscard]] static Result<std::unique_ptr<Outlet>> Make(
      NatsOutletOptions options, const Clock& clock, Observer& observer);

  NatsOutlet(NatsOutletOptions options, const Clock& clock, Observer& observer);
  ~NatsOutlet() override;

  [[nodiscard]] std::string_view name() const noexcept override {
    return options_.name;
  }
  Result<void> Start() override;
  void Send(Event event, SendCompletion completion) noexcept override;
  void Stop(std::chrono::milliseconds grace) noexcept final;
  [[nodiscard]] LinkState link() const noexcept override {
    return link_.state();
  }

 protected:
  [[nodiscard]] const NatsOutletOptions& options() const noexcept {
    return options_;
  }
  void Take(std::variant<Event, DeadLetter> content,
            SendCompletion completion) noexcept;

 private:
  struct Waiting {
    std::variant<Event, DeadLetter> content;
    SendCompletion completion;
    TimePoint deadline;
  };
  struct Sent {
    SendCompletion completion;
    TimePoint deadline;
  };

  void Run(const std::stop_token& stop) noexcept;
  void WaitForWork(const std::stop_token& stop);
  void FailOverdue();
  void FailSent(ErrorCode code, const std::string& why);
  [[nodiscard]] std::vector<Waiting> TakeBatch();
  void PublishBatch(std::vector<Waiting> batch);
  [[nodiscard]] Result<void> Publish(
      const std::variant<Event, DeadLetter>& content, const char* reply);
  void ConfirmByFlush(std::vector<SendCompletion> sent, TimePoint deadline);
  void Answered(std::uint64_t id, const Result<void>& result) noexcept;
  [[nodiscard]] Error Failed(ErrorCode code, const std::string& why) const;
  [[nodiscard]] bool IsDone() CIRRO_REQUIRES(mutex_);
  [[nodiscard]] Result<void> ReadAnswer(natsMsg* message) const;

  static void OnAnswer(natsConnection*, natsSubscription*, natsMsg* message,
                       void* self) noexcept;

  const NatsOutletOptions options_;
  const std::string inbox_;

  // The thread's own.
  SpentMessages published_;
  std::uint64_t epoch_ = 0;

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Waiting> waiting_ CIRRO_GUARDED_BY(mutex_);
  // In the order they were sent, which is that of their deadlines.
  std::map<std::uint64_t, Sent> sent_ CIRRO_GUARDED_BY(mutex_);
  std::size_t in_flight_ CIRRO_GUARDED_BY(mutex_) = 0;
  std::uint64_t last_id_ CIRRO_GUARDED_BY(mutex_) = 0;
  bool link_changed_ CIRRO_GUARDED_BY(mutex_) = false;
  bool stopping_ CIRRO_GUARDED_BY(mutex_) = false;
  TimePoint give_up_at_ CIRRO_GUARDED_BY(mutex_) = TimePoint::max();

  Link link_;
  std::jthread thread_;
};

}  // namespace cirro::internal::nats
