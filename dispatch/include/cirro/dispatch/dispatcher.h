#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cirro/cloudevents/event_draft.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/dedup.h"
#include "cirro/dispatch/executor.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/dispatch/registry.h"
#include "cirro/dispatch/retry.h"

namespace cirro {

/// What becomes of an event that no function wants.
enum class Unmatched : std::uint8_t { kReject, kAccept };

struct DispatcherOptions {
  std::uint32_t max_in_flight = 1024;  ///< Deliveries; at least 1.
  std::size_t max_bytes = std::size_t{64} << 20;
  /// What a refused sender is told to wait.
  std::chrono::milliseconds overload_delay{1000};
  Unmatched unmatched = Unmatched::kReject;
  RetryPolicy retry{};
  OnExhausted on_exhausted = OnExhausted::kDeadLetter;
  /// Names of DispatcherParts::places, the first that takes it keeps it.
  std::vector<std::string> dead_letter{};
  /// How long what a function did is known, and how long a claim on what it is
  /// doing holds unless it is renewed.
  std::chrono::milliseconds dedup_window{600'000};
  std::chrono::milliseconds dedup_lease{30'000};
  std::size_t max_reply_bytes = std::size_t{1} << 20;
  /// The outlet for replies the source cannot carry; "": none; "none": they
  /// are discarded. A function's own reply_to comes first.
  std::string reply_to{};
  /// Of jitter and hash tables; from a source of randomness.
  std::uint64_t seed = 0;
};

/// A named place, and what is set on its events (`K_CE_OVERRIDES`).
struct OutletEntry {
  Outlet* outlet;
  std::vector<Extension> overrides{};
};

/// What a dispatcher works with. All of it outlives the dispatcher.
struct DispatcherParts {
  const Clock& clock;
  Executor& executor;  ///< Of every function that is not inline.
  TimerQueue& timers;
  Observer* observer = nullptr;  ///< May be null.
  std::vector<OutletEntry> outlets{};
  std::vector<Inlet*> inlets{};  ///< All that deliver.
  std::vector<DeadLetterPlace*> places{};
  DedupStore* dedup = nullptr;  ///< Needed where a function has `dedup`.
  /// Run, on any thread, when calls that hung for one more timeout take all of
  /// a function's concurrency, or half of another bound, which only a new
  /// process gives back. May be run again.
  Task stuck{};
};

/// Takes deliveries, calls the functions that match, settles: routing,
/// admission, order, retries, replies. One mutex, held for moments and never
/// around user code, an inlet, an outlet or the executor. A delivery for one
/// inline function without order or bounds, from a peer that waits, is run and
/// settled on the calling thread without it.
///
/// At destruction every inlet, every outlet and the executor have stopped.
/// What is still open then is given back.
class CIRRO_EXPORT Dispatcher final : public Sink {
 public:
  /// Fails with kInvalidConfig: no functions, a bound of 0, an unknown outlet.
  static Result<std::unique_ptr<Dispatcher>> Make(
      Registry registry, const DispatcherOptions& options,
      DispatcherParts parts);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher() override;

  void Deliver(std::span<Delivery> batch) noexcept override;
  void Withdraw(const InletInfo& inlet,
                std::span<const std::uint64_t> assignments) noexcept override;

  // Drain, in this order; each may be called from any thread, more than once.
  /// From now on a new delivery is given back with kDraining.
  void BeginDrain() noexcept;
  /// Gives back what does not run, of sources that do not wait for an answer.
  void GiveBackWaiting() noexcept;
  /// The grace time is over: stop tokens fire, everything open is given back.
  void GiveBackAll() noexcept;
  /// Waits until all has ended and sources heard how; false: not in patience.
  bool WaitIdle(std::chrono::milliseconds patience) noexcept;

  struct Counts {
    std::uint32_t in_flight = 0;  ///< Deliveries that hold room.
    std::size_t bytes = 0;        ///< Of their events.
    std::uint32_t running = 0;    ///< Calls with the executor or in functions.
    std::uint32_t hung = 0;       ///< Of these, past their deadline.
    bool operator==(const Counts&) const = default;
  };
  [[nodiscard]] Counts counts() const noexcept;

 private:
  class Core;
  explicit Dispatcher(std::shared_ptr<Core> core) noexcept;

  std::shared_ptr<Core> core_;
};

}  // namespace cirro
