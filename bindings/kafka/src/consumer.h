#pragma once

#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "asker.h"
#include "callbacks.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/suspect_turn.h"
#include "cirro/kafka/codec.h"
#include "cirro/kafka/inlet_options.h"
#include "handles.h"
#include "inlet_shared.h"
#include "ledger.h"
#include "partition.h"
#include "refusals.h"
#include "transactions.h"

namespace cirro::internal::kafka {

/// The member of the group: what the one thread does that reads, settles and
/// commits. Run is that thread; nothing here is called by another.
class Consumer {
 public:
  struct Parts {
    const KafkaInletOptions& options;
    const InletInfo& info;
    const Clock& clock;
    Voice& voice;
    InletShared& shared;
    Settler& settler;
    Sink& sink;
    PartitionHooks* hooks;       ///< Null: there are none.
    Transactions* transactions;  ///< Null: at least once.
  };

  /// Fails with kInvalidConfig. REQUIRES: what `parts` names outlives it.
  [[nodiscard]] static Result<std::unique_ptr<Consumer>> Make(
      const Parts& parts, const Properties& properties);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  /// Until Phase::kStopping has been done.
  void Run() noexcept;

 private:
  struct Rebalance {
    bool assign = false;
    PartitionList list{};
    TimePoint deadline{};     ///< Of a revoke: when waiting ends.
    TimePoint try_at{};       ///< Of an assignment: when it is tried again.
    std::uint64_t asked = 0;  ///< Of an assignment: the ticket; 0: none.
    bool committing = false;
  };
  struct Committing {
    struct Part {
      std::uint32_t slot;
      std::uint32_t epoch;
      std::uint64_t version;
      std::uint64_t offset;
    };
    std::vector<Part> parts{};
  };
  using Slots = std::vector<std::uint32_t>;
  /// A partition went without a commit that says so: what begins next at
  /// `base` is to know that this process did not die of it.
  struct Survived {
    bool unsaid = false;
    std::uint64_t base = 0;
    std::optional<std::uint64_t> charged{};  ///< As Ledger::charged.
  };

  Consumer(const Parts& parts, std::unique_ptr<Callbacks> callbacks,
           Handle handle);

  // consumer.cc: the turns of the loop.
  bool Turn(TimePoint now) noexcept;
  bool TakeNotes() noexcept;
  void Take(Note& note) noexcept;
  void EndedAlone(Partition& partition) noexcept;
  static void ReadAgain(Partition& partition, std::uint64_t offset,
                        TimePoint at) noexcept;
  bool ServeEvents(rd_kafka_queue_t* events) noexcept;
  void OnError(rd_kafka_resp_err_t code, std::string_view text) noexcept;
  void Link(LinkState::Kind kind) noexcept;
  void WatchLink(TimePoint now) noexcept;
  void TakeAnswer(TimePoint now) noexcept;
  void TellSuspicion(Partition& partition) noexcept;
  void AskEnds(TimePoint now) noexcept;
  void TakeEnds(const Asker::Answer& answer, TimePoint now) noexcept;
  void ReportLag(TimePoint now);
  [[nodiscard]] std::uint64_t EndOf(const Partition& partition) const noexcept;
  [[nodiscard]] std::chrono::milliseconds Patience(
      TimePoint now) const noexcept;
  [[nodiscard]] Partition* Find(DeliveryToken token) noexcept;
  [[nodiscard]] bool AnyOpen(const Slots* of) const noexcept;

  // consumer_read.cc
  bool ReadAll(TimePoint now) noexcept;
  bool Read(Partition& partition, TimePoint now) noexcept;
  bool OnReadError(Partition& partition, const rd_kafka_message_t& message,
                   TimePoint now) noexcept;
  void Decode(Partition& partition, const rd_kafka_message_t& message);
  void NudgeFetching(TimePoint now) noexcept;
  void HandOver() noexcept;
  [[nodiscard]] bool MayRunAlone(Partition& partition, TimePoint now);
  void GiveTurns() noexcept;
  [[nodiscard]] bool KeepsTooMuch(const Partition& partition) const noexcept;
  void WarnOfSpan(Partition& partition) noexcept;
  void WarnOfOutputs(Partition& partition) noexcept;
  void Wait(Partition& partition, const std::string& why) noexcept;
  void GoOn(Partition& partition) noexcept;

  // consumer_group.cc: partitions come and go.
  void OnRebalance(const rd_kafka_event_t& event) noexcept;
  void Withdraw(const Slots& slots) noexcept;
  void AdvanceRebalance(TimePoint now) noexcept;
  void TryAssign() noexcept;
  void OnAnswer(Asker::Answer answer, TimePoint now) noexcept;
  void Assign(TimePoint now) noexcept;
  void Prepare(const Asker::Answer& answer);
  [[nodiscard]] std::optional<OffsetMap> LastSaid(
      std::uint32_t slot, const rd_kafka_topic_partition_t& element,
      const Bounds& range);
  void AdvanceRevoke(TimePoint now) noexcept;
  void FinishRevoke(bool lost) noexcept;
  void GiveAway(rd_kafka_topic_partition_list_t* list, bool lost) noexcept;
  void Remember(const Partition& partition) noexcept;
  [[nodiscard]] Slots SlotsOf(
      const rd_kafka_topic_partition_list_t& list) const;
  [[nodiscard]] bool IsCooperative() const noexcept;
  [[nodiscard]] std::string MemberId() const;
  [[nodiscard]] bool IsOurs() const;
  [[nodiscard]] bool IsZombie(TimePoint now) const noexcept {
    return lost_ && now < lost_until_;
  }
  [[nodiscard]] bool IsJoining(TimePoint now) noexcept;

  // consumer_commit.cc
  void AdvanceCommit(TimePoint now) noexcept;
  bool StartCommit(const Slots& slots, bool clean, bool stale_alone) noexcept;
  void OnCommitted(const rd_kafka_event_t& event) noexcept;
  void Committed(const Committing::Part& part,
                 rd_kafka_resp_err_t code) noexcept;
  void TakeTransaction() noexcept;
  [[nodiscard]] Slots Assigned() const;

  // consumer_seek.cc
  void AdvanceSeek() noexcept;
  [[nodiscard]] Result<void> AskSeek(const SeekPoint& to);
  [[nodiscard]] Result<void> Seek(const Asker::Answer& answer);
  void Rewind(Partition& partition, std::uint64_t position, std::uint64_t end);
  void Void(Partition& partition, std::uint64_t position, std::uint64_t end);
  void ReadFrom(Partition& partition, std::uint64_t offset) noexcept;
  [[nodiscard]] rd_kafka_resp_err_t SeekTo(const Partition& partition,
                                           std::uint64_t offset) noexcept;
  [[nodiscard]] rd_kafka_resp_err_t Restart(Partition& partition,
                                            std::uint64_t offset) noexcept;
  void AskAnew(TimePoint now) noexcept;
  void StartAnew(const Asker::Answer& answer, TimePoint now) noexcept;
  void TellGone(std::uint32_t slot, std::uint64_t offset, const Bounds& range,
                std::uint64_t start, std::uint64_t lost) noexcept;
  void RewindAll() noexcept;
  void AskRewind(TimePoint now) noexcept;
  void RewindTo(const Asker::Answer& answer) noexcept;
  [[nodiscard]] PartitionList ListOf(const Slots& slots) const;
  [[nodiscard]] std::uint64_t StartOf(const Positions::Key& key,
                                      const Asker::Answer& answer) const;

  // consumer_close.cc
  void AdvanceStop(TimePoint now) noexcept;
  void Close() noexcept;

  const Parts parts_;
  const KafkaInletOptions& options_;
  const Clock& clock_;
  const Voice& voice_;
  InletShared& shared_;

  std::unique_ptr<Callbacks> callbacks_;
  Handle handle_;
  std::unique_ptr<Asker> asker_;  // Ends before the handle does.
  HandleQueue events_;
  HandleQueue closing_events_;

  std::vector<std::unique_ptr<Partition>>
      partitions_;                     // By slot; null: not ours.
  std::vector<std::uint32_t> epochs_;  // By slot.
  std::vector<Survived> survived_;     // By slot.
  std::optional<Rebalance> rebalance_;
  std::optional<Committing> committing_;
  bool assigned_once_ = false;
  bool rejoining_ = false;  // From a revoke to the next assignment.
  TimePoint joins_by_{};    // A cooperative member: it may, until then.
  bool lost_ = false;       // A commit was refused: we are no member any more.
  std::string member_{};    // Who was assigned what there is.
  TimePoint lost_until_{};  // Commits are tried again if no rebalance came.
  bool rewinding_ = false;  // A transaction was aborted: where is asked.
  TimePoint rewind_at_{};   // Not before.
  int aborted_ = 0;         // So many transactions, one after the other.
  std::optional<SeekPoint> seek_;  // That is asked about.
  Refusals refusals_;
  bool fatal_ = false;
  bool closing_ = false;
  bool final_commit_ = false;
  TimePoint final_at_{};         // The last commit is not tried before.
  bool committed_ok_ = true;     // The last commit, so that one line is said.
  std::size_t done_ = 0;         // Deliveries since the last commit.
  bool commit_outputs_ = false;  // A partition waits for it.
  TimePoint commit_at_{};
  TimePoint lag_at_{};
  TimePoint ends_at_{};     // When it is asked where partitions end.
  bool ends_known_ = true;  // It was told when it was asked last.
  TimePoint probe_at_{};
  TimePoint nudge_at_{};
  TimePoint close_by_ = TimePoint::max();  // The step of a stop.
  TimePoint end_by_ = TimePoint::max();    // All of them.
  std::size_t first_ = 0;   // Of the partitions, for the next round.
  bool has_turns_ = false;  // A partition has one.

  KafkaDecoder decoder_;
  std::vector<KafkaHeader> headers_;
  std::vector<Delivery> batch_;
  const std::size_t most_at_once_;  // That it is handed over with.
  bool at_once_ = false;  // The last batch was settled by who took it.
  std::vector<Note> notes_;
  SuspectTurn turn_;
};

}  // namespace cirro::internal::kafka
