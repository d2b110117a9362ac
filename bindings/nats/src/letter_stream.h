#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>

#include "cirro/cloudevents/result.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/observer.h"
#include "cirro/nats/inlet_options.h"
#include "handles.h"
#include "link.h"

namespace cirro::internal::nats {

/// What an operator asks of a server, one call after the other. Each waits at
/// most `patience`. One thread.
class StreamCalls {
 public:
  StreamCalls(const NatsConnection& connection, std::string part,
              std::string prefix, std::chrono::milliseconds patience,
              const Clock& clock, Observer& observer)
      : link_(connection, std::move(part), clock, observer),
        prefix_(std::move(prefix)),
        patience_(patience) {}

  /// Connects at the first call, and again where it was lost. Fails with
  /// kInvalidConfig or kUnavailable.
  Result<jsCtx*> Context();
  [[nodiscard]] natsConnection* connection() const { return link_.get(); }
  [[nodiscard]] std::int64_t patience() const { return patience_.count(); }

  /// As the link does.
  natsSubscription* Keep(NatsHandle<natsSubscription> subscription) {
    return link_.Keep(std::move(subscription));
  }

  /// The stream that keeps `subject`. Fails with kInvalidConfig where none
  /// does.
  Result<std::string> StreamOf(const std::string& subject);

  struct State {
    std::uint64_t first = 0;  ///< The oldest sequence that there is.
    std::uint64_t last = 0;   ///< The newest one that there ever was.
  };
  /// Fails with kInvalidConfig where there is no such stream.
  Result<State> StateOf(const std::string& stream);

  struct Found {
    std::uint64_t sequence = 0;
    Timestamp time{};
  };
  /// Which message comes first from `sequence` on, of those whose subject
  /// `filter` takes; nothing where there is none. Needs a server of 2.9.
  Result<std::optional<Found>> Next(const std::string& stream,
                                    const std::string& filter,
                                    std::uint64_t sequence);

  /// The message of that sequence; null where there is none.
  Result<NatsHandle<natsMsg>> Get(const std::string& stream,
                                  std::uint64_t sequence);

 private:
  Result<nlohmann::json> Ask(const std::string& what,
                             const nlohmann::json& question);

  Link link_;
  const std::string prefix_;
  const std::chrono::milliseconds patience_;
  bool opened_ = false;
  NatsHandle<jsCtx> context_;
};

/// What requests to JetStream begin with.
[[nodiscard]] std::string PrefixOf(const JetStreamInletOptions& options);

/// kUnavailable, or kRefused where the server says why.
[[nodiscard]] Error CallFailed(const std::string& what, natsStatus status,
                               jsErrCode code);

}  // namespace cirro::internal::nats
