#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/suspect_turn.h"
#include "cirro/nats/codec.h"
#include "cirro/nats/nats.h"
#include "consumer.h"
#include "crash_journal.h"
#include "deliveries.h"
#include "drops.h"
#include "given_back.h"
#include "link.h"
#include "outbox.h"
#include "pulls.h"
#include "spent_messages.h"
#include "suspects.h"

namespace cirro::internal::nats {

/// A pull consumer: two threads of its own, one that fetches and delivers, and
/// one that tells the server what others settled. On the first everything that
/// is settled during Sink::Deliver is told at once, without the second.
class JetStreamInlet : public Inlet,
                       public Settler,
                       public DelayedRedelivery,
                       public InProgress,
                       public SharedDurable,
                       public Batched,
                       public Seekable,
                       public LagReporter,
                       public Linked {
 public:
  /// One that has OrderedDelivery where `options` make it so. Fails with
  /// kInvalidConfig.
  [[nodiscard]] static Result<std::unique_ptr<Inlet>> Make(
      JetStreamInletOptions options, const Clock& clock, Observer& observer);

  JetStreamInlet(JetStreamInletOptions options, const Clock& clock,
                 Observer& observer);
  ~JetStreamInlet() override;

  [[nodiscard]] const InletInfo& info() const noexcept override {
    return info_;
  }
  Result<void> Start(Sink& sink) override;
  void SetDemand(bool wanted) noexcept override;
  void BeginDrain(std::chrono::milliseconds patience) noexcept final;
  Result<void> Stop(std::chrono::milliseconds grace) noexcept final;

  void Settle(DeliveryToken token, Settlement settlement) noexcept override;
  [[nodiscard]] std::string PositionOf(DeliveryToken token) const override;

  [[nodiscard]] std::chrono::milliseconds extend_every()
      const noexcept override {
    return options_.ack_wait / 3;
  }
  void Extend(std::span<const DeliveryToken> tokens) noexcept override;
  Result<void> Seek(const SeekPoint& to,
                    std::chrono::milliseconds patience) override;
  [[nodiscard]] std::vector<PartitionLag> Lag() const override;
  [[nodiscard]] LinkState link() const noexcept override {
    return link_.state();
  }

 private:
  // A suspect that waits until no other is run.
  struct Held {
    Delivery delivery;
    AckReply facts;
  };
  // An acknowledgement that the server has not confirmed yet.
  struct Unconfirmed {
    std::string reply;
    TimePoint sent{};
  };
  struct SeekRequest {
    SeekPoint to;
    std::chrono::milliseconds patience;
    std::optional<Result<void>> result{};
  };

  // The fetching thread's own.
  void EndRequests() noexcept;
  void Fetch(const std::stop_token& stop) noexcept;
  [[nodiscard]] bool SetUp();
  bool Subscribe();
  void Session(const std::stop_token& stop);
  void Wait(const std::stop_token& stop, TimePoint until);
  void WaitForMessages();
  void TakeAll(natsSubscription* messages, natsMsg* first);
  void TakeOne(natsMsg* message);
  void TakeStatus(natsMsg* message);
  [[nodiscard]] bool IsKnown(const AckReply& facts, const char* reply);
  void HandOver();
  void ReleaseExcused();
  void RunSuspect();
  void Ask();
  void DoTimers();
  [[nodiscard]] bool IsWronglySet();
  void AskForFirst(TimePoint now);
  void DoSeek();
  void GiveBackRest() noexcept;
  [[nodiscard]] std::size_t RoomLeft();
  void Say(LogLevel level, const std::string& text);

  // Both threads.
  void Publish(Outbox& words) noexcept;
  void TellSettled(Outbox& scratch) noexcept;
  void RunSettler(const std::stop_token& stop) noexcept;

  // libnats's threads.
  static void OnControl(natsConnection*, natsSubscription*, natsMsg* message,
                        void* self) noexcept;
  static void OnNaked(natsConnection*, natsSubscription*, natsMsg* message,
                      void* self) noexcept;

  void Heard(const ConsumerFacts& facts) noexcept;
  void HeardFirst(std::uint64_t first) noexcept;
  void TellLost(std::uint64_t lost) noexcept;
  void SettleOpen(OpenMessage& message, Word::Kind kind,
                  std::chrono::milliseconds delay) CIRRO_REQUIRES(mutex_);

  const JetStreamInletOptions options_;
  const InletInfo info_;
  const Clock& clock_;
  Observer& observer_;
  const std::string control_inbox_;
  Sink* sink_ = nullptr;

  Consumer consumer_;
  CrashJournal journal_;
  NatsDecoder decoder_;
  Pulls pulls_;
  std::string inbox_;
  std::vector<NatsHeader> headers_;
  std::vector<Delivery> batch_;
  SpentMessages spent_;
  std::size_t settled_here_ = 0;  // By this thread, of the last batch.
  bool at_once_ = false;          // All of it.
  std::deque<Held> held_;
  Outbox fetcher_words_;
  std::string last_said_;
  TimePoint queue_empty_at_{};
  TimePoint next_pull_at_{};
  TimePoint next_timers_{};
  std::chrono::milliseconds backoff_{0};
  std::uint64_t session_epoch_ = 0;
  std::uint64_t highest_sequence_ = 0;  // Delivered so far.
  bool lost_ = false;
  bool suspicious_ = false;  // As was said.

  std::atomic<std::thread::id> fetching_thread_{};

  mutable Mutex mutex_;
  std::condition_variable_any fetcher_wakes_;
  std::condition_variable_any settler_wakes_;
  std::condition_variable_any changed_;
  Deliveries deliveries_ CIRRO_GUARDED_BY(mutex_);
  Suspects suspects_ CIRRO_GUARDED_BY(mutex_);
  Drops drops_ CIRRO_GUARDED_BY(mutex_);
  GivenBack given_back_ CIRRO_GUARDED_BY(mutex_);
  std::uint64_t drops_unsaid_ CIRRO_GUARDED_BY(mutex_) = 0;
  TimePoint drops_said_at_ CIRRO_GUARDED_BY(mutex_) = TimePoint::min();
  Outbox outbox_ CIRRO_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Unconfirmed> unconfirmed_ CIRRO_GUARDED_BY(mutex_);
  std::vector<AckReply> ended_suspects_ CIRRO_GUARDED_BY(mutex_);
  SuspectTurn::Ticket running_turn_ CIRRO_GUARDED_BY(mutex_) = 0;
  SuspectTurn::Ticket ended_turn_ CIRRO_GUARDED_BY(mutex_) = 0;
  std::optional<ConsumerFacts> heard_ CIRRO_GUARDED_BY(mutex_);
  SeekRequest* seek_ CIRRO_GUARDED_BY(mutex_) = nullptr;
  std::string wake_subject_ CIRRO_GUARDED_BY(mutex_);
  std::uint64_t last_confirm_ CIRRO_GUARDED_BY(mutex_) = 0;
  std::size_t held_count_ CIRRO_GUARDED_BY(mutex_) = 0;  // Of held_.
  bool demand_ CIRRO_GUARDED_BY(mutex_) = true;
  bool draining_ CIRRO_GUARDED_BY(mutex_) = false;
  int telling_ CIRRO_GUARDED_BY(mutex_) = 0;
  bool suspect_runs_ CIRRO_GUARDED_BY(mutex_) = false;
  // It is no suspect's turn here, until turn_ wakes.
  bool must_wait_ CIRRO_GUARDED_BY(mutex_) = false;
  bool wake_fetcher_ CIRRO_GUARDED_BY(mutex_) = false;
  bool fetched_last_ CIRRO_GUARDED_BY(mutex_) = false;
  bool stopped_ CIRRO_GUARDED_BY(mutex_) = false;

  // Its callbacks use what is above.
  Link link_;
  // The link's.
  natsSubscription* messages_ CIRRO_GUARDED_BY(mutex_) = nullptr;
  SuspectTurn turn_;

  std::jthread settler_;
  std::jthread fetcher_;
};

}  // namespace cirro::internal::nats
