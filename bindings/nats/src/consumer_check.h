#pragma once

#include <optional>
#include <string>

#include "cirro/cloudevents/result.h"
#include "cirro/nats/inlet_options.h"
#include "server_words.h"

namespace cirro::internal::nats {

/// Whether a consumer that is set so can keep what `options` promise. Fails
/// with kInvalidConfig, naming the setting and what to do.
[[nodiscard]] Result<void> CheckConsumer(const JetStreamInletOptions& options,
                                         const ConsumerConfig& config);

/// What of `options` a consumer that was there has otherwise, without harm.
[[nodiscard]] std::optional<std::string> OtherwiseSet(
    const JetStreamInletOptions& options, const ConsumerConfig& config);

}  // namespace cirro::internal::nats
