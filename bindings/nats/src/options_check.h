#pragma once

#include "cirro/cloudevents/result.h"
#include "cirro/nats/nats.h"

// What can be told wrong without a server: kInvalidConfig, naming the option.
namespace cirro::internal::nats {

[[nodiscard]] Result<void> Check(const NatsConnection& connection);
[[nodiscard]] Result<void> Check(const JetStreamInletOptions& options);
[[nodiscard]] Result<void> Check(const CoreNatsInletOptions& options);
[[nodiscard]] Result<void> Check(const NatsOutletOptions& options);

}  // namespace cirro::internal::nats
