#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/context.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/handler.h"
#include "lanes.h"
#include "pool.h"
#include "reply.h"
#include "timer_heap.h"

namespace cirro::internal {

/// Names a call: its slot, and which use of the slot. Never 0, and the top bit
/// is never set. A name outlives its call: it is then known to be stale.
using CallId = std::uint64_t;

/// What the engine must know of a function.
struct EngineFunction {
  std::string name;
  Handler::Form form = Handler::Form::kSingle;
  bool inline_call = false;
  std::uint32_t concurrency = 0;
  std::uint32_t max_in_flight = 0;
  std::size_t max_bytes = 0;
  Duration timeout = std::chrono::seconds(20);
  std::uint32_t batch_max = 1;
  /// Where replies go that the source cannot carry: an outlet's index, or:
  static constexpr std::uint32_t kNowhere = kNone;
  static constexpr std::uint32_t kDiscard = kNone - 1;
  std::uint32_t reply_to = kNowhere;
};

/// One function that a delivery is for, and the lane of its call there; an
/// empty key: no order. The source's own key moves with the delivery, so it is
/// asked for by name.
struct Target {
  std::uint32_t function = 0;
  bool by_source_key = false;
  std::string_view key{};
};

/// What is to be done outside of the engine, in the order of the members.
/// Kept and used again, so that a warm one allocates nothing.
struct Actions {
  struct Settle {
    Delivery delivery;
    Settlement settlement;
    Duration since_received;
  };
  struct Send {
    std::uint32_t outlet;
    CallId call;
    Event event;
  };
  struct Hung {
    std::uint32_t function;
    Delivery delivery;  // Its content.
    CallId call;
    bool replace;  // A worker runs it.
  };

  std::vector<Settle> settle;
  std::vector<std::stop_source> stop;
  std::vector<Hung> hung;
  std::vector<Send> send;
  std::vector<CallId> post;        // For the executor.
  std::vector<CallId> run_inline;  // For the thread that performs.
  bool signal = false;             // The next timer, or the demand, is another.
  bool stuck = false;              // Calls that hang leave others no room.
};

/// The calls of one run of a batch function, by place.
struct BatchRun {
  std::vector<std::uint32_t> calls;
  std::vector<const Delivery*> deliveries;
  std::vector<int> attempts;
  std::vector<Event> events;
};

/// What a begun call needs; the pointers live until it is finished.
struct Work {
  std::uint32_t function = 0;
  const Delivery* delivery = nullptr;
  int attempt = 1;
  TimePoint started{};
  TimePoint deadline{};
  std::optional<Context>* context = nullptr;  // Room for an async one.
  const BatchRun* batch = nullptr;            // Of batch functions.
  const CallResult* thrown = nullptr;         // Of an async one that threw.
};

/// The delivery engine: a state machine without threads, waits or a clock.
/// Inputs with `now` go in, actions come out. One thread at a time.
///
/// A Delivery has an entry, with one Call for each function. A call goes
///
///   waiting (in its lane, behind another) -> ready (for the concurrency of
///   its function) -> posted (to the executor) -> running -> backoff, and
///   ready again; or holding (its replies wait for the other calls) or sending
///   (replies to an outlet); and ends.
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
  /// `hold`: the inlets that cannot delay a redelivery themselves.
  Engine(std::vector<EngineFunction> functions,
         const DispatcherOptions& options,
         std::vector<const InletInfo*> hold = {});

  /// Takes a delivery of an event in, or settles it as refused.
  /// REQUIRES: `targets` is not empty; the keys outlive the call only.
  void Admit(Delivery&& delivery, std::span<const Target> targets,
             TimePoint now, Actions& actions);
  /// Takes in a delivery whose only function has run already, with the result.
  void AdmitFinished(Delivery&& delivery, std::uint32_t function,
                     CallResult result, TimePoint now, Actions& actions);

  /// A posted call is about to run. False: it ended meanwhile.
  bool Begin(CallId id, TimePoint now, Work& work, Actions& actions);
  /// A call, or a batch, has run. Batch: one result for each, in order.
  void Finish(CallId id, std::span<CallResult> results, TimePoint now,
              Actions& actions);
  /// An asynchronous function has returned, or thrown; its call ends when it
  /// is completed too.
  void Returned(CallId id, std::optional<CallResult> thrown, TimePoint now,
                Actions& actions);
  void Completed(CallId id, CallResult result, TimePoint now, Actions& actions);
  /// One of a call's replies was sent, or not.
  void Sent(CallId id, const Result<void>& result,
            std::chrono::milliseconds retry_after, TimePoint now,
            Actions& actions);
  /// It is `now`: deadlines, backoffs.
  void Tick(TimePoint now, Actions& actions);

  void BeginDrain(Actions& actions);
  void GiveBackWaiting(TimePoint now, Actions& actions);
  void GiveBackAll(TimePoint now, Actions& actions);

  /// What runs under the name, or nothing when it is stale.
  [[nodiscard]] std::optional<Work> Find(CallId id) const;
  [[nodiscard]] std::stop_token StopToken(CallId id);
  [[nodiscard]] TimePoint NextTimer() const { return timers_.Earliest(); }
  [[nodiscard]] bool demand() const { return demand_; }
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] const Dispatcher::Counts& counts() const { return counts_; }
  [[nodiscard]] const EngineFunction& function(std::uint32_t index) const {
    return functions_[index];
  }
  [[nodiscard]] std::uint32_t open_lanes() const { return lanes_.count(); }

 private:
  enum class State : std::uint8_t {
    kWaiting,
    kReady,
    kPosted,
    kRunning,
    kReturned,
    kHolding,
    kSending,
    kBackoff,
  };

  struct Call {
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
    int attempt = 1;
    TimePoint started{};
    TimePoint hangs_at{};          // When the function must have ended.
    std::uint32_t sends_open = 0;  // Replies with the outlet.
    std::uint32_t sends_begun = 0;
    std::chrono::milliseconds send_delay{0};
    std::optional<Error> send_error{};
    CallResult result{};  // Of async, completed; replies while holding.
    std::stop_source stop{std::nostopstate};
    std::optional<Context> context{};
    std::unique_ptr<BatchRun> batch{};  // Of the leader.
  };

  struct Entry {
    std::optional<Delivery> delivery{};
    TimePoint received{};
    std::size_t bytes = 0;
    std::uint32_t first_call = kNone;
    std::uint32_t open = 0;     // Calls that have not ended.
    std::uint32_t holding = 0;  // Of these, with replies to place.
    std::uint32_t live = 0;     // Slots, ended or not.
    std::uint32_t stuck = 0;    // Calls that are.
    bool settled = false;
    bool placing = false;
    std::optional<Error> worst{};
    std::chrono::milliseconds delay{0};
    std::vector<Event> replies{};
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
  [[nodiscard]] std::optional<Error> Refuse(std::span<const Target> targets,
                                            std::size_t bytes) const;
  std::uint32_t NewEntry(Delivery&& delivery, std::size_t bytes, TimePoint now);
  std::uint32_t NewCall(std::uint32_t entry, std::uint32_t function);
  void EnterLane(std::uint32_t index, std::string_view key);
  void SettleRefused(Delivery&& delivery, Error error, Actions& actions);

  // Readiness.
  void MakeReady(std::uint32_t index, Actions& actions);
  void Pump(std::uint32_t function, Actions& actions);
  std::uint32_t PopReady(FunctionState& state);
  void Withdraw(std::uint32_t index, Actions& actions);
  void ArmDeadline(std::uint32_t index);

  // Ends.
  void FinishOne(std::uint32_t index, CallResult result, TimePoint now,
                 Actions& actions);
  void FinishAsync(std::uint32_t index, TimePoint now, Actions& actions);
  void Conclude(std::uint32_t index, CallResult result, TimePoint now,
                Actions& actions);
  void Fail(std::uint32_t index, Error error, std::chrono::milliseconds after,
            TimePoint now, Actions& actions);
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

  // Time.
  void OnTimer(std::uint32_t index, TimePoint now, Actions& actions);
  void Expire(std::uint32_t index, TimePoint now, Actions& actions);
  void Hang(std::uint32_t index, TimePoint now, Actions& actions);
  void Stick(std::uint32_t index, Actions& actions);
  void Unstick(std::uint32_t index);
  [[nodiscard]] bool LeavesNoRoom(std::uint32_t function) const;
  [[nodiscard]] std::chrono::milliseconds Backoff(int attempt);
  void UpdateDemand(Actions& actions);

  [[nodiscard]] std::uint32_t Lookup(CallId id) const;
  [[nodiscard]] CallId IdOf(std::uint32_t index) const;
  [[nodiscard]] bool PeerWaits(const Call& call) const;
  [[nodiscard]] bool Delays(const InletInfo& inlet) const;

  const std::vector<EngineFunction> functions_;
  const DispatcherOptions options_;
  const std::vector<const InletInfo*> hold_;
  std::vector<FunctionState> states_;
  Pool<Entry> entries_;
  Pool<Call> calls_;
  Lanes lanes_;
  TimerHeap timers_;
  Dispatcher::Counts counts_;
  std::uint64_t random_;
  std::uint32_t stuck_ = 0;  // Entries with a call that is stuck.
  std::size_t stuck_bytes_ = 0;
  bool demand_ = true;
  bool draining_ = false;
  bool giving_back_ = false;
};

}  // namespace cirro::internal
