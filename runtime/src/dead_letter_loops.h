#pragma once

#include <string>
#include <string_view>

#include "config.h"

namespace cirro::internal {

/// Why outlet `place` may keep no dead letters: an inlet reads what is written
/// to it, so a letter would come in again, for ever. Empty: it may.
[[nodiscard]] std::string LoopOf(const Config& config, std::string_view place);

/// Whether a NATS subject that is filtered by `filter`, with its wildcards,
/// comes through. An empty filter lets all through.
[[nodiscard]] bool SubjectMatches(std::string_view filter,
                                  std::string_view subject) noexcept;

}  // namespace cirro::internal
