#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/dedup.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/dispatcher.h"
#include "engine_types.h"
#include "lanes.h"
#include "pool.h"
#include "timer_heap.h"

namespace cirro::internal {

/// The delivery engine: a state machine without threads, waits or a clock.
/// Inputs with `now` go in, actions come out. One thread at a time.
///
/// A Delivery has an entry, with one Call for each function. A call goes
///
///   waiting (in its lane, behind another) -> claiming (its event, of the
///   dedup store; held back while another has it) -> ready (for the
///   concurrency of its function) -> posted (to the executor) -> running ->
///   backoff, and ready again; or holding (its replies wait for the other
///   calls) or sending (replies to an outlet); or burying (its dead letter is
///   on its way) and stalled (no place took it), and burying again; and ends.
///
/// What is no event, or nobody's, has a call without a function that begins
/// with burying. What the process died over has one of each function.
///
/// The entry is settled when every call has ended, with the worst of them. A
/// call that hangs, or is given back while it runs, has ended for its entry
/// but keeps its slot, its event and its lane until the function returns.
///
/// A call hangs when its function's timeout is over. The deadline of a
/// delivery, which may come sooner, ends the call for its entry and no more:
/// under load many begin shortly before it, and their functions are well.
class Engine {
 public:
  /// The last of `functions` is none: it stands for what no function takes,
  /// and says what becomes of it.
  Engine(std::vector<EngineFunction> functions,
         const DispatcherOptions& options,
         std::vector<EngineInlet> inlets = {});

  /// Takes a delivery of an event in, or settles it as refused: the peer waits
  /// and there is no room, or the process ends.
  /// REQUIRES: `targets` is not empty; the keys outlive the call only.
  void Admit(Delivery&& delivery, std::span<const Target> targets,
             TimePoint now, Actions& actions);
  /// Takes in a delivery whose only function has run already, with the result.
  /// REQUIRES: nothing is in the lane of its key.
  void AdmitFinished(Delivery&& delivery, const Target& target,
                     CallResult&& result, TimePoint now, Actions& actions);

  /// Takes in what is never called, of a source that does not wait: given up
  /// for each of `targets`, if any, else for none.
  void AdmitDead(Delivery&& delivery, std::span<const Target> targets,
                 DeadReason reason, const Error& error, TimePoint now,
                 Actions& actions);

  /// A posted call is about to run. False: it ended meanwhile.
  bool Begin(CallId id, TimePoint now, Work& work, Actions& actions);
  /// A call, or a batch, has run. Batch: one result for each, in order.
  void Finish(CallId id, std::span<CallResult> results, TimePoint now,
              Actions& actions);
  /// An asynchronous function has returned, or thrown; its call ends when it
  /// is completed too.
  void Returned(CallId id, std::optional<CallResult> thrown, TimePoint now,
                Actions& actions);
  void Completed(CallId id, CallResult&& result, TimePoint now,
                 Actions& actions);
  /// What becomes of what a call publishes.
  enum class Buffered : std::uint8_t {
    kNo,       ///< It is to be sent now.
    kYes,      ///< Its source sends it with the settlement.
    kTooLate,  ///< So it would, but the call has ended: it is never sent.
  };
  Buffered Buffer(CallId id, std::uint32_t outlet,
                  std::span<const Event> events);
  /// What the dedup store says of a call's event. False: the call has ended,
  /// and what it claimed is to be released.
  bool Claimed(CallId id, const Result<DedupAnswer>& answer, TimePoint now,
               Actions& actions);
  /// One of a call's replies, or its dead letter, was sent, or not.
  void Sent(CallId id, const Result<void>& result,
            std::chrono::milliseconds retry_after, TimePoint now,
            Actions& actions);
  /// Whose dead letter is sent for the first time was given up then. REQUIRES:
  /// actions.bury names it.
  void GaveUp(CallId id, Timestamp when);
  /// It is `now`: deadlines, backoffs.
  void Tick(TimePoint now, Actions& actions);

  void Withdraw(const InletInfo& inlet,
                std::span<const std::uint64_t> assignments, TimePoint now,
                Actions& actions);
  void BeginDrain(Actions& actions);
  void GiveBackWaiting(TimePoint now, Actions& actions);
  void GiveBackAll(TimePoint now, Actions& actions);

  /// What runs under the name, or nothing when it is stale.
  [[nodiscard]] std::optional<Work> Find(CallId id) const;
  [[nodiscard]] std::stop_token StopToken(CallId id);
  [[nodiscard]] TimePoint NextTimer() const;
  /// Of the inlet with this index.
  [[nodiscard]] bool demand(std::uint32_t inlet) const {
    return sources_[inlet].demand;
  }
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] const Dispatcher::Counts& counts() const { return counts_; }
  [[nodiscard]] const EngineFunction& function(std::uint32_t index) const {
    return functions_[index];
  }
  [[nodiscard]] std::uint32_t open_lanes() const { return lanes_.count(); }

 private:
  enum class State : std::uint8_t {
    kWaiting,
    kClaiming,
    kHeldBack,
    kReady,
    kPosted,
    kRunning,
    kReturned,
    kHolding,
    kSending,
    kBackoff,
    kBurying,
    kStalled,
  };

  // Of a call that failed.
  struct Trouble {
    DeadReason reason = DeadReason::kExhausted;
    std::string first_error;
    std::optional<Error> last{};
    std::optional<Timestamp> time{};  // Of giving up.
    std::uint32_t place = 0;  // Of the function's list, the one that is asked.
    int rounds = 0;           // In which no place took it.
    bool all_refused = true;  // In this round, for good.
    bool kept = false;        // It was said that it is kept.
  };

  // What few calls have: those of asynchronous functions, with replies, of a
  // transactional source, or that may be told to stop.
  struct Extra {
    // For the slot's next call, whose own nothing of it is.
    void Clear() {
      result.error.reset();
      result.replies.clear();
      send_error.reset();
      if (stop.stop_possible()) stop = std::stop_source(std::nostopstate);
      context.reset();
      outputs.clear();
    }

    CallResult result{};  // Of async, completed; replies while holding.
    std::uint32_t sends_open = 0;  // Replies with the outlet.
    std::uint32_t sends_begun = 0;
    std::chrono::milliseconds send_delay{0};
    std::optional<Error> send_error{};
    std::stop_source stop{std::nostopstate};
    std::optional<Context> context{};
    std::vector<Settlement::Output> outputs{};  // Of a transactional source.
  };

  struct Call {
    Extra& MakeExtra() {
      if (!extra) extra = std::make_unique<Extra>();
      has_extra = true;
      return *extra;
    }
    // NOLINTNEXTLINE(readability-make-member-function-const): they are its own.
    void DropOutputs() {
      if (has_extra) extra->outputs.clear();
    }
    void AskToStop(Actions& actions) const {
      if (!has_extra || !extra->stop.stop_possible()) return;
      actions.stop.push_back(extra->stop);
    }

    std::uint32_t generation = 1;
    std::uint32_t entry = kNone;
    std::uint32_t function = 0;
    std::uint32_t next_of_entry = kNone;
    std::uint32_t lane = kNone;
    std::uint32_t lane_prev = kNone;
    std::uint32_t lane_next = kNone;
    std::uint32_t queue_prev = kNone;
    std::uint32_t queue_next = kNone;
    State state = State::kWaiting;
    bool ended = false;      // Its entry has its verdict.
    bool hung = false;       // It is past its timeout and runs.
    bool stuck = false;      // So it was for one more timeout.
    bool follows = false;    // Another call of its batch leads.
    bool returned = false;   // Of async: the function has.
    bool completed = false;  // Of async: the Completion has.
    bool thrown = false;     // Of async: `result` is what it threw.
    bool claimed = false;    // Its event is its own at the dedup store.
    bool undone = false;     // It ended without an error, and is not done.
    bool has_extra = false;  // `extra` is its own.
    int attempt = 1;
    int held_back = 0;  // How often, by another's claim.
    TimePoint started{};
    TimePoint hangs_at{};               // When the function must have ended.
    std::unique_ptr<BatchRun> batch{};  // Of the leader.
    std::unique_ptr<Trouble> trouble{};
    std::unique_ptr<Extra> extra{};  // Stays with the slot.
  };

  // What the calls of an entry have left for its settlement.
  struct Verdict {
    std::optional<Error> worst{};
    std::chrono::milliseconds delay{0};
    std::optional<Error> given_up{};  // Why it is a dead letter, or dropped.
    std::vector<Event> replies{};
    std::vector<Settlement::Output> outputs{};
    std::vector<Settlement::Letter> letters{};
  };

  struct Entry {
    // Most events end without one, so it is made when it is needed.
    Verdict& MakeVerdict() {
      if (!verdict) verdict = std::make_unique<Verdict>();
      return *verdict;
    }
    [[nodiscard]] const Error* worst() const {
      return verdict && verdict->worst ? &*verdict->worst : nullptr;
    }

    std::optional<Delivery> delivery{};
    TimePoint received{};
    std::size_t bytes = 0;
    std::uint32_t source = kNone;
    std::uint32_t first_call = kNone;
    std::uint32_t calls = 0;    // That there were.
    std::uint32_t open = 0;     // Calls that have not ended.
    std::uint32_t holding = 0;  // Of these, with replies to place.
    std::uint32_t live = 0;     // Slots, ended or not.
    std::uint32_t stuck = 0;    // Calls that are.
    bool settled = false;
    bool placing = false;
    bool withdrawn = false;              // Its source gives it to another.
    std::unique_ptr<Verdict> verdict{};  // Of all but what is simply done.
  };

  // How much may be held: demand ends at three quarters, and comes back at
  // half.
  struct Bound {
    std::size_t three_quarters = std::numeric_limits<std::size_t>::max();
    std::size_t half = three_quarters;

    Bound() = default;
    explicit Bound(std::size_t bound)
        : three_quarters(bound - bound / 4), half(bound / 2) {}

    [[nodiscard]] bool Leaves(bool demand, std::size_t held) const {
      return held < three_quarters && (demand || held <= half);
    }
  };

  // Of an inlet.
  struct Source {
    Bound max_in_flight{};
    Bound max_bytes{};
    std::uint32_t in_flight = 0;
    std::size_t bytes = 0;
    bool demand = true;
    TimePoint extend_at = TimePoint::max();
    std::vector<std::uint32_t> full_functions{};  // By what it brought.
  };

  struct FunctionState {
    std::uint32_t active = 0;  // Runs that are posted or running.
    std::uint32_t in_flight = 0;
    std::size_t bytes = 0;
    std::uint32_t stuck_runs = 0;  // Of `active`; the others of `in_flight`.
    std::uint32_t stuck = 0;
    std::size_t stuck_bytes = 0;
    std::uint32_t first_ready = kNone;
    std::uint32_t last_ready = kNone;
    bool batch_posted = false;  // A batch that has not begun.
  };

  // Admission.
  [[nodiscard]] std::optional<Error> Refuse(const Delivery& delivery,
                                            std::span<const Target> targets,
                                            std::size_t bytes) const;
  std::uint32_t NewEntry(Delivery&& delivery, std::size_t bytes, TimePoint now);
  std::uint32_t NewCall(std::uint32_t entry, std::uint32_t function);
  [[nodiscard]] std::string_view KeyOf(std::uint32_t entry,
                                       const Target& target) const;
  void Enter(std::uint32_t index, std::string_view key, Actions& actions);
  void EnterLane(std::uint32_t index, std::string_view key);
  void SettleRefused(Delivery&& delivery, Error error, Actions& actions);

  // Duplicates.
  void AskDedup(std::uint32_t index, Actions& actions);
  void EndClaim(std::uint32_t index, bool done, Actions& actions);
  void Tell(std::uint32_t index, Actions::Dedup::Kind kind, Actions& actions);

  // Readiness.
  void Open(std::uint32_t index, Actions& actions);
  void MakeReady(std::uint32_t index, Actions& actions);
  void Pump(std::uint32_t function, Actions& actions);
  std::uint32_t PopReady(FunctionState& state);
  void Unqueue(std::uint32_t index, Actions& actions);
  void ArmDeadline(std::uint32_t index);

  // Ends.
  void FinishOne(std::uint32_t index, CallResult&& result, TimePoint now,
                 Actions& actions);
  void FinishAsync(std::uint32_t index, TimePoint now, Actions& actions);
  void Conclude(std::uint32_t index, CallResult&& result, TimePoint now,
                Actions& actions);
  void Fail(std::uint32_t index, Error error, std::chrono::milliseconds after,
            TimePoint now, Actions& actions);
  Trouble& TroubleOf(std::uint32_t index, const Error& error);
  void GiveUp(std::uint32_t index, DeadReason reason, TimePoint now,
              Actions& actions);
  void EndGivenUp(std::uint32_t index, TimePoint now, Actions& actions);
  void TellAttempt(std::uint32_t index, Actions& actions) const;
  void BackOff(std::uint32_t index, std::chrono::milliseconds delay,
               TimePoint now, Actions& actions);
  void Keep(std::uint32_t index, TimePoint now, Actions& actions);
  void Bury(std::uint32_t index, Actions& actions);
  void Ask(std::uint32_t index, Actions& actions);
  void BuriedOrNot(std::uint32_t index, const Result<void>& result,
                   std::chrono::milliseconds retry_after, TimePoint now,
                   Actions& actions);
  void NoteOf(std::uint32_t index, Actions::Note::Kind kind, Actions& actions,
              std::chrono::milliseconds delay = {});
  [[nodiscard]] DeadLetterFacts FactsOf(std::uint32_t index) const;
  void SendReplies(std::uint32_t index, TimePoint now, Actions& actions);
  void SendSome(std::uint32_t index, Actions& actions);
  void PlaceReplies(std::uint32_t entry, TimePoint now, Actions& actions);
  void End(std::uint32_t index, std::optional<Error> error,
           std::chrono::milliseconds delay, TimePoint now, Actions& actions);
  void Leave(std::uint32_t index, Actions& actions);
  void LeaveLane(std::uint32_t index, Actions& actions);
  void SettleIfOver(std::uint32_t entry, TimePoint now, Actions& actions);
  void Settle(std::uint32_t entry, TimePoint now, Actions& actions);
  void FreeEntry(std::uint32_t entry);
  void GiveBackWaiting(std::uint32_t entry, TimePoint now, Actions& actions);
  [[nodiscard]] Error WhyGivenBack(std::uint32_t entry) const;
  /// It is not tried again here, nor waited for.
  [[nodiscard]] bool IsGivenBack(std::uint32_t entry) const {
    return giving_back_ || entries_[entry].withdrawn;
  }

  // Time.
  void OnTimer(std::uint32_t index, TimePoint now, Actions& actions);
  void Expire(std::uint32_t index, TimePoint now, Actions& actions);
  void Hang(std::uint32_t index, TimePoint now, Actions& actions);
  void Stick(std::uint32_t index, Actions& actions);
  void Unstick(std::uint32_t index);
  [[nodiscard]] bool LeavesNoRoom(std::uint32_t function) const;
  void ExtendOpen(TimePoint now, Actions& actions);
  void RenewClaims(TimePoint now, Actions& actions);
  [[nodiscard]] std::chrono::milliseconds Backoff(const RetryPolicy& retry,
                                                  int attempt);
  void UpdateDemand(Actions& actions);

  [[nodiscard]] std::uint32_t Lookup(CallId id) const;
  [[nodiscard]] CallId IdOf(std::uint32_t index) const;
  [[nodiscard]] bool PeerWaits(const Call& call) const;
  [[nodiscard]] const EngineInlet* SourceOf(const Call& call) const;
  [[nodiscard]] bool Transactional(const Call& call) const;
  /// Whether the source would give the call's event to somebody again, while
  /// nothing of it is lost or out of order by that.
  [[nodiscard]] bool MayGiveBack(const Call& call) const;

  const std::vector<EngineFunction> functions_;
  const DispatcherOptions options_;
  const std::vector<EngineInlet> inlets_;
  const Bound max_in_flight_;
  const Bound max_bytes_;
  std::vector<Source> sources_;
  std::vector<FunctionState> states_;
  Pool<Entry> entries_;
  Pool<Call> calls_;
  Lanes lanes_;
  TimerHeap timers_;
  Dispatcher::Counts counts_;
  std::uint64_t random_;
  std::uint32_t stuck_ = 0;  // Entries with a call that is stuck.
  std::size_t stuck_bytes_ = 0;
  std::uint32_t claims_ = 0;  // Calls that have one.
  TimePoint renew_at_ = TimePoint::max();
  bool demand_ = true;  // What its own bounds say to all inlets.
  bool draining_ = false;
  bool giving_back_ = false;
};

}  // namespace cirro::internal
