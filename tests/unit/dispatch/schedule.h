#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/router.h"
#include "dispatch/src/reply.h"
#include "support/dispatch_rig.h"

namespace cirro::test {

/// One seeded schedule: random events, keys, functions and outcomes, and a
/// random order of everything that may happen next: deliveries, tasks, sends,
/// completions, timers, drain. While a function runs, the rest of the world
/// goes on inside of it, as it does on other threads. After every step it
/// checks
///
///   the law       nothing is acknowledged before each of its calls succeeded
///                 and each reply was confirmed, or its dead letter is safe, or
///                 the configuration drops it
///   lane order    an event does not begin before those of its key that were
///                 taken in earlier have ended
///   bounds        count, bytes, and calls at once of each function, runs at
///                 once of a batch function
///   duplicates    an event that a function with dedup has done, or is doing,
///                 does not begin there again
///   settlement    exactly one for each delivery
///
/// and at the end that nothing was lost. The first violation stops it.
class Schedule {
 public:
  explicit Schedule(std::uint64_t seed) : random_(seed), seed_(seed) {
    rig_.observer = &watch_;
    rig_.options.max_in_flight = 1 + Below(12);
    rig_.options.max_bytes = kEventBytes * (3 + Below(30));
    rig_.options.retry = {.attempts = static_cast<int>(1 + Below(4)),
                          .base = std::chrono::milliseconds(100),
                          .cap = std::chrono::milliseconds(2000)};
    rig_.options.seed = seed;
    rig_.options.reply_to = Chance(2) ? "slow" : Chance(2) ? "none" : "";
    if (Chance(2)) rig_.options.dead_letter = {"letters"};
    if (Chance(3)) rig_.options.dead_letter = {"file", "letters"};
    rig_.options.on_exhausted = SomePolicy();
    rig_.dedup.answers_late = Chance(2);
    functions_.resize(1 + Below(4));
    for (std::size_t i = 0; i < functions_.size(); ++i) AddFunction(i);
    rig_.Start();
  }

  /// What is wrong, or nothing.
  std::optional<std::string> Run() {
    for (int i = 0; i < 60 && violation_.empty(); ++i) Step(0);
    if (Chance(3)) {
      Drain();
    } else {
      Quiet();
    }
    Check();
    if (violation_.empty()) return std::nullopt;
    return violation_ + " (CIRRO_SEED=" + std::to_string(seed_) + ")";
  }

 private:
  static constexpr std::size_t kDepth = 3;
  static constexpr std::uint32_t kBatch = 2 * 4;  // Of both sources, at most.
  static constexpr std::size_t kEventBytes = 400;

  // A call of a function for one delivery, as its function sees it.
  struct Call {
    std::size_t taken_in = 0;  // The delivery's place among all.
    std::string lane{};
    std::string id{};
    bool begun = false;    // At least once.
    bool running = false;  // Until it returned, or was completed.
    bool done = false;     // Succeeded, the last time it ran.
    bool replied = false;  // And had replies, which may fail to be sent.
    bool rejected = false;
    bool hung = false;
  };
  struct FunctionState {
    FunctionSpec spec{};
    Handler::Form form = Handler::Form::kSingle;
    std::uint32_t running = 0;  // Calls; of a batch function, runs.
    OnExhausted policy = OnExhausted::kDeadLetter;
    // Of one with dedup, by event: those that it did, and how many it does.
    std::set<std::string> did{};
    std::map<std::string, int> doing{};
  };
  // A delivery: the message at its n-th attempt.
  struct Key {
    std::size_t message = 0;
    int attempt = 0;
    bool waits = false;
    std::string inlet{};
    auto operator<=>(const Key&) const = default;
  };
  struct Open {
    std::size_t bytes = 0;
    bool settled = false;
    bool expired = false;  // Maybe while its function was about to begin.
    std::map<std::size_t, Call> calls{};  // By function.
  };
  // A run for as long as it lasts, also where the function throws.
  class Running {
   public:
    explicit Running(std::uint32_t& count) : count_(&count) { ++*count_; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() { --*count_; }

   private:
    std::uint32_t* const count_;
  };
  struct Pending {
    Completion completion;
    std::size_t function;
    std::string id;
  };

  // Sees deliveries come and go.
  class Watch final : public Observer {
   public:
    explicit Watch(Schedule& schedule) : schedule_(&schedule) {}
    void Received(const Delivery& delivery) noexcept override {
      schedule_->OnReceived(delivery);
    }
    void Started(std::string_view function, const Delivery& delivery,
                 int /*attempt*/) noexcept override {
      schedule_->OnStarted(function, delivery);
    }
    void Finished(std::string_view function, const Delivery& delivery,
                  Outcome::Kind outcome, const Error* /*error*/,
                  Duration /*took*/) noexcept override {
      schedule_->OnFinished(function, delivery, outcome);
    }
    void Settled(const Delivery& delivery, const Settlement& settlement,
                 Duration /*since*/) noexcept override {
      schedule_->OnSettled(delivery, settlement);
    }
    void Hung(std::string_view function,
              const Delivery& delivery) noexcept override {
      schedule_->CallOf(function, delivery).hung = true;
    }
    void Logged(LogLevel /*level*/, std::string_view /*function*/,
                const Event* /*event*/, const TraceContext& /*trace*/,
                std::string_view /*message*/) noexcept override {}

   private:
    Schedule* const schedule_;
  };

  std::uint32_t Below(std::uint64_t bound) {
    return static_cast<std::uint32_t>(random_() % bound);
  }
  bool Chance(std::uint64_t one_in) { return Below(one_in) == 0; }

  OnExhausted SomePolicy() {
    return Chance(4)   ? OnExhausted::kDrop
           : Chance(4) ? OnExhausted::kRetry
                       : OnExhausted::kDeadLetter;
  }

  void Violated(const std::string& what) {
    if (violation_.empty()) violation_ = what;
  }

  void AddFunction(std::size_t index) {
    FunctionState& state = functions_[index];
    state.spec.name = "f" + std::to_string(index);
    // Types a and b; every function takes at least one of them.
    state.spec.type = Chance(3) ? "*" : Chance(2) ? "a" : "b";
    state.spec.concurrency = Chance(2) ? 0 : 1 + Below(2);
    state.spec.max_in_flight = Chance(3) ? 2 + Below(4) : 0;
    state.spec.inline_call = Chance(4);
    state.spec.timeout = std::chrono::milliseconds(200 + Below(2000));
    state.spec.batch_max = 1 + Below(4);
    state.spec.dedup = Chance(3);
    if (Chance(3)) state.spec.on_exhausted = SomePolicy();
    state.policy = state.spec.on_exhausted.value_or(rig_.options.on_exhausted);
    state.spec.order_by.kind =
        Chance(2) ? OrderBy::Kind::kSubject : OrderBy::Kind::kSource;
    switch (Below(3)) {
      case 0:
        state.form = Handler::Form::kSingle;
        rig_.On(state.spec,
                [this, index](const Event& event, Context& context) {
                  return Single(index, event, context);
                });
        break;
      case 1:
        state.form = Handler::Form::kBatch;
        rig_.On(state.spec, [this, index](std::span<const Event> events) {
          return Batch(index, events);
        });
        break;
      default:
        state.form = Handler::Form::kAsync;
        rig_.On(state.spec, [this, index](const Event& event, Context& context,
                                          Completion completion) {
          Async(index, event, context, std::move(completion));
        });
    }
  }

  // ---- User code.

  // The same each time, as of a function that works.
  static std::uint32_t RepliesTo(std::size_t function, std::string_view id) {
    return 1 + static_cast<std::uint32_t>(
                   (function + std::stoul(std::string(id))) % 3);
  }

  Outcome RandomOutcome(std::size_t function, std::string_view id) {
    if (calm_) return Done();
    switch (Below(10)) {
      case 0:
        return Retry("again");
      case 1:
        return Retry(std::chrono::milliseconds(Below(3000)), "later");
      case 2:
        return Chance(3) ? Reject("never") : Done();
      case 3:
        throw std::runtime_error("thrown");
      case 4:
        throw 7;
      case 5:
      case 6: {
        std::vector<ReplyItem> replies(
            RepliesTo(function, id),
            EventDraft{.type = "reply", .source = "/f"});
        return Reply(std::move(replies));
      }
      default:
        return Done();
    }
  }

  // The world goes on while a function runs; sometimes past its deadline.
  void Meanwhile() {
    if (depth_ >= kDepth || calm_) return;
    ++depth_;
    if (Chance(8)) {
      rig_.clock.Advance(std::chrono::milliseconds(2500));
    }
    for (std::uint32_t steps = Below(4); steps > 0; --steps) Step(depth_);
    --depth_;
  }

  Outcome Single(std::size_t function, const Event& event, Context& context) {
    const std::stop_token stop =
        Chance(4) ? context.stop_token() : std::stop_token();
    Meanwhile();
    return RandomOutcome(function, event.id());
  }

  std::vector<Outcome> Batch(std::size_t function,
                             std::span<const Event> events) {
    if (events.empty() || events.size() > functions_[function].spec.batch_max) {
      Violated("a batch of " + std::to_string(events.size()));
    }
    // The observer sees the members of a run, and not where a run begins.
    const Running running(functions_[function].running);
    CheckConcurrency();
    Meanwhile();
    std::vector<Outcome> outcomes;
    for (const Event& event : events) {
      outcomes.push_back(RandomOutcome(function, event.id()));
    }
    if (!calm_ && Chance(20)) outcomes.pop_back();
    return outcomes;
  }

  void Async(std::size_t function, const Event& event, Context& context,
             Completion completion) {
    if (Chance(4)) (void)context.stop_token();
    Meanwhile();
    if (calm_) {
      completion.Finish(Done());
      return;
    }
    if (Chance(10)) throw std::runtime_error("thrown, and dropped");
    if (Chance(10)) return;  // Dropped.
    if (Chance(3)) {
      completion.Finish(SafeOutcome(function, event.id()));
      return;
    }
    pending_.push_back(
        {std::move(completion), function, std::string(event.id())});
    if (Chance(10)) throw std::runtime_error("thrown, and kept");
  }

  Outcome SafeOutcome(std::size_t function, std::string_view id) {
    try {
      return RandomOutcome(function, id);
    } catch (...) {
      return Retry("was thrown");
    }
  }

  // ---- What the observer sees.

  static Key KeyOf(const Delivery& delivery) {
    return {static_cast<std::size_t>(std::stoul(delivery.position())),
            delivery.facts.attempt, delivery.inlet().peer_waits,
            delivery.inlet().name};
  }

  std::size_t IndexOf(std::string_view function) const {
    return static_cast<std::size_t>(function[1] - '0');
  }
  Call& CallOf(std::string_view function, const Delivery& delivery) {
    return open_.at(KeyOf(delivery)).calls.at(IndexOf(function));
  }

  void OnReceived(const Delivery& delivery) {
    if (delivery.event() == nullptr) return;
    const auto [at, fresh] = open_.try_emplace(KeyOf(delivery));
    if (!fresh) Violated("a delivery came twice");
    Open& open = at->second;
    open.bytes = delivery.memory_size();
    for (std::size_t i = 0; i < functions_.size(); ++i) {
      const FunctionSpec& spec = functions_[i].spec;
      if (!MatchesPattern(spec.type, delivery.event()->type())) continue;
      Call& call = open.calls[i];
      call.taken_in = ++taken_in_;
      call.id = delivery.event()->id();
      call.lane = spec.order_by.kind == OrderBy::Kind::kSubject
                      ? std::string(delivery.event()->subject())
                      : delivery.facts.key;
    }
  }

  void OnStarted(std::string_view name, const Delivery& delivery) {
    const std::size_t index = IndexOf(name);
    const Key key = KeyOf(delivery);
    FunctionState& function = functions_[index];
    Call& call = open_.at(key).calls.at(index);
    const Open& open = open_.at(key);
    if (open.settled && !open.expired) {
      Violated("a settled delivery's call began");
    }
    if (call.running) Violated("a call runs twice");
    if (call.done && !call.replied) {
      Violated("a call ran again after it succeeded");
    }
    CheckLane(key, index, call);
    if (function.spec.dedup) {
      const std::string id(delivery.event()->id());
      if (function.did.contains(id))
        Violated("a duplicate of a done one began");
      if (++function.doing[id] > 1)
        Violated("a duplicate began beside another");
    }
    call.begun = call.running = true;
    if (function.form != Handler::Form::kBatch) ++function.running;
    CheckConcurrency();
  }

  void CheckConcurrency() {
    for (const FunctionState& function : functions_) {
      if (function.spec.concurrency == 0) continue;
      if (function.running <= function.spec.concurrency) continue;
      Violated(function.form == Handler::Form::kBatch
                   ? "more batches at once than `concurrency`"
                   : "more calls at once than `concurrency`");
    }
  }

  // No call of the same lane that was taken in earlier may be unfinished,
  // except one whose delivery has been settled and that is not running.
  void CheckLane(const Key& key, std::size_t index, const Call& call) {
    if (call.lane.empty()) return;
    for (const auto& [other_key, other] : open_) {
      if (other_key == key) continue;
      const auto found = other.calls.find(index);
      if (found == other.calls.end()) continue;
      const Call& earlier = found->second;
      if (earlier.lane != call.lane) continue;
      // Two sources have no order between them.
      const bool unfinished =
          !other.settled && !earlier.done && other_key.inlet == key.inlet;
      if (earlier.running || (unfinished && earlier.taken_in < call.taken_in &&
                              !EndedForGood(other_key, index, earlier))) {
        Violated("lane '" + call.lane + "' of " + functions_[index].spec.name +
                 " was passed by message " + std::to_string(key.message) +
                 ": message " + std::to_string(other_key.message) +
                 " attempt " + std::to_string(other_key.attempt) +
                 (other_key.waits ? ", its peer waits" : "") +
                 (earlier.begun ? ", begun" : "") +
                 (earlier.running ? ", running" : "") +
                 (draining_ ? ", draining" : ""));
      }
    }
  }

  // A call that failed for the last time, or is done already, has ended
  // although its delivery may wait for other calls: where the peer waits there
  // is one attempt, and a drain gives back what waits for another.
  bool EndedForGood(const Key& key, std::size_t index, const Call& call) {
    const FunctionState& function = functions_[index];
    if (key.waits && (call.begun || function.spec.dedup)) return !call.running;
    // One that hung was given back, if its source gives it to somebody else.
    return draining_ || call.hung ||
           (function.spec.dedup && IsDone(index, call.id)) ||
           (call.begun && function.policy == OnExhausted::kDrop) ||
           IsBuried(function.spec.name, call.id);
  }

  void OnFinished(std::string_view name, const Delivery& delivery,
                  Outcome::Kind outcome) {
    const std::size_t index = IndexOf(name);
    Call& call = open_.at(KeyOf(delivery)).calls.at(index);
    if (!call.running) Violated("a call ended that did not run");
    call.running = false;
    call.replied = outcome == Outcome::Kind::kReply;
    call.done = call.replied || outcome == Outcome::Kind::kDone;
    call.rejected = outcome == Outcome::Kind::kReject;
    --functions_[index].doing[std::string(delivery.event()->id())];
    if (functions_[index].form != Handler::Form::kBatch) {
      --functions_[index].running;
    }
  }

  void OnSettled(const Delivery& delivery, const Settlement& settlement) {
    if (delivery.event() == nullptr) return;
    Open& open = open_.at(KeyOf(delivery));
    if (open.settled) Violated("a delivery was settled twice");
    open.settled = true;
    open.expired = settlement.error &&
                   settlement.error->code == ErrorCode::kDeadlineExceeded;
    if (settlement.kind == Settlement::Kind::kNak) return;
    const bool forgotten = !delivery.inlet().peer_waits ||
                           settlement.kind == Settlement::Kind::kAck;
    if (!forgotten) return;
    if (open.calls.empty())
      CheckGivenUp(delivery, "", rig_.options.on_exhausted);
    for (auto& [index, call] : open.calls) {
      FunctionState& function = functions_[index];
      const std::string id(delivery.event()->id());
      if (call.done && (!call.replied || !settlement.replies.empty() ||
                        Confirmed(index, *delivery.event()))) {
        // Of replies it cannot be seen whose they are.
        if (!call.replied) function.did.insert(id);
      } else if (!function.spec.dedup || !IsDone(index, id)) {
        CheckGivenUp(delivery, function.spec.name, function.policy);
      }
    }
    if (settlement.replies.size() > delivery.facts.reply_capacity) {
      Violated("more replies than the source carries");
    }
  }

  // By this delivery or another one with the same event.
  bool IsDone(std::size_t index, const std::string& id) const {
    return std::any_of(open_.begin(), open_.end(), [&](const auto& open) {
      const auto found = open.second.calls.find(index);
      return found != open.second.calls.end() && found->second.id == id &&
             found->second.done;
    });
  }

  // What was forgotten without success is a dead letter, or dropped by wish.
  void CheckGivenUp(const Delivery& delivery, std::string_view function,
                    OnExhausted policy) {
    if (policy == OnExhausted::kDrop && !delivery.inlet().peer_waits) return;
    if (!IsBuried(function, delivery.event()->id())) {
      Violated("acknowledged before its calls succeeded");
    }
  }

  bool IsBuried(std::string_view function, std::string_view id) {
    for (MemoryPlace* place : {&rig_.letters, &rig_.file}) {
      for (const DeadLetter& letter : place->kept()) {
        const Event* const event = std::get_if<Event>(&letter.content);
        if (letter.facts.function == function && event != nullptr &&
            event->id() == id) {
          return true;
        }
      }
    }
    return false;
  }

  // Whether replies that did not go back with the settlement are with the
  // outlet.
  bool Confirmed(std::size_t function, const Event& event) {
    if (rig_.options.reply_to != "slow") return true;
    const std::vector<Event> taken = rig_.slow.taken();
    for (std::uint32_t i = 0; i < RepliesTo(function, event.id()); ++i) {
      const std::string id = internal::DerivedId(
          event.source(), event.id(), functions_[function].spec.name, i);
      const bool there =
          std::any_of(taken.begin(), taken.end(),
                      [&id](const Event& reply) { return reply.id() == id; });
      if (!there) return false;
    }
    return true;
  }

  // ---- Steps.

  void Step(std::size_t depth) {
    if (!violation_.empty()) return;
    switch (Below(14)) {
      case 12:
        if (Chance(2)) {
          rig_.dedup.Answer();
        } else {
          rig_.hasty.Pump(1 + Below(4));
        }
        break;
      case 13:
        EndABurial();
        break;
      case 0:
      case 1:
        PublishSome();
        break;
      case 2:
        rig_.http.Pump(1 + Below(4));
        break;
      case 3:
        rig_.broker.Pump(1 + Below(4));
        break;
      case 4:
      case 5:
      case 6:
        rig_.executor.RunAny(random_);
        break;
      case 7:
        EndASend();
        break;
      case 8:
        CompleteOne();
        break;
      case 9:
        rig_.timers.RunDue();
        break;
      case 10:
        rig_.clock.Advance(std::chrono::milliseconds(Below(300)));
        break;
      default:
        if (depth == 0 && Chance(4)) {
          const TimePoint next = rig_.timers.next();
          if (next != TimePoint::max()) rig_.clock.AdvanceTo(next);
          rig_.timers.RunDue();
        }
    }
    Check();
  }

  void PublishSome() {
    if (published_ == 14) return;
    ++published_;
    // One in six comes twice.
    const std::string id =
        std::to_string(Chance(6) ? 1 + Below(published_) : published_);
    const std::string lane = Chance(3) ? "" : Chance(2) ? "x" : "y";
    MemoryInlet& inlet = Chance(2)   ? rig_.http
                         : Chance(2) ? static_cast<MemoryInlet&>(rig_.broker)
                                     : rig_.hasty;
    if (Chance(15)) {
      if (&inlet == &rig_.hasty && StaysForEver()) return;
      inlet.Publish({.broken = "{"});
      return;
    }
    const char* const type = Chance(20) ? "nobody's" : Chance(2) ? "a" : "b";
    MemoryInlet::Message message{.event = TypedEvent(type, id, lane),
                                 .key = lane};
    if (&inlet == &rig_.http) {
      message.reply_capacity = Below(3);
      if (Chance(2)) message.patience = std::chrono::milliseconds(2000);
    }
    // What stays for ever would fill the bounds, as it should.
    if (&inlet == &rig_.hasty && StaysForEver() && !Wanted(message)) return;
    inlet.Publish(std::move(message));
  }
  bool StaysForEver() const {
    return rig_.options.on_exhausted == OnExhausted::kRetry ||
           rig_.options.dead_letter.empty();
  }

  void EndASend() {
    const std::size_t open = rig_.slow.open();
    if (open == 0) return;
    const std::size_t place = Below(open);
    switch (calm_ ? 0 : Below(5)) {
      case 0:
      case 1:
      case 2:
        rig_.slow.Confirm(place);
        break;
      case 3:
        rig_.slow.Fail(ErrorCode::kUnavailable, place,
                       std::chrono::milliseconds(Below(500)));
        break;
      default:
        rig_.slow.Drop(place);
    }
  }

  void EndABurial() {
    for (MemoryPlace* place : {&rig_.letters, &rig_.file}) {
      if (calm_) {
        place->Mend();
        place->Hold(false);
        while (place->Confirm()) {
        }
        continue;
      }
      switch (Below(6)) {
        case 0:
          place->FailWith(Chance(2) ? ErrorCode::kUnavailable
                                    : ErrorCode::kTooLarge);
          break;
        case 1:
          place->Mend();
          break;
        case 2:
          place->Hold(Chance(2));
          break;
        default:
          place->Confirm();
      }
    }
  }

  void CompleteOne() {
    if (pending_.empty()) return;
    const auto at =
        pending_.begin() + static_cast<std::ptrdiff_t>(Below(pending_.size()));
    Pending pending = std::move(*at);
    pending_.erase(at);
    if (!calm_ && Chance(5)) return;  // Dropped.
    pending.completion.Finish(SafeOutcome(pending.function, pending.id));
  }

  void Check() {
    CheckConcurrency();
    const Dispatcher::Counts counts = rig_.dispatcher->counts();
    // One batch of each source that does not wait may go past a bound.
    if (counts.in_flight > rig_.options.max_in_flight + kBatch) {
      Violated("more in flight than `max_in_flight`");
    }
    if (counts.bytes > rig_.options.max_bytes + kBatch * kEventBytes) {
      Violated("more bytes in flight than `max_bytes`");
    }
    // Inside of a step some deliveries are on their way in or out.
    std::size_t open = 0;
    for (const auto& [key, delivery] : open_) open += !delivery.settled;
    if (depth_ == 0 && open > counts.in_flight) {
      Violated("an unsettled delivery is not counted");
    }
    if (rig_.http.wrong_settlements() + rig_.broker.wrong_settlements() +
            rig_.hasty.wrong_settlements() >
        0) {
      Violated("what was not open was settled");
    }
  }
  // ---- Ends.

  // Nothing fails any more; everything that comes again must end well.
  void Quiet() {
    calm_ = true;
    for (int i = 0; i < 4000 && violation_.empty(); ++i) {
      CompleteOne();
      EndASend();
      EndABurial();
      rig_.dedup.Answer();
      rig_.Run();
      Check();
      const TimePoint next = std::min(
          {rig_.timers.next(), rig_.http.next_due(), rig_.broker.next_due()});
      if (next == TimePoint::max() && pending_.empty() &&
          rig_.slow.open() == 0 && rig_.dedup.waiting() == 0 &&
          rig_.letters.held() + rig_.file.held() == 0) {
        break;
      }
      // What never matches comes again for ever; that is not unrest.
      if (Settled() && pending_.empty()) break;
      rig_.clock.AdvanceTo(next == TimePoint::max() ? rig_.clock.Now() : next);
    }
    if (!violation_.empty()) return;
    CheckNothingLost(rig_.http, false);
    CheckNothingLost(rig_.broker, false);
    CheckNothingLost(rig_.hasty, false);
    if (Kept() == 0 && rig_.dispatcher->counts() != Dispatcher::Counts{}) {
      Violated("the dispatcher is not empty at rest");
    }
  }

  bool Settled() {
    return AllSettled(rig_.http) && AllSettled(rig_.broker) &&
           AllSettled(rig_.hasty) &&
           (Kept() > 0 || rig_.dispatcher->counts() == Dispatcher::Counts{});
  }
  // What no function takes, and no place, stays with a source that cannot
  // delay.
  std::size_t Kept() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rig_.hasty.size(); ++i) {
      const auto message = rig_.hasty.message(i);
      kept += message.state == MemoryInlet::State::kOpen &&
              (NeverTaken(message) || !Wanted(message));
    }
    return kept;
  }
  static bool NeverTaken(const MemoryInlet::Message& message) {
    return !message.event || message.event->type() == "nobody's" ||
           message.settlements.size() > 40;
  }
  bool AllSettled(MemoryInlet& inlet) {
    for (std::size_t i = 0; i < inlet.size(); ++i) {
      const auto message = inlet.message(i);
      if (message.state == MemoryInlet::State::kOpen) {
        if (&inlet != &rig_.hasty) return false;
        if (!NeverTaken(message) && Wanted(message)) return false;
      }
      if (message.state == MemoryInlet::State::kQueued &&
          !(NeverTaken(message) || !Wanted(message))) {
        return false;
      }
    }
    return true;
  }
  bool Wanted(const MemoryInlet::Message& message) const {
    return std::any_of(functions_.begin(), functions_.end(),
                       [&](const FunctionState& function) {
                         return MatchesPattern(function.spec.type,
                                               message.event->type());
                       });
  }

  void Drain() {
    const TimePoint start = rig_.clock.Now();
    rig_.dispatcher->BeginDrain();
    for (std::uint32_t steps = Below(10); steps > 0; --steps) Step(0);
    draining_ = true;
    rig_.dispatcher->GiveBackWaiting();
    Check();
    for (std::uint32_t steps = Below(10); steps > 0; --steps) Step(0);
    rig_.dispatcher->GiveBackAll();
    for (const auto& [key, delivery] : open_) {
      if (!delivery.settled) Violated("a delivery was not given back");
    }
    calm_ = true;
    while (!pending_.empty()) CompleteOne();
    rig_.executor.RunAll();
    while (rig_.slow.open() > 0) EndASend();
    EndABurial();
    rig_.dedup.Answer();
    rig_.clock.AdvanceTo(start + std::chrono::hours(1));
    rig_.timers.RunDue();
    if (rig_.dispatcher->counts() != Dispatcher::Counts{}) {
      Violated("the dispatcher is not empty after its drain");
    }
    CheckNothingLost(rig_.http, true);
    CheckNothingLost(rig_.broker, true);
    CheckNothingLost(rig_.hasty, true);
  }

  void CheckNothingLost(MemoryInlet& inlet, bool drained) {
    for (std::size_t i = 0; i < inlet.size(); ++i) {
      const auto message = inlet.message(i);
      const bool in_source = message.state == MemoryInlet::State::kQueued;
      const bool kept = &inlet == &rig_.hasty && !drained &&
                        (NeverTaken(message) || !Wanted(message));
      if ((message.state == MemoryInlet::State::kOpen && !kept) ||
          (in_source && !drained && !NeverTaken(message) && Wanted(message))) {
        Violated(
            "message " + std::to_string(i) + " of " + inlet.info().name +
            " was lost after " + std::to_string(message.settlements.size()) +
            " settlements, the last: " +
            (message.settlements.empty() || !message.settlements.back().error
                 ? "none"
                 : message.settlements.back().error->message));
      }
    }
  }

  std::mt19937_64 random_;
  const std::uint64_t seed_;
  Watch watch_{*this};
  std::vector<FunctionState> functions_;
  std::map<Key, Open> open_;
  // By function and event: how many replies it last returned.
  std::vector<Pending> pending_;
  std::string violation_;
  std::size_t taken_in_ = 0;
  std::size_t depth_ = 0;
  std::uint32_t published_ = 0;
  bool calm_ = false;
  bool draining_ = false;
  DispatchRig rig_;  // Ends first: it may still settle.
};

/// The seed that the environment asks for, or nothing.
inline std::optional<std::uint64_t> ReplaySeed() {
  const char* const text = std::getenv("CIRRO_SEED");
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

}  // namespace cirro::test
