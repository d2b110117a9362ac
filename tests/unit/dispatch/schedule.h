#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
  explicit Schedule(std::uint64_t seed);

  /// What is wrong, or nothing.
  std::optional<std::string> Run();

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

  std::uint32_t Below(std::uint64_t bound);
  bool Chance(std::uint64_t one_in);
  OnExhausted SomePolicy();
  void Violated(const std::string& what);
  void AddFunction(std::size_t index);

  // ---- User code.
  // The same each time, as of a function that works.
  static std::uint32_t RepliesTo(std::size_t function, std::string_view id);
  Outcome RandomOutcome(std::size_t function, std::string_view id);
  // The world goes on while a function runs; sometimes past its deadline.
  void Meanwhile();
  Outcome Single(std::size_t function, const Event& event, Context& context);
  std::vector<Outcome> Batch(std::size_t function,
                             std::span<const Event> events);
  void Async(std::size_t function, const Event& event, Context& context,
             Completion completion);
  Outcome SafeOutcome(std::size_t function, std::string_view id);

  // ---- What the observer sees.
  static Key KeyOf(const Delivery& delivery);
  std::size_t IndexOf(std::string_view function) const;
  Call& CallOf(std::string_view function, const Delivery& delivery);
  void OnReceived(const Delivery& delivery);
  void OnStarted(std::string_view name, const Delivery& delivery);
  void CheckConcurrency();
  // No call of the same lane that was taken in earlier may be unfinished,
  // except one whose delivery has been settled and that is not running.
  void CheckLane(const Key& key, std::size_t index, const Call& call);
  // A call that failed for the last time, or is done already, has ended
  // although its delivery may wait for other calls: where the peer waits there
  // is one attempt, and a drain gives back what waits for another.
  bool EndedForGood(const Key& key, std::size_t index, const Call& call);
  void OnFinished(std::string_view name, const Delivery& delivery,
                  Outcome::Kind outcome);
  void OnSettled(const Delivery& delivery, const Settlement& settlement);
  // By this delivery or another one with the same event.
  bool IsDone(std::size_t index, const std::string& id) const;
  // What was forgotten without success is a dead letter, or dropped by wish.
  void CheckGivenUp(const Delivery& delivery, std::string_view function,
                    OnExhausted policy);
  bool IsBuried(std::string_view function, std::string_view id);
  // Whether replies that did not go back with the settlement are with the
  // outlet.
  bool Confirmed(std::size_t function, const Event& event);

  // ---- Steps.
  void Step(std::size_t depth);
  void PublishSome();
  bool StaysForEver() const;
  void EndASend();
  void EndABurial();
  void CompleteOne();
  void Check();

  // ---- Ends.
  // Nothing fails any more; everything that comes again must end well.
  void Quiet();
  bool Settled();
  // What no function takes, and no place, stays with a source that cannot
  // delay.
  std::size_t Kept();
  static bool NeverTaken(const MemoryInlet::Message& message);
  bool AllSettled(MemoryInlet& inlet);
  bool Wanted(const MemoryInlet::Message& message) const;
  void Drain();
  void CheckNothingLost(MemoryInlet& inlet, bool drained);

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
