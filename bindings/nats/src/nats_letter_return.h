#pragma once

#include <memory>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/letter_box.h"
#include "cirro/dispatch/observer.h"
#include "cirro/nats/nats.h"

namespace cirro::internal::nats {

/// NatsApi::open_return.
[[nodiscard]] Result<std::unique_ptr<LetterReturn>> OpenNatsReturn(
    const JetStreamInletOptions& options, const Clock& clock,
    Observer& observer);

}  // namespace cirro::internal::nats
