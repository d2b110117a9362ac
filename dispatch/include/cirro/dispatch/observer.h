#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "cirro/cloudevents/error.h"
#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/context.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/outcome.h"

namespace cirro {

/// Sees the life of every delivery and call, and of the links to brokers: one
/// interface for metrics, logs, traces and the console. What is not overridden
/// is passed over. Called from many threads at once, on the hot path:
/// never blocks, never throws. The views live during the call.
class CIRRO_EXPORT Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  /// A delivery arrived (event or malformed).
  virtual void Received(const Delivery& delivery) noexcept = 0;
  /// A call of a function begins.
  virtual void Started(std::string_view function, const Delivery& delivery,
                       int attempt) noexcept = 0;
  /// A call of a function ended. `error` is null after success.
  virtual void Finished(std::string_view function, const Delivery& delivery,
                        Outcome::Kind outcome, const Error* error,
                        Duration took) noexcept = 0;
  /// A delivery is about to be settled.
  virtual void Settled(const Delivery& delivery, const Settlement& settlement,
                       Duration since_received) noexcept = 0;
  /// A call is past its deadline and still runs.
  virtual void Hung(std::string_view function,
                    const Delivery& delivery) noexcept = 0;
  /// A call failed and will be tried again, the attempt with this number not
  /// before `delay`.
  virtual void Retrying(std::string_view function, const Delivery& delivery,
                        int next_attempt,
                        std::chrono::milliseconds delay) noexcept;
  /// A delivery is given up and there is no place to keep it: it goes on being
  /// tried. `function` is empty where it was for none. Once a delivery.
  virtual void Kept(std::string_view function, const Delivery& delivery,
                    DeadReason reason, const Error& error) noexcept;
  /// It is given up and dropped, as the configuration says.
  virtual void Dropped(std::string_view function, const Delivery& delivery,
                       DeadReason reason, const Error& error) noexcept;
  /// Its dead letter is safe at `place`.
  virtual void Buried(const DeadLetterFacts& facts, const Delivery& delivery,
                      std::string_view place) noexcept;
  /// `place` did not take it. `stalled`: nor did any other, and its source
  /// waits until one does.
  virtual void NotBuried(const DeadLetterFacts& facts, const Delivery& delivery,
                         std::string_view place, const Error& error,
                         bool stalled) noexcept;
  /// The function has done this event before; it was not called.
  virtual void Duplicate(std::string_view function,
                         const Delivery& delivery) noexcept;
  /// `partition` of the inlet `part` delivers nothing more until the oldest of
  /// its messages that is not settled is: as many as may be after it are. Not
  /// `waits`: it goes on, or is another's now. Once for each change.
  virtual void Held(std::string_view part, std::string_view partition,
                    bool waits) noexcept;

  /// A function says something (Context::Log), of `event` where it is not null.
  virtual void Logged(LogLevel level, std::string_view function,
                      const Event* event, const TraceContext& trace,
                      std::string_view message) noexcept = 0;

  /// So many messages left the source of an inlet, `part`, before they were
  /// done: by its own limits, or somebody removed them.
  virtual void Lost(std::string_view part, std::uint64_t messages) noexcept;
  /// An inlet, an outlet or a place for dead letters, `part`, says something of
  /// itself: connected, rebalanced, a setting that was adjusted.
  virtual void Noted(LogLevel level, std::string_view part,
                     std::string_view message) noexcept;
  /// An inlet delivers nothing more, for good: the process is to be ended.
  virtual void Failed(std::string_view part, const Error& error) noexcept;
};

}  // namespace cirro
