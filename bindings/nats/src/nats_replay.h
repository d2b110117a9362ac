#pragma once

#include <memory>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/replay.h"
#include "cirro/nats/inlet_options.h"

namespace cirro::internal::nats {

/// NatsApi::open_replay.
[[nodiscard]] Result<std::unique_ptr<Replay>> OpenNatsReplay(
    const JetStreamInletOptions& options, ReplayRange range, const Clock& clock,
    Observer& observer);

}  // namespace cirro::internal::nats
