#pragma once

#include <cstdint>
#include <string_view>

#include "cirro/cloudevents/error.h"
#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/context.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/outcome.h"

namespace cirro {

/// Sees the life of every delivery and call: one interface for metrics, logs,
/// traces and the console. Called from many threads at once, on the hot path:
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
  /// A function says something (Context::Log), of `event` where it is not null.
  virtual void Logged(LogLevel level, std::string_view function,
                      const Event* event, const TraceContext& trace,
                      std::string_view message) noexcept = 0;
};

}  // namespace cirro
