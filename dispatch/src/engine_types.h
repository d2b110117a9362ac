#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/context.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/handler.h"
#include "cirro/dispatch/retry.h"
#include "pool.h"
#include "reply.h"

// What goes into the engine, and what it asks for.

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
  RetryPolicy retry{};
  OnExhausted on_exhausted = OnExhausted::kDeadLetter;
  std::vector<std::uint32_t> places{};  ///< For dead letters, by index.
  bool dedup = false;
};

/// What the engine must know of a source.
struct EngineInlet {
  const InletInfo* info = nullptr;
  bool delays = false;  ///< It keeps the delay of what it is to give again.
  bool keeps_attempts = false;
  bool transactional = false;
  Duration extend_every{};  ///< 0: what is open needs no extension.
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
    Settle(Delivery&& its, Duration since)
        : delivery(std::move(its)), since_received(since) {}

    Delivery delivery;
    Settlement settlement{};
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
  struct Bury {
    std::uint32_t place;
    CallId call;
    Delivery delivery;  // Its content.
    DeadLetterFacts facts;
    std::uint32_t source;  // That sends it with the settlement; kNone: none.
  };
  // Of tokens that are still unsettled.
  struct Extend {
    std::uint32_t inlet;
    std::vector<DeliveryToken> tokens;
  };
  struct Attempted {
    std::uint32_t inlet;
    DeliveryToken token;
    int attempts;
  };
  struct Dedup {
    enum class Kind : std::uint8_t { kClaim, kRenew, kDone, kRelease };
    Kind kind;
    CallId call;
    std::uint32_t function;
    Event event;
  };
  // For the observer: what became of a call that failed.
  struct Note {
    enum class Kind : std::uint8_t {
      kRetrying,
      kKept,
      kDropped,
      kBuried,
      kNotBuried,
      kStalled,
      kDuplicate,
    };
    Kind kind;
    Delivery delivery;  // Its content.
    DeadLetterFacts facts;
    std::optional<Error> error{};
    std::uint32_t place = kNone;
    std::chrono::milliseconds delay{0};
  };

  std::vector<Settle> settle;
  std::vector<std::stop_source> stop;
  std::vector<Hung> hung;
  std::vector<Note> notes;
  std::vector<Attempted> attempted;
  std::vector<Extend> extend;
  std::vector<Dedup> dedup;
  std::vector<Send> send;
  std::vector<Bury> bury;
  std::vector<CallId> post;        // For the executor.
  std::vector<CallId> run_inline;  // For the thread that performs.
  std::size_t counted = 0;         // Of `settle`: the core waits for them.
  bool signal = false;             // The next timer, or the demand, is another.
  bool stuck = false;              // Calls that hang leave others no room.

  /// Whether there is nothing to do but what runs on the thread that performs.
  [[nodiscard]] bool NothingOutside() const noexcept {
    return settle.empty() && stop.empty() && hung.empty() && notes.empty() &&
           attempted.empty() && extend.empty() && dedup.empty() &&
           send.empty() && bury.empty() && post.empty() && !signal && !stuck;
  }
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

}  // namespace cirro::internal
