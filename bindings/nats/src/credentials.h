#pragma once

#include "cirro/cloudevents/result.h"
#include "cirro/nats/connection.h"

namespace cirro::internal::nats {

/// Whether the files that `connection` names hold what they should: libnats
/// reads them when it connects, and would try again for ever. Fails with
/// kInvalidConfig, naming the setting and the file, never what is in it.
[[nodiscard]] Result<void> CheckCredentials(const NatsConnection& connection);

}  // namespace cirro::internal::nats
