#pragma once

#include <memory>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/replay.h"
#include "cirro/kafka/inlet_options.h"

namespace cirro::internal::kafka {

/// KafkaApi::open_replay.
[[nodiscard]] Result<std::unique_ptr<Replay>> OpenKafkaReplay(
    const KafkaInletOptions& options, ReplayRange range, Observer& observer);

}  // namespace cirro::internal::kafka
