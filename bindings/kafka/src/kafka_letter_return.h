#pragma once

#include <memory>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/letter_box.h"
#include "cirro/dispatch/observer.h"
#include "cirro/kafka/inlet_options.h"

namespace cirro::internal::kafka {

/// KafkaApi::open_return.
[[nodiscard]] Result<std::unique_ptr<LetterReturn>> OpenKafkaReturn(
    const KafkaInletOptions& options, const Clock& clock, Observer& observer);

}  // namespace cirro::internal::kafka
