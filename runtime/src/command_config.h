#pragma once

#include <span>
#include <string>

#include "cirro/cloudevents/result.h"
#include "config.h"

namespace cirro::internal {

/// What a process started here with `flags` would have. Fails with
/// kInvalidConfig.
[[nodiscard]] Result<Config> ConfigOf(std::span<const std::string> flags);

}  // namespace cirro::internal
